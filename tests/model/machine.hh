// SPDX-License-Identifier: Apache-2.0
// One Tcp of the stack, brought into each state by hand-made segments, for comparison with the
// model. Segments are built and read here byte by byte, so that a mistake in the stack's own reader
// or writer shows.
#pragma once

#include <memory>
#include <optional>

#include "model.hh"
#include "transport/tcp/tcp.hh"

namespace model {

class OnePath final : public lanyard::internet::Paths {
 public:
  lanyard::Result<lanyard::internet::Path> find(const lanyard::IpAddress& destination,
                                                const lanyard::IpAddress& source,
                                                std::uint32_t interface) const override;
  bool is_own_address(const lanyard::IpAddress& address, std::uint32_t interface) const override;
  bool is_broadcast(const lanyard::IpAddress&) const override { return false; }
  void confirm_reachable(lanyard::Instant, const lanyard::IpAddress&) override {}
};

class Machine {
 public:
  // `isn`: the peer's initial sequence number; results must not depend on it.
  Machine(State state, std::uint32_t isn, bool has_data_in_flight, bool has_timestamps = false);
  ~Machine();

  std::vector<Seen> arrives(const Segment& segment);
  // The same in two steps, for who wants to spoil it in between; `sum` mends the checksum.
  [[nodiscard]] std::vector<std::uint8_t> bytes_of(const Segment& segment) const;
  static void sum(std::vector<std::uint8_t>& bytes);
  std::vector<Seen> arrive(const std::vector<std::uint8_t>& bytes);
  // The program's calls; each says whether it succeeded (receive: how much it got), and what was
  // sent is in `sent`.
  bool send(std::size_t bytes, std::vector<Seen>& sent);
  std::size_t receive(std::vector<Seen>& sent);
  bool shutdown(std::vector<Seen>& sent);
  std::vector<Seen> wait(lanyard::Duration duration);
  // The state of the conversation with the peer; closed also stands for "only the listener is
  // left".
  [[nodiscard]] State state() const;
  [[nodiscard]] std::size_t readable() const;
  [[nodiscard]] const Block& block() const { return block_; }
  // TS.Recent and what the peer's clock stands at (RFC 7323).
  [[nodiscard]] std::uint32_t peer_clock() const { return peer_clock_; }

 private:
  void reach(State state, bool has_data_in_flight);
  void establish();
  void hand(Segment segment);
  void send_ack();
  void accept();
  std::vector<Seen> take();
  lanyard::internet::Outbox out_;
  OnePath path_;
  std::unique_ptr<lanyard::tcp::Tcp> tcp_;
  lanyard::tcp::ConnectionId connection_ = lanyard::tcp::ConnectionId::none;
  lanyard::tcp::ListenerId listener_ = lanyard::tcp::ListenerId::none;
  lanyard::Instant now_ = lanyard::Instant::at_ns(1'000'000'000);
  lanyard::Port peer_port_ = 5000, own_port_ = 80;
  std::uint32_t peer_nxt_ = 0;
  bool has_timestamps_ = false;
  std::uint32_t peer_clock_ = 70000, echo_ = 0;
  Block block_;
};

}  // namespace model
