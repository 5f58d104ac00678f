// SPDX-License-Identifier: Apache-2.0
// How fast a connection sends, and what is noted about how fast it could.
#pragma once

#include "transport/tcp/machine.hh"

namespace lanyard::tcp {

// Octets per second that are paced at, or would be; the largest number: no bound.
[[nodiscard]] std::uint64_t pacing_rate(const Connection& c);
// Before output: gives the pacer the rate of now.
void begin_pacing(Instant now, Connection& c);
// A segment goes out.
void note_rate_of(Instant now, Connection& c, const Outgoing& outgoing, std::uint32_t mss);
// After output: whether the window was used, whether there was enough to send, and when more may
// go.
void note_output(Machine& m, Connection& c, bool has_sent, Held held);

}  // namespace lanyard::tcp
