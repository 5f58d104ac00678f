// SPDX-License-Identifier: Apache-2.0
// The holders of ports, by port. The first of a port, nearly always the only one, lies in the table
// itself, so that a port comes and goes without memory of its own; what was in use at once stays.
#pragma once

#include <cstdint>
#include <vector>

#include "wire/address.hh"

namespace lanyard::transport {

// A held port; never reused while the machine lives.
enum class BindingId : std::uint64_t { none = 0 };

struct BindRequest {
  Endpoint local;               // port 0: choose one. "::" without v6_only takes IPv4 too
  std::uint32_t interface = 0;  // SO_BINDTODEVICE; 0: every interface
  bool reuse_address = false;
  bool reuse_port = false;
  bool v6_only = false;
  bool free_bind = false;  // the address need not be ours (IP_FREEBIND)
};

struct PortHolder {
  BindingId id = BindingId::none;
  BindRequest request;
  bool is_listening = false;
  bool is_automatic = false;
  bool is_shared = false;  // held by `count` connections
  std::uint32_t count = 1;
};

class PortTable {
 public:
  // A holder of this port for which `is_wanted(holder)` holds; null: there is none. It stays where
  // it is until one is added or removed.
  template <typename IsWanted>
  [[nodiscard]] const PortHolder* find(Port port, IsWanted is_wanted) const {
    if (heads_.empty()) return nullptr;
    for (std::uint32_t at = heads_[place_of(port)]; at != none; at = held_[at].next) {
      const Held& held = held_[at];
      if (held.port() != port) continue;
      if (is_wanted(held.first)) return &held.first;
      for (const PortHolder& other : held.others)
        if (is_wanted(other)) return &other;
      return nullptr;
    }
    return nullptr;
  }
  template <typename IsWanted>
  [[nodiscard]] PortHolder* find(Port port, IsWanted is_wanted) {
    return const_cast<PortHolder*>(static_cast<const PortTable*>(this)->find(port, is_wanted));
  }
  // Of the port that it asks for.
  PortHolder& add(const PortHolder& holder);
  // One that find() or add() gave.
  void remove(const PortHolder& holder);
  [[nodiscard]] std::size_t ports() const { return ports_; }

 private:
  struct Held {
    PortHolder first;
    std::vector<PortHolder> others;
    std::uint32_t next = 0;  // with the same place, or free
    [[nodiscard]] Port port() const { return first.request.local.port; }
  };
  static constexpr std::uint32_t none = UINT32_MAX;
  // Ephemeral ports are given out one after another, and fill the places evenly.
  [[nodiscard]] std::size_t place_of(Port port) const { return port & (heads_.size() - 1); }
  void grow();
  [[nodiscard]] std::uint32_t take_free();

  std::vector<std::uint32_t> heads_;  // a power of two, of which each leads to one held port
  std::vector<Held> held_;
  std::uint32_t free_ = none;
  std::size_t ports_ = 0;
};

}  // namespace lanyard::transport
