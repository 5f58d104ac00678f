// SPDX-License-Identifier: Apache-2.0
// How long what was sent may stay unacknowledged, and what two ends that both allow it tell one
// another about that (RFC 5482): advice, not a negotiation.
#pragma once

#include "transport/tcp/connection.hh"
#include "wire/tcp.hh"

namespace lanyard::tcp {

// USER_TIMEOUT: what the program set; or else, where the option is in use and the peer has spoken,
// what follows from both; zero: the configured number of retries.
[[nodiscard]] Duration user_timeout(const transport::Config& config, const Connection& c);
// How long so many retransmissions take that start at the least time-out and double: Linux's
// reading of a count as a time, so that a long round trip gets its full number of tries.
[[nodiscard]] Duration time_of(std::uint32_t retries, const transport::Config& config);

// The connection begins, or its program has set another time: the peer is to hear of it.
void tell_user_timeout(Connection& c);
// Whether the next segment that is no SYN carries the option.
[[nodiscard]] inline bool tells_user_timeout(const Connection& c) {
  return c.rare && c.rare->is_user_timeout_due;
}
// ADV_UTO, for a segment of that kind: each SYN, and the first one that is none.
[[nodiscard]] std::optional<UserTimeout> take_user_timeout_to_tell(const transport::Config& config,
                                                                   Connection& c, Flags segment);
// REMOTE_UTO.
void learn_user_timeout(Connection& c, const Options& options);

}  // namespace lanyard::tcp
