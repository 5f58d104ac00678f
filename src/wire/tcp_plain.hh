// SPDX-License-Identifier: Apache-2.0
// The header that nearly every TCP segment has: no urgent data, and no options but perhaps the
// timestamps in their usual form (RFC 7323 Appendix A): two NOPs and the timestamps.
#pragma once

#include <cstdint>
#include <optional>

#include "wire/tcp.hh"

namespace lanyard::tcp {

inline constexpr std::size_t timestamps_alone_size = 12;
inline constexpr std::uint32_t timestamps_alone = 0x0101080a;

// The timestamps, if these options are nothing else.
[[nodiscard]] inline std::optional<Timestamps> timestamps_if_alone(Bytes options) {
  if (options.size() != timestamps_alone_size || load32(options.data()) != timestamps_alone)
    return std::nullopt;
  return Timestamps{load32(options.data() + 4), load32(options.data() + 8)};
}

struct PlainHeader {
  Port source_port = 0;
  Port destination_port = 0;
  SequenceNumber sequence{};
  SequenceNumber acknowledgment{};
  Flags flags{};
  std::uint16_t window = 0;
  std::optional<Timestamps> timestamps{};
  // As Header::push_onto, with the same bytes.
  void push_onto(Packet& packet, const IpAddress& source, const IpAddress& destination,
                 ChecksumBy by) const;
};

}  // namespace lanyard::tcp
