// SPDX-License-Identifier: Apache-2.0
// The checks of a run as JUnit XML, which every CI shows: a test case for each.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "lab/rows.hh"

namespace lanyard::cli {

// `replay` is the command that makes the run again.
[[nodiscard]] std::string junit_xml(std::string_view lab, std::string_view replay,
                                    std::span<const lab::Verdict> verdicts);

}  // namespace lanyard::cli
