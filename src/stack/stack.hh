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
#include <string_view>
#include <vector>

#include "core/drop.hh"
#include "core/event.hh"
#include "core/packet.hh"
#include "core/random.hh"
#include "internet/datagram.hh"
#include "stack/config.hh"
#include "stack/raw_sink.hh"

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

namespace lanyard::stack {

struct OutFrame {
  std::uint32_t interface = 0;
  Packet frame;
};

class Stack {
 public:
  // `node`: what this machine's events carry. `trace` may be null. Interface 1 is loopback.
  Stack(const Config& config, const Seed& seed, std::uint32_t node, Trace* trace);
  ~Stack();
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;

  // Configuration. Interfaces count from 2 in the order they are added.
  std::uint32_t add_interface(const InterfaceConfig& interface);
  void add_address(Instant now, std::uint32_t interface, const IpPrefix& prefix);
  void remove_address(Instant now, std::uint32_t interface, const IpAddress& address);
  void add_route(const Route& route);
  // Takes away the routes with this destination, gateway and interface (0: any); how many.
  std::size_t remove_route(const Route& route);
  void set_link_up(Instant now, std::uint32_t interface, bool is_up);
  // From the next packet on; conversations notice.
  void set_mtu(std::uint32_t interface, std::uint32_t mtu);

  // Driving. Of frames that came together all are dealt with before TCP answers [MUST-59].
  // True: it was passed on to another link, no deadline became earlier, and no program has work.
  bool on_frame(Instant now, std::uint32_t interface, Packet&& frame);
  void on_frames(Instant now, std::uint32_t interface, std::span<Packet> frames);
  void poll(Instant now);
  [[nodiscard]] Instant next_deadline() const;
  [[nodiscard]] std::optional<OutFrame> take_frame();
  // All that wait, in their order, behind what `frames` holds already.
  void take_frames(std::vector<OutFrame>& frames);

  // Whether the frames of this conversation come to this stack; false: to another shard
  // (steering.hh).
  [[nodiscard]] bool is_ours(internet::Protocol protocol, const Endpoint& local,
                             const Endpoint& remote) const;

  // The conversations, for socket/.
  [[nodiscard]] tcp::Tcp& tcp();
  [[nodiscard]] udp::Udp& udp();
  [[nodiscard]] internet::Network& network();
  // After a call on one of them or a raw socket: routes what it wants sent.
  void flush(Instant now);
  // Sends one datagram as it is (ICMP echo, raw); its packet begins at the transport header. An
  // ICMPv6 checksum is filled in. Errors: those of Paths::find; message_too_long.
  Result<void> send(Instant now, internet::Datagram datagram);
  // The same for a packet that begins with an IPv4 header of the program's own (IP_HDRINCL).
  Result<void> send_with_header(Instant now, internet::Datagram datagram);

  // Raw sockets: `sink` sees every datagram of this family and protocol, beside its receiver.
  void add_raw(Family family, internet::Protocol protocol, RawSink& sink);
  void remove_raw(RawSink& sink);
  // ICMP echo sockets: `sink` sees replies with this identifier (0: a free one is chosen) and
  // errors about its requests. Returns the identifier; address_in_use if it is taken.
  Result<std::uint16_t> add_echo(Family family, std::uint16_t identifier, RawSink& sink);
  void remove_echo(Family family, std::uint16_t identifier);

  // Multicast membership, counted; interface 0: the one a route to the group chooses. Errors:
  // invalid (no multicast address), no_such_device, address_not_available (not a member).
  Result<void> join_group(Instant now, std::uint32_t interface, const IpAddress& group);
  Result<void> leave_group(Instant now, std::uint32_t interface, const IpAddress& group);

  // Looking in (sockets, arp, routes, counters). Valid until the stack changes.
  [[nodiscard]] std::vector<NeighbourRow> neighbours() const;
  [[nodiscard]] std::vector<Route> routes() const;
  [[nodiscard]] std::vector<InterfaceRow> interfaces() const;
  [[nodiscard]] std::optional<InterfaceRow> interface(std::uint32_t index) const;
  [[nodiscard]] std::optional<std::uint32_t> interface_of(std::string_view name) const;
  [[nodiscard]] const DropCounters& drops() const;
  [[nodiscard]] const Config& config() const;
  // Other settings of the transports, and another hop limit, for what is opened from now on.
  void reconfigure(const Config& config);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace lanyard::stack
