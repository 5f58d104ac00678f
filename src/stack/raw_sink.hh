// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hh"
#include "core/time.hh"
#include "internet/datagram.hh"

namespace lanyard::stack {

// A socket beside tcp() and udp(): a raw socket or an ICMP echo socket. Called while the stack
// works: it keeps what it wants and calls nothing on the stack.
class RawSink {
 public:
  // A datagram of its protocol came. `ip_header` is the header as received, options or extension
  // headers included; datagram.packet begins behind it and stays the stack's: share() or copy.
  virtual void on_datagram(Instant now, const internet::Datagram& datagram, Bytes ip_header) = 0;
  // An ICMP error about a datagram of its protocol (of its identifier, for an echo socket).
  virtual void on_icmp_error(Instant now, const internet::IcmpError& error) = 0;

 protected:
  ~RawSink() = default;
};

}  // namespace lanyard::stack
