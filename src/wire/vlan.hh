// SPDX-License-Identifier: Apache-2.0
// VLAN tags of IEEE 802.1Q and 802.1ad. A tag stands between a frame's addresses and its EtherType;
// tags may be nested, the outer one a service tag (0x88a8).
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |  0x8100 or 0x88a8 (EtherType) | PCP |D|        VLAN id        |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |   EtherType of what follows   |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
#pragma once

#include <cstdint>
#include <expected>

#include "core/bytes.hh"
#include "core/drop.hh"
#include "core/packet.hh"
#include "wire/ethernet.hh"

namespace lanyard::vlan {

inline constexpr std::size_t control_offset = 0;  // counted after the frame's 14 bytes
inline constexpr std::size_t type_offset = 2;
inline constexpr std::size_t tag_size = 4;
inline constexpr std::uint16_t id_max = 4094;  // 4095 is reserved; 0 is "priority only"

// Does a frame of this type carry a tag?
[[nodiscard]] constexpr bool is_tag(ethernet::Type type) {
  return type == ethernet::Type::vlan || type == ethernet::Type::service_vlan;
}

struct Tag {
  ethernet::Type protocol = ethernet::Type::vlan;  // or service_vlan
  std::uint8_t priority = 0;                       // 0..7
  bool drop_eligible = false;
  std::uint16_t id = 0;  // 0..4095
};

// A tag that is wholly there, with the type of what follows it.
class View {
 public:
  // `after` is what follows the EtherType `protocol`, for which is_tag() holds: an Ethernet frame's
  // payload, or an outer tag's.
  [[nodiscard]] static std::expected<View, DropReason> parse(Bytes after, ethernet::Type protocol);

  [[nodiscard]] Tag tag() const;
  [[nodiscard]] ethernet::Type type() const {
    return static_cast<ethernet::Type>(load16(after_.data() + type_offset));
  }
  [[nodiscard]] Bytes payload() const { return after_.subspan(tag_size); }

 private:
  View(Bytes after, ethernet::Type protocol) : after_(after), protocol_(protocol) {}
  Bytes after_;
  ethernet::Type protocol_;
};

// Puts a tag (the new outermost) into an Ethernet frame.
void insert_tag(Packet& frame, const Tag& tag);
// Takes the outermost tag out of an Ethernet frame and returns it. Errors: frame_too_short,
// bad_vlan (there is no tag, or it is cut short); the frame is then unchanged.
std::expected<Tag, DropReason> remove_tag(Packet& frame);

}  // namespace lanyard::vlan
