// SPDX-License-Identifier: Apache-2.0
#include "wire/vlan.hh"

#include <cstring>

namespace lanyard::vlan {

// BI-03: a frame that ends inside the tag is dropped.
std::expected<View, DropReason> View::parse(Bytes after, ethernet::Type protocol) {
  if (!is_tag(protocol) || after.size() < tag_size) return std::unexpected(DropReason::bad_vlan);
  return View(after, protocol);
}

Tag View::tag() const {
  const std::uint16_t control = load16(after_.data() + control_offset);
  return {.protocol = protocol_,
          .priority = static_cast<std::uint8_t>(control >> 13),
          .drop_eligible = (control & 0x1000) != 0,
          .id = static_cast<std::uint16_t>(control & 0x0fff)};
}

void insert_tag(Packet& frame, const Tag& tag) {
  std::uint8_t* start = frame.push_front(tag_size);
  std::memmove(start, start + tag_size, ethernet::type_offset);
  std::uint8_t* to = start + ethernet::type_offset;
  store16(to, static_cast<std::uint16_t>(tag.protocol));
  store16(to + 2, static_cast<std::uint16_t>((tag.priority << 13) | (tag.drop_eligible << 12) |
                                             (tag.id & 0x0fff)));
}

std::expected<Tag, DropReason> remove_tag(Packet& frame) {
  const Bytes front = frame.front();
  if (front.size() < ethernet::header_size) return std::unexpected(DropReason::frame_too_short);
  const auto type = static_cast<ethernet::Type>(load16(front.data() + ethernet::type_offset));
  const auto view = View::parse(front.subspan(ethernet::header_size), type);
  if (!view) return std::unexpected(view.error());
  const Tag tag = view->tag();
  std::uint8_t* start = frame.mutable_front().data();
  std::memmove(start + tag_size, start, ethernet::type_offset);
  frame.pull_front(tag_size);
  return tag;
}

}  // namespace lanyard::vlan
