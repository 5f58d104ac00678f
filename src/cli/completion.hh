// SPDX-License-Identifier: Apache-2.0
// Completion scripts for bash, zsh and fish, written from the command line's own declaration.
#pragma once

#include <string>
#include <string_view>

namespace lanyard::cli {

// The script for "bash", "zsh" or "fish"; empty for another shell.
[[nodiscard]] std::string completion_script(std::string_view shell);

}  // namespace lanyard::cli
