// SPDX-License-Identifier: Apache-2.0
// ARP (RFC 826) for IPv4 over Ethernet, the only pair we speak.
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |      Hardware type (1)        |     Protocol type (0x0800)    |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   | Hw. length 6  | Pr. length 4  |           Operation           |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |            Sender hardware address (6), protocol address (4)  :
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   :            Target hardware address (6), protocol address (4)  |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
#pragma once

#include <cstdint>
#include <expected>

#include "core/bytes.hh"
#include "core/drop.hh"
#include "core/packet.hh"
#include "wire/address.hh"

namespace lanyard::arp {

inline constexpr std::size_t hardware_type_offset = 0;
inline constexpr std::size_t protocol_type_offset = 2;
inline constexpr std::size_t hardware_length_offset = 4;
inline constexpr std::size_t protocol_length_offset = 5;
inline constexpr std::size_t operation_offset = 6;
inline constexpr std::size_t sender_mac_offset = 8;
inline constexpr std::size_t sender_ip_offset = 14;
inline constexpr std::size_t target_mac_offset = 18;
inline constexpr std::size_t target_ip_offset = 24;
inline constexpr std::size_t message_size = 28;

// Any other 16-bit value may appear on a wire.
enum class Operation : std::uint16_t { request = 1, reply = 2 };

struct Message {
  Operation operation = Operation::request;
  MacAddress sender_mac{};
  IpAddress sender_ip{};
  MacAddress target_mac{};  // zero in a request
  IpAddress target_ip{};

  void write(std::uint8_t* to) const;
  void push_onto(Packet& packet) const { write(packet.push_front(message_size)); }
};

// An ARP message for IPv4 over Ethernet that is wholly there.
class View {
 public:
  [[nodiscard]] static std::expected<View, DropReason> parse(Bytes bytes);

  [[nodiscard]] Operation operation() const {
    return static_cast<Operation>(load16(bytes_.data() + operation_offset));
  }
  [[nodiscard]] MacAddress sender_mac() const { return mac_at(sender_mac_offset); }
  [[nodiscard]] IpAddress sender_ip() const { return ip_at(sender_ip_offset); }
  [[nodiscard]] MacAddress target_mac() const { return mac_at(target_mac_offset); }
  [[nodiscard]] IpAddress target_ip() const { return ip_at(target_ip_offset); }
  [[nodiscard]] Message message() const;

 private:
  explicit View(Bytes bytes) : bytes_(bytes) {}
  [[nodiscard]] MacAddress mac_at(std::size_t offset) const;
  [[nodiscard]] IpAddress ip_at(std::size_t offset) const {
    return IpAddress::from_v4_bytes(bytes_.data() + offset);
  }
  Bytes bytes_;
};

}  // namespace lanyard::arp
