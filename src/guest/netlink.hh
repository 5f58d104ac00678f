// SPDX-License-Identifier: Apache-2.0
// The few rtnetlink(7) requests that give a network namespace interfaces, addresses and routes.
#pragma once

#include <cstdint>
#include <string>

#include "guest/descriptor.hh"
#include "wire/address.hh"

namespace lanyard::guest {

// Works in the namespace it was made in, wherever its owner goes later. Every request returns 0 or
// an errno.
class Netlink {
 public:
  Netlink();
  [[nodiscard]] bool is_open() const { return socket_.is_open(); }

  int set_up(std::uint32_t index);
  // A pair: `name` here with the given index (0: any), its peer in the namespace `peer_namespace`.
  struct Pair {
    std::string name, peer_name;
    std::uint32_t index = 0, peer_index = 0;
    MacAddress mac;
    std::uint32_t mtu = 1500;
    int peer_namespace = -1;  // -1: here too
  };
  int add_pair(const Pair& pair);
  int set_mac(std::uint32_t index, const MacAddress& mac, std::uint32_t mtu);
  int add_address(std::uint32_t index, const IpPrefix& prefix);
  int add_route(const IpPrefix& destination, const IpAddress& gateway, std::uint32_t index,
                std::uint32_t metric);

 private:
  int ask(const std::string& request);
  Descriptor socket_;
  std::uint32_t sequence_ = 0;
};

// The bytes of a message's attributes; used by the tests too.
class NetlinkMessage {
 public:
  NetlinkMessage(std::uint16_t type, std::uint16_t flags, const void* header, std::size_t size);
  void add(std::uint16_t type, const void* data, std::size_t size);
  void add_text(std::uint16_t type, const std::string& text) {
    add(type, text.c_str(), text.size() + 1);
  }
  void add_number(std::uint16_t type, std::uint32_t number) { add(type, &number, sizeof number); }
  [[nodiscard]] std::size_t open(std::uint16_t type);  // nested; give the result to close()
  void close(std::size_t at);
  void add_header(const void* data, std::size_t size);  // unframed bytes inside an open attribute
  // The finished message.
  [[nodiscard]] std::string finish(std::uint32_t sequence);
  // The same as an answer, to a program with this netlink port.
  [[nodiscard]] std::string finish_answer(std::uint32_t sequence, std::uint32_t port,
                                          std::uint16_t flags);

 private:
  std::string bytes_;
};

}  // namespace lanyard::guest
