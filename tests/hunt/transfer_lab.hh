// SPDX-License-Identifier: Apache-2.0
// A transfer that any fault which ends may delay, and none may break.
#pragma once

#include <string_view>

namespace lanyard::planted {

inline constexpr std::string_view transfer_lab = R"(
hosts:
  bob: { run: bulk serve }
  alice: { run: { do: bulk send 10.0.2.2 100000, at: 500ms, expect: exit 0 } }
routers: [r1]
links:
  - alice -- r1: { delay: 5ms }
  - r1 -- bob: { delay: 10ms, rate: 1Mbit }
)";

}  // namespace lanyard::planted
