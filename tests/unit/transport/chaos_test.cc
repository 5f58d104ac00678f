// SPDX-License-Identifier: Apache-2.0
// Any sequence of calls, segments, ICMP errors and time: nothing breaks, and in the end nothing is
// left behind.
#include <gtest/gtest.h>

#include "peer.hh"

namespace lanyard::test {

namespace {

class Chaos {
 public:
  explicit Chaos(std::uint64_t seed) : dice_(Seed(seed).branch("chaos").stream()) {
    s_.host.paths.super_segment_bytes_max = dice_.below(2) == 0 ? 0 : 65536;
    listener_ = s_.listen(s_.host.tcp.default_settings(), 3);
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) step();
    s_.host.tcp.close(s_.now, listener_);
    for (const auto id : connections_) s_.host.tcp.abort(s_.now, id);
    s_.host.out.clear();
    s_.run_for(3000_s);  // orphans give up within the time of their retries
    for (const tcp::Row& row : s_.host.tcp.rows())
      ADD_FAILURE() << "left: " << to_text(row.state) << " " << row.send_queue;
    EXPECT_EQ(s_.host.tcp.next_deadline(), Instant::never());
  }

 private:
  std::uint32_t near(std::uint32_t value) {
    static constexpr std::array<std::uint32_t, 9> off{0, 0,    0,      1,           0xffff'ffffU,
                                                      3, 1000, 70'000, 0x8000'0000U};
    return value + off[dice_.below(off.size())];
  }

  // The peer answers what it saw last, more or less.
  void segment() {
    Seg seg = s_.make(tcp::Flags{static_cast<std::uint8_t>(dice_.below(64))});
    if (dice_.below(2) == 0) seg.header.flags = tcp::flags::ack;
    if (!seen_.empty() && dice_.below(10) != 0) {
      const Seg& last = seen_[dice_.below(seen_.size())];
      seg.header.source_port = last.header.destination_port;
      seg.header.destination_port = last.header.source_port;
      const auto length = static_cast<std::uint32_t>(last.text.size()) + last.header.flags.syn() +
                          last.header.flags.fin();
      seg.header.sequence = tcp::SequenceNumber(near(last.header.acknowledgment.value()));
      seg.header.acknowledgment = tcp::SequenceNumber(near(last.header.sequence.value() + length));
      if (last.header.flags.syn() && dice_.below(2) == 0)
        seg.header.flags =
            last.header.flags.ack() ? tcp::flags::ack : tcp::flags::syn | tcp::flags::ack;
    } else {
      seg.header.source_port = static_cast<Port>(5000 + dice_.below(4));
      seg.header.destination_port = 80;
      seg.header.flags = tcp::flags::syn;
    }
    seg.header.window = static_cast<std::uint16_t>(dice_.below(4) == 0 ? 0 : dice_.below(65536));
    seg.header.urgent_pointer = static_cast<std::uint16_t>(dice_.below(20));
    seg.text = std::string(dice_.below(3) == 0 ? dice_.below(1400) : 0, 'x');
    tcp::Options& options = seg.header.options;
    if (seg.header.flags.syn()) {
      options.mss = static_cast<std::uint16_t>(dice_.below(3000));
      if (dice_.below(2) == 0) options.window_scale = static_cast<std::uint8_t>(dice_.below(15));
      options.sack_permitted = dice_.below(2) == 0;
    } else if (dice_.below(3) == 0) {
      options.sack_blocks = static_cast<std::uint8_t>(1 + dice_.below(3));
      for (tcp::SackBlock& block : options.sack) {
        block.left = seg.header.acknowledgment + near(1448);
        block.right = block.left + static_cast<std::uint32_t>(dice_.below(4000));
      }
    }
    (void)s_.host.tcp.on_segment(s_.now, make_segment(seg), dice_.below(4) == 0);
  }

  void icmp() {
    if (seen_.empty()) return;
    const Seg& about = seen_[dice_.below(seen_.size())];
    std::vector<std::uint8_t> quoted(about.header.size());
    about.header.write(quoted.data());
    internet::IcmpError error;
    error.kind = static_cast<internet::IcmpError::Kind>(dice_.below(11));
    error.source = about.source;
    error.destination = about.destination;
    error.quoted = quoted;
    s_.host.paths.mtu = static_cast<std::uint32_t>(68 + dice_.below(1500));
    s_.host.tcp.on_icmp_error(s_.now, error);
  }

  void call() {
    tcp::Tcp& tcp = s_.host.tcp;
    if (connections_.empty() || dice_.below(8) == 0) {
      tcp::Open open;
      open.remote = {s_.peer, static_cast<Port>(6000 + dice_.below(3)), 0};
      open.settings = tcp.default_settings();
      if (const auto id = tcp.connect(s_.now, open)) connections_.push_back(*id);
      if (const auto id = tcp.accept(s_.now, listener_, 0)) connections_.push_back(*id);
      return;
    }
    const std::size_t index = dice_.below(connections_.size());
    const tcp::ConnectionId id = connections_[index];
    std::vector<std::uint8_t> bytes(dice_.below(20'000));
    switch (dice_.below(7)) {
      case 0:
      case 1:
        (void)tcp.send(s_.now, id, bytes,
                       {.urgent = dice_.below(8) == 0, .more = dice_.below(8) == 0});
        return;
      case 2:
        (void)tcp.receive(s_.now, id, bytes,
                          {.peek = dice_.below(4) == 0, .urgent = dice_.below(4) == 0});
        return;
      case 3:
        if (dice_.below(4) == 0) (void)tcp.shutdown_write(s_.now, id);
        return;
      case 4: {
        tcp::Settings settings = tcp.settings(id);
        settings.cork = dice_.below(4) == 0;
        settings.no_delay = dice_.below(2) == 0;
        settings.keep_alive = dice_.below(2) == 0;
        settings.keep_alive_idle = 1_s;
        settings.receive_buffer_bytes = static_cast<std::uint32_t>(1 + dice_.below(100'000));
        settings.mss_max = static_cast<std::uint16_t>(dice_.below(3) == 0 ? dice_.below(2000) : 0);
        return tcp.set(s_.now, id, settings);
      }
      case 5:
        (void)tcp.info(s_.now, id);
        (void)tcp.take_error(id);
        return;
      default:
        if (dice_.below(4) != 0) return;
        connections_.erase(connections_.begin() + static_cast<std::ptrdiff_t>(index));
        return dice_.below(2) == 0 ? tcp.close(s_.now, id) : tcp.abort(s_.now, id);
    }
  }

  void step() {
    switch (dice_.below(8)) {
      case 0:
      case 1:
      case 2:
      case 3:
        segment();
        break;
      case 4:
        if (dice_.below(4) == 0) icmp();
        break;
      case 5:
        s_.run_for(Duration::milliseconds(static_cast<std::int64_t>(dice_.below(3000))));
        break;
      default:
        call();
    }
    while (const auto out = s_.take()) {
      if (seen_.size() >= 32) seen_.erase(seen_.begin());
      seen_.push_back(*out);
    }
  }

  Scripted s_;
  RandomStream dice_;
  tcp::ListenerId listener_{};
  std::vector<tcp::ConnectionId> connections_;
  std::vector<Seg> seen_;
};

}  // namespace

TEST(TcpChaos, AnySequenceOfCallsSegmentsAndTimeEndsWithNothingLeft) {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Chaos(seed).run(600);
  }
}

}  // namespace lanyard::test
