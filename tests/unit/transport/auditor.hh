// SPDX-License-Identifier: Apache-2.0
// Watches the wire between two hosts, from outside: what no TCP may ever do, whatever the link
// does.
#pragma once

#include <array>
#include <string>

#include "harness.hh"
#include "invariants/tcp_rules.hh"

namespace lanyard::test {

class Auditor {
 public:
  // `segment_bytes_max`: IP payload that the link takes in one frame.
  explicit Auditor(std::size_t segment_bytes_max = 1480) : segment_bytes_max_(segment_bytes_max) {}

  // Fails the test when a rule of invariants/tcp_rules.hh is broken, a reset is answered by a
  // reset, or a frame is too big.
  void see(bool from_a, const internet::Datagram& datagram);

  // There is work and nothing that will ever wake it: call when nothing happens any more.
  static void expect_awake(const Host& host, tcp::ConnectionId connection);

 private:
  void complain(const std::string& what) const;

  std::size_t segment_bytes_max_;
  std::array<bool, 2> has_reset_{};
  std::string looked_at_;
  invariants::TcpRules rules_{[this](const std::string& what) { complain(what); }};
};

}  // namespace lanyard::test
