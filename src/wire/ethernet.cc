// SPDX-License-Identifier: Apache-2.0
#include "wire/ethernet.hh"

#include <algorithm>
#include <array>

namespace lanyard::ethernet {
namespace {

constexpr std::array<std::uint8_t, 6> snap_start{0xaa, 0xaa, 0x03, 0x00, 0x00, 0x00};

}  // namespace

std::string_view name_of(Type type) {
  switch (type) {
    case Type::llc:
      return "802.2 LLC";
    case Type::ipv4:
      return "IPv4";
    case Type::arp:
      return "ARP";
    case Type::vlan:
      return "802.1Q VLAN";
    case Type::ipv6:
      return "IPv6";
    case Type::service_vlan:
      return "802.1ad service VLAN";
  }
  return {};
}

// BI-01: a frame shorter than its header is dropped before anything is read.
std::expected<View, DropReason> View::parse(Bytes front, std::size_t frame_size) {
  if (front.size() < ethernet::header_size || frame_size < front.size()) {
    return std::unexpected(DropReason::frame_too_short);
  }
  View view(front);
  view.payload_size_ = frame_size - ethernet::header_size;
  const std::uint16_t field = load16(front.data() + type_offset);
  view.type_ = static_cast<Type>(field);
  if (field < type_min && !view.take_802_3(field)) {
    return std::unexpected(DropReason::frame_too_short);
  }
  return view;
}

// BI-02: the 802.3 length must fit the frame (what lies beyond it is padding), and LLC, SNAP fit
// into the length. RFC 1122 2.3.3 [RFC1122-2.3.3-b]: SNAP frames are received.
bool View::take_802_3(std::size_t length) {
  if (length > payload_size_ || length < 3) return false;
  payload_size_ = length;
  type_ = Type::llc;
  const Bytes llc = payload();
  if (llc.size() < 3 || !std::equal(snap_start.begin(), snap_start.begin() + 3, llc.begin())) {
    return llc.size() >= 3;
  }
  if (llc.size() < llc_snap_size) return false;
  if (!std::equal(snap_start.begin(), snap_start.end(), llc.begin())) return true;
  const std::uint16_t type = load16(llc.data() + 6);
  if (type < type_min) return true;
  type_ = static_cast<Type>(type);
  header_size_ += llc_snap_size;
  payload_size_ -= llc_snap_size;
  return true;
}

Bytes View::payload() const {
  const Bytes rest = front_.subspan(header_size_);
  return rest.first(std::min(rest.size(), payload_size_));
}

MacAddress View::mac_at(std::size_t offset) const {
  MacAddress address;
  std::copy_n(front_.begin() + static_cast<std::ptrdiff_t>(offset), 6, address.bytes.begin());
  return address;
}

}  // namespace lanyard::ethernet
