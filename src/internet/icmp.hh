// SPDX-License-Identifier: Apache-2.0
// ICMP of both families: echo is answered, errors about packets are sent with every restraint the
// RFCs ask for, errors about ours are read. Internal to internet/.
#pragma once

#include <cstdint>
#include <optional>

#include "internet/output.hh"
#include "internet/rate_limiter.hh"
#include "internet/shared.hh"
#include "wire/icmp.hh"

namespace lanyard::internet {

// Why a packet could not be served, family-free; icmp.cc has the table of types and codes.
enum class Trouble : std::uint8_t {
  no_route,
  host_unreachable,  // the neighbour does not answer
  protocol_unreachable,
  port_unreachable,
  prohibited,
  source_route_failed,
  too_big,             // rest: the MTU
  hop_limit_exceeded,  // in transit
  reassembly_time_exceeded,
  header_problem,       // rest: the pointer
  unknown_next_header,  // rest: the pointer
  unknown_option,       // rest: the pointer
  incomplete_header_chain,
  redirect  // IPv4; rest: the better gateway
};

// A packet to complain about: its IP header (or as much of the packet as was cut off) and the rest.
struct Complaint {
  Trouble trouble = Trouble::no_route;
  std::uint32_t rest = 0;
  Arrival arrival;
  bool answers_multicast = false;  // RFC 4443 2.4 (e.3): packet too big, option code 10
};

class Icmp {
 public:
  Icmp(Shared& shared, Output& output);

  // Sends an ICMP error about the packet `header` + `rest`, unless it must not.
  void complain(Instant now, const Complaint& complaint, Bytes header, const Packet& rest);

  // A message for this machine: answers or reads it. The reason if it was dropped. Neighbour
  // discovery is not among it.
  DropReason on_message(Instant now, const Datagram& datagram, const Arrival& arrival);

 private:
  [[nodiscard]] bool may_complain(const Complaint& complaint, Bytes quoted) const;
  [[nodiscard]] bool may_answer(const IpAddress& source, std::uint32_t interface) const;
  void answer_echo(Instant now, const Datagram& request, const Arrival& arrival);
  DropReason on_error(Instant now, const Datagram& datagram, const icmp::View& view);
  DropReason on_redirect_v4(Instant now, const Datagram& datagram, const icmp::View& view);
  void learn_path_mtu(Instant now, const IpAddress& destination, std::uint32_t reported,
                      Bytes quoted);

  Shared& shared_;
  Output& output_;
  RateLimiter limiter_;
};

// The kind of an error by its type and code; nothing for a message that is none, or is ignored.
[[nodiscard]] std::optional<IcmpError::Kind> kind_of(Family family, std::uint8_t type,
                                                     std::uint8_t code);

}  // namespace lanyard::internet
