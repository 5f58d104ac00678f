// SPDX-License-Identifier: Apache-2.0
#include "internet/datagram.hh"

namespace lanyard::internet {

// [RFC1122-3.2.2.1-c]: network, host and source route failures are hints: soft.
IcmpErrorMeaning meaning_of(IcmpError::Kind kind) {
  using Kind = IcmpError::Kind;
  switch (kind) {
    case Kind::network_unreachable:
      return {Errno::network_unreachable, false};
    case Kind::host_unreachable:
    case Kind::address_unreachable:
      return {Errno::host_unreachable, false};
    case Kind::protocol_unreachable:
      return {Errno::no_such_option, true};
    case Kind::port_unreachable:
      return {Errno::connection_refused, true};
    case Kind::packet_too_big:
      return {Errno::message_too_long, false};
    case Kind::source_route_failed:
      return {Errno::not_supported, false};
    case Kind::prohibited:
      return {Errno::host_unreachable, true};
    case Kind::hop_limit_exceeded:
    case Kind::reassembly_time_exceeded:
      return {Errno::host_unreachable, false};
    case Kind::parameter_problem:
      return {Errno::protocol_error, false};
  }
  return {Errno::host_unreachable, false};
}

}  // namespace lanyard::internet
