// SPDX-License-Identifier: Apache-2.0
// What a frame says, read straight from its bytes by RFC 894, 791, 8200, 9293 and 768: the stack's
// own readers are what is being tested.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/bytes.hh"
#include "invariants/tcp_rules.hh"

namespace lanyard::simulation {

struct FrameFacts {
  std::string problem;       // how it is malformed or which checksum is wrong; empty: nothing
  bool is_to_group = false;  // the IP destination is a broadcast or multicast address
  bool is_icmp_error = false;
  int version = 0;  // 4, 6, or 0: not IP
  int hops = 0;     // TTL or hop limit
  bool is_fragment = false, is_first_fragment = true, may_fragment = false;
  std::uint16_t identification = 0;
  std::uint8_t protocol = 0;
  std::string addresses;  // source and destination as bytes
  std::string flow;       // TCP: source, destination and ports as bytes
  std::string back;       // the same the other way round
  std::optional<invariants::Segment> tcp;
};

[[nodiscard]] FrameFacts facts_of(Bytes frame);

}  // namespace lanyard::simulation
