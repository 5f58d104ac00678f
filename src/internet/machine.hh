// SPDX-License-Identifier: Apache-2.0
// What the internet layer asks of the machine around it; implemented by stack/, and in a few lines
// by a test. None of these calls comes back into the internet layer.
#pragma once

#include <cstdint>

#include "core/drop.hh"
#include "core/packet.hh"
#include "core/time.hh"
#include "internet/datagram.hh"
#include "link/neighbour.hh"
#include "wire/address.hh"

namespace lanyard::internet {

// How a packet came.
struct Arrival {
  std::uint32_t interface = 0;
  MacAddress sender;                // zero if it was looped
  bool was_link_broadcast = false;  // its frame went to a group address of the link
  bool was_looped = false;          // this machine sent it
};

class Machine {
 public:
  // A whole frame, checksums finished unless the interface takes them.
  virtual void transmit(Instant now, std::uint32_t interface, Packet&& frame) = 0;
  // An IP packet this machine sent to itself: to be given to Network::on_packet, but not before
  // this call has returned.
  virtual void loop_back(Instant now, std::uint32_t interface, Packet&& packet) = 0;
  // A datagram for this machine. no_socket asks for a Port Unreachable, unknown_protocol for a
  // Protocol Unreachable or Parameter Problem; then the packet must have been left alone.
  virtual DropReason deliver(Instant now, Datagram& datagram, Bytes ip_header) = 0;
  // Before a path MTU is learnt from it: whether the transport it quotes has sent such a packet.
  [[nodiscard]] virtual bool believes(const IcmpError&) const { return true; }
  // Whether a datagram that came in fragments is another shard's, who got the fragments too.
  [[nodiscard]] virtual bool is_other_shards(const Datagram& datagram) const = 0;
  virtual void on_icmp_error(Instant now, const IcmpError& error) = 0;
  // Already counted nowhere: counters and events are the machine's.
  virtual void on_drop(Instant now, std::uint32_t interface, DropReason reason,
                       const Packet& packet) = 0;
  virtual void on_neighbour(Instant now, std::uint32_t interface, const IpAddress& address,
                            link::NeighbourState state) = 0;

 protected:
  ~Machine() = default;
};

}  // namespace lanyard::internet
