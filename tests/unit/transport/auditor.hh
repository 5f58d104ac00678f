// SPDX-License-Identifier: Apache-2.0
// Watches the wire between two hosts, from outside: what no TCP may ever do, whatever the link
// does.
#pragma once

#include <array>
#include <optional>

#include "harness.hh"

namespace lanyard::test {

class Auditor {
 public:
  // `segment_bytes_max`: IP payload that the link takes in one frame.
  explicit Auditor(std::size_t segment_bytes_max = 1480) : segment_bytes_max_(segment_bytes_max) {}

  // Fails the test when the offered right edge falls (9293-3.10.7.4-p), somebody sends beyond it
  // (RFC 9293 3.8.6), a FIN moves, data lies behind one, something is acknowledged that was never
  // sent, a reset is answered by a reset, or a frame is too big.
  void see(bool from_a, const internet::Datagram& datagram);

  // There is work and nothing that will ever wake it: call when nothing happens any more.
  static void expect_awake(const Host& host, tcp::ConnectionId connection);

 private:
  struct Side {
    std::optional<tcp::SequenceNumber> edge, fin, highest;
    std::uint8_t scale = 0;
    bool has_reset = false;
  };
  std::size_t segment_bytes_max_;
  std::array<Side, 2> sides_;
};

}  // namespace lanyard::test
