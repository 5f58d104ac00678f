// SPDX-License-Identifier: Apache-2.0
// A world drawn from one seed: hosts, switches and routers, programs on them, and what is broken
// when. In the first phase everything may be broken; from `healed` on nothing is but a host that is
// gone for good in some of them, and whatever is still alive must come to its end.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lab/hunt/fault.hh"
#include "lab/model.hh"

namespace lanyard::simulation {

struct Scenario {
  std::string text;  // a lab file without its faults; `talk` and `chat` are talk.hh's programs
  lab::Model model;
  std::vector<lab::hunt::Fault> faults;
};

[[nodiscard]] Scenario draw_scenario(std::uint64_t seed);
// The lab file of a scenario with these faults: what is run.
[[nodiscard]] std::string text_of(const Scenario& scenario, std::uint64_t seed,
                                  const std::vector<lab::hunt::Fault>& faults);
// Programs that are started from then on must succeed. Stands in the text, so that a file alone can
// be run again.
inline constexpr std::int64_t healed_ms = 12'000;
inline constexpr std::int64_t second_wave_ms = 20'000;
// Everything must have ended by then; where a host is gone for good, once what was sent to it has
// been given up (RFC 9293 3.8.3, RFC 1122 4.2.3.5: R2) and a call to it as well.
inline constexpr std::int64_t ended_ms = 200'000, ended_without_peer_ms = 1'300'000;

}  // namespace lanyard::simulation
