// SPDX-License-Identifier: Apache-2.0
// Where a verb is to write: looked at before anything is run, so that nothing is done in vain.
#pragma once

#include <string>

namespace lanyard::cli {

// Why no file can be written at `path`, or empty. `read`, what the verb reads, is never written
// over (empty: nothing). An empty `path` is always good: nothing is written.
[[nodiscard]] std::string why_not_writable(const std::string& path, const std::string& read);
// The same, said on standard error. True if it can be written.
[[nodiscard]] bool may_write(const std::string& path, const std::string& read);

}  // namespace lanyard::cli
