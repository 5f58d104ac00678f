// SPDX-License-Identifier: Apache-2.0
// What the path takes, found out by sending (RFC 4821).
#pragma once

#include "transport/tcp/machine.hh"

namespace lanyard::tcp {

// Payload of the largest segment that the path is said to take.
[[nodiscard]] std::uint32_t full_payload(const Connection& c);
// After a time-out: full segments that vanish are tried smaller.
void look_for_black_hole(Machine& m, Instant now, Connection& c);
// From the start, if the machine is configured so.
void start_path_probing(Machine& m, Instant now, Connection& c);
// Sends a larger segment if it is time and enough stands behind it.
void probe_path(Machine& m, Instant now, Connection& c, const SendLimits& limits);
// Has it arrived? Is it lost, and nothing else? It is.
void check_path_probe(Machine& m, Connection& c);
[[nodiscard]] bool is_only_path_probe_lost(const Connection& c);
void path_probe_lost(Connection& c);

}  // namespace lanyard::tcp
