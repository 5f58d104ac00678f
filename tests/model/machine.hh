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

struct Seen {  // a segment the stack sent
  std::uint8_t flags = 0;
  std::uint32_t seq = 0, ack = 0, window = 0, length = 0;
};

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
  Machine(State state, std::uint32_t isn, bool has_data_in_flight);
  ~Machine();

  std::vector<Seen> arrives(const Segment& segment);
  // The state of the conversation with the peer; closed also stands for "only the listener is
  // left".
  [[nodiscard]] State state() const;
  [[nodiscard]] std::size_t readable() const;
  [[nodiscard]] const Block& block() const { return block_; }

 private:
  void reach(State state, bool has_data_in_flight);
  void establish();
  void send_ack();
  std::vector<Seen> take();
  lanyard::internet::Outbox out_;
  OnePath path_;
  std::unique_ptr<lanyard::tcp::Tcp> tcp_;
  lanyard::tcp::ConnectionId connection_ = lanyard::tcp::ConnectionId::none;
  lanyard::tcp::ListenerId listener_ = lanyard::tcp::ListenerId::none;
  lanyard::Instant now_ = lanyard::Instant::at_ns(1'000'000'000);
  lanyard::Port peer_port_ = 5000, own_port_ = 80;
  std::uint32_t peer_nxt_ = 0;
  Block block_;
};

}  // namespace model
