// SPDX-License-Identifier: Apache-2.0
// Which Lanyard this is.
#pragma once

#include <string_view>

namespace lanyard::cli {

// "0.1.0": the version of the project() line of CMakeLists.txt.
[[nodiscard]] std::string_view version_text();

}  // namespace lanyard::cli
