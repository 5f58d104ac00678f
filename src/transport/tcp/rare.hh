// SPDX-License-Identifier: Apache-2.0
// What few connections need, behind one pointer, so that all others stay small.
#pragma once

#include <cstdint>
#include <optional>

#include "core/time.hh"
#include "transport/tcp/values.hh"
#include "wire/sequence.hh"
#include "wire/tcp_options.hh"

namespace lanyard::tcp {

struct Rare {
  // TCP Fast Open (RFC 7413): what our SYN asks with, or our SYN,ACK grants.
  std::optional<FastOpenCookie> cookie;
  ListenerId pending_at = ListenerId::none;  // the listener that counts it among those half open
  std::uint32_t early_bytes = 0;             // that our SYN carried
  bool was_early_taken = false;              // text of a SYN, the peer's or ours, was acknowledged

  // The user time-out option (RFC 5482): REMOTE_UTO, zero: none came; and whether ours is to go.
  Duration remote_user_timeout;
  bool is_user_timeout_due = false;

  // Probing the path (RFC 4821), in octets of payload.
  std::uint32_t path_low = 0;   // known to get through: no segment is larger; 0: not probing
  std::uint32_t path_high = 0;  // the next probe lies below; 0: what the interface takes
  Instant probe_at;             // not before
  bool is_path_probed = false;  // one is under way:
  SequenceNumber path_probe_from, path_probe_end;
};

}  // namespace lanyard::tcp
