// SPDX-License-Identifier: Apache-2.0
// One machine of ours, and a peer that the test plays segment by segment.
#pragma once

#include "harness.hh"

namespace lanyard::test {

class Scripted {
 public:
  explicit Scripted(const transport::Config& config = transport::Config());
  Host host;
  Instant now = Instant::start() + 100_s;
  IpAddress peer = IpAddress::v4(10, 0, 0, 9);
  Port peer_port = 4000, port = 80;
  tcp::SequenceNumber peer_next{1'000'000};  // what the peer sends next
  tcp::SequenceNumber ours;                  // what we have acknowledged to the machine
  std::uint16_t window = 65535;
  bool with_timestamps = false;
  std::uint32_t timestamp = 1000, echo = 0;

  // Takes the oldest segment the machine wants sent; fails the test if there is none.
  Seg expect();
  std::optional<Seg> take();
  void expect_nothing();
  void expect_nothing_but_acks();
  // A segment from the peer with its present numbers.
  Seg make(tcp::Flags flags, const std::string& text = "") const;
  DropReason send(const Seg& segment);
  DropReason send(tcp::Flags flags, const std::string& text = "");  // and moves peer_next on
  void run_until(Instant end);
  void run_for(Duration duration) { run_until(now + duration); }

  tcp::ListenerId listen(const tcp::Settings& settings, std::uint32_t backlog = 8);
  tcp::ListenerId listen() { return listen(host.tcp.default_settings()); }
  // ESTABLISHED by a passive open; the connection is accepted.
  tcp::ConnectionId accept_one(const tcp::Options& options = {},
                               std::optional<tcp::Settings> settings = {});
  // ESTABLISHED by an active open.
  tcp::ConnectionId connect_one(const tcp::Options& options = {},
                                std::optional<tcp::Settings> settings = {});
  tcp::ConnectionId open(std::optional<tcp::Settings> settings = {});  // SYN-SENT
  // A connection in any state but CLOSED and LISTEN.
  tcp::ConnectionId reach(tcp::State state);
  std::string read(tcp::ConnectionId connection);
};

}  // namespace lanyard::test
