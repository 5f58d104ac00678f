// SPDX-License-Identifier: Apache-2.0
// A listener, and two words that the files of Machine share.
#pragma once

#include <deque>
#include <memory>

#include "transport/ports.hh"
#include "transport/tcp/tcp.hh"

namespace lanyard::tcp {

struct Listener {
  ListenerId id = ListenerId::none;
  Owner owner = 0;
  transport::BindingId binding = transport::BindingId::none;
  transport::BindRequest bound;
  std::uint32_t backlog = 0;
  std::uint32_t half_open = 0;           // connections in SYN-RECEIVED
  std::uint32_t fast_opens_pending = 0;  // of Fast Open, their handshake not over (RFC 7413 5.1)
  bool is_changed = false;
  Instant cookies_until;  // an ACK may be the answer to a cookie
  std::shared_ptr<const Settings> settings;
  std::deque<Instant> fast_open_resets;  // until when those that were reset count as pending
  std::deque<ConnectionId> waiting;      // established, not yet accepted
};

[[nodiscard]] std::size_t ip_header_bytes(const IpAddress& address);
// The shift that lets a buffer be offered whole (RFC 7323 2.3).
[[nodiscard]] std::uint8_t scale_for(std::uint32_t buffer_bytes);

// What a step of 3.10.7.4 says about the segment: go on to the next, or it is dealt with.
struct Verdict {
  bool is_done = false;
  DropReason reason = DropReason::none;
};
inline constexpr Verdict go_on{};
[[nodiscard]] constexpr Verdict done(DropReason reason = DropReason::none) {
  return {true, reason};
}

// The peer starts slowly, and every ACK opens its window: each of the first segments is
// acknowledged at once.
inline constexpr std::uint8_t quick_acks_max = 16;

enum class Resent : std::uint8_t { time_out, fast, probe };

}  // namespace lanyard::tcp
