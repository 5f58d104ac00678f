// SPDX-License-Identifier: Apache-2.0
// Checks about packets, requests and flows:
//   no packet from alice to 10.0.9.0/24       SYN from alice to bob == 1 within 5s
//   http requests to bob >= 3 within 5s       p99 of request time to bob < 200ms
//   after heal, all flows progress within 3s
#pragma once

#include <optional>

#include "lab/check.hh"

namespace lanyard::lab {

// Nothing if the line is a check of another sort. `counter` says what is looked at (watch.hh),
// `number` counts nanoseconds for times, `limit` is what `within` says (zero: the whole run).
[[nodiscard]] std::optional<std::expected<Check, CheckProblem>> parse_watched(
    std::string_view line);

}  // namespace lanyard::lab
