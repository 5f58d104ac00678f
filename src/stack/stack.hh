// SPDX-License-Identifier: Apache-2.0
// One machine: interfaces, routes and conversations. It is driven from outside and does nothing by
// itself:
//   on_frame / poll / a socket call  ->  take_frame until empty  ->  sleep until next_deadline or
//   the next frame.
// A router is a Stack with `forwarding` on.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/drop.hh"
#include "core/event.hh"
#include "core/packet.hh"
#include "core/random.hh"
#include "internet/datagram.hh"
#include "stack/config.hh"

namespace lanyard::link {
class NeighbourTable;
}
namespace lanyard::internet {
class Network;
}
namespace lanyard::tcp {
class Tcp;
}
namespace lanyard::udp {
class Udp;
}
namespace lanyard::icmp {
class Echo;
}

namespace lanyard::stack {

struct OutFrame {
  std::uint32_t interface = 0;
  Packet frame;
};

class Stack {
 public:
  // `node` is the number this machine's events carry. `trace` may be null. The loopback interface,
  // 1, is there at once.
  Stack(const Config& config, const Seed& seed, std::uint32_t node, Trace* trace);
  ~Stack();
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;

  // Configuration. Interfaces count from 2 in the order they are added.
  std::uint32_t add_interface(const InterfaceConfig& interface);
  void add_address(Instant now, std::uint32_t interface, const IpPrefix& prefix);
  void remove_address(Instant now, std::uint32_t interface, const IpAddress& address);
  void add_route(const Route& route);
  void set_link_up(Instant now, std::uint32_t interface, bool is_up);

  // Driving.
  void on_frame(Instant now, std::uint32_t interface, Packet frame);
  void poll(Instant now);
  [[nodiscard]] Instant next_deadline() const;
  [[nodiscard]] std::optional<OutFrame> take_frame();

  // The conversations, for socket/.
  [[nodiscard]] tcp::Tcp& tcp();
  [[nodiscard]] udp::Udp& udp();
  [[nodiscard]] internet::Network& network();
  // After a call on tcp(), udp() or a raw socket: routes what it wants sent.
  void flush(Instant now);
  // Sends one datagram as it is (ICMP echo, raw sockets).
  Result<void> send(Instant now, internet::Datagram datagram);

  // Looking in (sockets, arp, routes, counters). Valid until the next call that changes the stack.
  [[nodiscard]] std::vector<NeighbourRow> neighbours() const;
  [[nodiscard]] std::vector<Route> routes() const;
  [[nodiscard]] std::vector<InterfaceRow> interfaces() const;
  [[nodiscard]] const DropCounters& drops() const;
  [[nodiscard]] const Config& config() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace lanyard::stack
