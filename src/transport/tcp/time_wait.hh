// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/pool.hh"
#include "transport/config.hh"
#include "transport/ports.hh"
#include "transport/tcp/demux.hh"
#include "wire/sequence.hh"

namespace lanyard::tcp {

// TIME-WAIT without the connection: what is needed to answer (RFC 9293 3.6.1 [MUST-13]).
struct TimeWait : Node, Pooled {
  transport::BindingId binding = transport::BindingId::none;
  SequenceNumber send_next, receive_next;
  std::uint32_t receive_window = 0;
  std::uint32_t timestamp_offset = 0, ts_recent = 0;
  std::uint32_t interface = 0;
  std::uint16_t window_field = 0;
  bool has_timestamps = false;
  std::uint8_t hop_limit = 0, traffic_class = 0;
  std::uint32_t slot = 0;
  Place place;  // the demux's way here
};

// Whether an active open may take its place (RFC 6191).
[[nodiscard]] bool may_reuse(const transport::Config& config, Instant now, const Node& old);

}  // namespace lanyard::tcp
