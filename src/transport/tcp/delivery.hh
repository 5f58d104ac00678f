// SPDX-License-Identifier: Apache-2.0
// What an acknowledgment says about what was in flight, and what follows from it about the rest.
#pragma once

#include <cstdint>
#include <optional>

#include "core/time.hh"
#include "wire/sequence.hh"
#include "wire/tcp_options.hh"

namespace lanyard::tcp {

// When a run was sent; of what was sent at the same time, in which order.
struct Moment {
  Instant at;
  std::uint32_t order = 0;
  SequenceNumber end;
  [[nodiscard]] bool is_before(const Moment& other) const {
    if (at != other.at) return at < other.at;
    return order == other.order ? before(end, other.end) : order < other.order;
  }
};

// What one ACK says has newly arrived, whether cumulatively or selectively.
struct Delivery {
  // Given: needed to tell an ACK of a retransmission from one of the original (RFC 8985 6.2 step
  // 2).
  Instant now;
  Duration least_round_trip;
  std::optional<std::int64_t> echo_ms;  // when the segment that caused the ACK was sent

  std::uint32_t octets = 0;   // delivered by it
  std::uint32_t held = 0;     // of these, selectively
  bool has_original = false;  // octets that were sent once only
  bool has_resent = false;
  bool is_of_resent = false;  // its echo says that what was sent again has filled a gap
  // The run sent last of those delivered, if the ACK can be its.
  std::optional<Moment> newest;
  // The first and the last run of those sent once.
  Instant first_original_sent_at = Instant::never();
  Instant last_original_sent_at;
  SequenceNumber low_original, high_original_end, high_end;
  std::optional<SackBlock> duplicate;  // RFC 2883: came twice
};

// Runs sent before `newest` are lost once `wait` has passed since they were; those sent before
// `refused` at once, for the peer will not take them any more.
struct LossRule {
  Instant now;
  Moment newest;
  Duration wait;
  Instant refused;
};

// What the rule has newly found.
struct Losses {
  Duration wait;                       // until the last run that it will apply to is lost
  std::optional<SequenceNumber> late;  // where the last one lost by its age ends
};

}  // namespace lanyard::tcp
