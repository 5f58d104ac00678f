// SPDX-License-Identifier: Apache-2.0
// What passes between internet/ and transport/: a packet of one transport protocol with the facts
// of its IP header.
#pragma once

#include <cstdint>
#include <vector>

#include "core/error.hh"
#include "core/packet.hh"
#include "wire/address.hh"

namespace lanyard::internet {

enum class Protocol : std::uint8_t { icmp = 1, igmp = 2, tcp = 6, udp = 17, icmpv6 = 58 };

// Down: transport/ asks for this to be sent. Up: internet/ delivers this.
// `packet` begins at the transport header; going down it has headroom for every header in front.
struct Datagram {
  IpAddress source;       // down: unspecified lets the path choose
  IpAddress destination;  // up: the specific destination (RFC 1122 3.2.1.3)
  Protocol protocol = Protocol::udp;
  std::uint8_t hop_limit = 0;       // TTL; down: 0 means the configured default
  std::uint8_t traffic_class = 0;   // DSCP and ECN
  bool may_fragment = true;         // down, IPv4: DF clear
  bool was_link_broadcast = false;  // up: came as a link-layer broadcast or multicast
  bool is_plain = false;  // up: from one host to one address of ours, and so was its frame: that is
                          // known, and need not be looked at again
  bool loops_multicast = true;   // down: members on this machine hear it too (RFC 1112 6.1)
  std::uint32_t flow_label = 0;  // IPv6; down: 0 lets the path choose (RFC 6437)
  std::uint32_t interface =
      0;  // up: arrived on; down: 0 lets the route choose. Interfaces count from 1; 1 is loopback
  Packet packet;
};

// What transport/ wants sent, in order; stack/ takes it after each call and routes it.
using Outbox = std::vector<Datagram>;

// Where datagrams to a destination would go.
struct Path {
  IpAddress source;  // the source address selected (RFC 6724 5, RFC 1122 3.3.4.3)
  std::uint32_t interface = 0;
  std::uint32_t mtu = 0;      // path MTU, IP header included
  bool is_local = false;      // the destination is one of our own addresses
  bool is_broadcast = false;  // limited, or directed to a network of ours
  bool takes_checksums =
      false;  // the interface computes transport checksums (Offload::checksum_wanted)
  // Super-segments up to this payload are cut on the way out; 0: they are not.
  std::uint32_t super_segment_bytes_max = 0;
};

// What transport/ and socket/ ask about the machine they live on. Implemented by internet::Network;
// a test's fake is small.
class Paths {
 public:
  // The path to `destination`. `source` (unspecified: choose) must be ours; `interface` 0 means
  // any. Errors: network_unreachable, host_unreachable, address_not_available, network_down.
  [[nodiscard]] virtual Result<Path> find(const IpAddress& destination, const IpAddress& source,
                                          std::uint32_t interface) const = 0;
  // Grows whenever find() may come to answer otherwise; 0: that is not known.
  [[nodiscard]] virtual std::uint64_t version() const { return 0; }
  // Ours and usable as a source: assigned to an interface (any when 0) and not tentative.
  [[nodiscard]] virtual bool is_own_address(const IpAddress& address,
                                            std::uint32_t interface) const = 0;
  // Limited broadcast, or a directed broadcast of a network of ours.
  [[nodiscard]] virtual bool is_broadcast(const IpAddress& address) const = 0;
  // Forward progress was made towards `destination`: its neighbour entry is confirmed (RFC
  // 4861 7.3.1).
  virtual void confirm_reachable(Instant now, const IpAddress& destination) = 0;

 protected:
  ~Paths() = default;
};

// An ICMP error, as handed to the conversation it is about (RFC 1122 3.2.2, RFC 4443 3).
struct IcmpError {
  enum class Kind : std::uint8_t {
    network_unreachable,
    host_unreachable,
    protocol_unreachable,
    port_unreachable,
    packet_too_big,
    source_route_failed,
    prohibited,
    hop_limit_exceeded,
    reassembly_time_exceeded,
    parameter_problem,
    address_unreachable
  };
  Kind kind = Kind::host_unreachable;
  std::uint8_t type = 0;  // as on the wire
  std::uint8_t code = 0;
  std::uint32_t mtu = 0;       // packet_too_big: the next hop's MTU, 0 if it did not say
  IpAddress reporter;          // who sent the error
  std::uint8_t hop_limit = 0;  // of the packet that brought the error
  IpAddress source;            // of the quoted packet: ours
  IpAddress destination;       // of the quoted packet
  Protocol protocol = Protocol::udp;
  Bytes quoted;  // the quoted transport header, at least its first 8 bytes; valid during the call
};

// The errno a program sees for an ICMP error, and whether it is hard (RFC 1122 4.2.3.9, as Linux's
// icmp_err_convert).
struct IcmpErrorMeaning {
  Errno error;
  bool is_hard;
};
[[nodiscard]] IcmpErrorMeaning meaning_of(IcmpError::Kind kind);

}  // namespace lanyard::internet
