// SPDX-License-Identifier: Apache-2.0
#include "peer.hh"

#include <gtest/gtest.h>

namespace lanyard::test {

using tcp::State;
namespace flags = tcp::flags;

Scripted::Scripted(const transport::Config& config) : host(IpAddress::v4(10, 0, 0, 1), 5, config) {}

std::optional<Seg> Scripted::take() {
  if (host.out.empty()) return std::nullopt;
  Seg segment = read_segment(host.out.front());
  host.out.erase(host.out.begin());
  if (segment.header.options.timestamps) echo = segment.header.options.timestamps->value;
  return segment;
}

Seg Scripted::expect() {
  auto segment = take();
  EXPECT_TRUE(segment.has_value()) << "nothing was sent";
  return segment.value_or(Seg{});
}

void Scripted::expect_nothing() {
  EXPECT_TRUE(host.out.empty()) << describe(read_segment(host.out.front()));
  host.out.clear();
}

void Scripted::expect_nothing_but_acks() {
  while (const auto segment = take())
    EXPECT_FALSE(segment->header.flags.rst()) << describe(*segment);
}

Seg Scripted::make(tcp::Flags bits, const std::string& text) const {
  Seg segment;
  segment.source = peer;
  segment.destination = host.address;
  segment.header.source_port = peer_port;
  segment.header.destination_port = port;
  segment.header.sequence = peer_next;
  segment.header.acknowledgment = bits.ack() ? ours : tcp::SequenceNumber(0);
  segment.header.flags = bits;
  segment.header.window = window;
  if (with_timestamps)
    segment.header.options.timestamps = tcp::Timestamps{.value = timestamp, .echo = echo};
  segment.text = text;
  return segment;
}

DropReason Scripted::send(const Seg& segment) {
  return host.tcp.on_segment(now, make_segment(segment));
}

DropReason Scripted::send(tcp::Flags bits, const std::string& text) {
  const Seg segment = make(bits, text);
  peer_next += static_cast<std::uint32_t>(text.size()) + bits.syn() + bits.fin();
  return send(segment);
}

void Scripted::run_until(Instant end) {
  while (host.tcp.next_deadline() <= end) {
    now = std::max(now, host.tcp.next_deadline());
    host.tcp.poll(now);
  }
  now = end;
}

tcp::ListenerId Scripted::listen(const tcp::Settings& settings, std::uint32_t backlog) {
  const auto binding = host.tcp.bind({.local = {IpAddress::any(Family::ipv4), port, 0}});
  EXPECT_TRUE(binding.has_value());
  return *host.tcp.listen(*binding, backlog, settings, 7);
}

tcp::ConnectionId Scripted::accept_one(const tcp::Options& options,
                                       std::optional<tcp::Settings> settings) {
  const auto listener = listen(settings.value_or(host.tcp.default_settings()));
  Seg syn = make(flags::syn);
  syn.header.options = options;
  if (options.timestamps) with_timestamps = true;
  ++peer_next;
  send(syn);
  const Seg syn_ack = expect();
  EXPECT_EQ(syn_ack.header.flags, flags::syn | flags::ack);
  ours = syn_ack.header.sequence + 1;
  send(flags::ack);
  const auto connection = host.tcp.accept(now, listener, 8);
  EXPECT_TRUE(connection.has_value());
  return connection.value_or(tcp::ConnectionId::none);
}

tcp::ConnectionId Scripted::open(std::optional<tcp::Settings> settings) {
  tcp::Open request;
  request.remote = {peer, peer_port, 0};
  request.settings = settings.value_or(host.tcp.default_settings());
  const auto connection = host.tcp.connect(now, request);
  EXPECT_TRUE(connection.has_value());
  port = host.tcp.local(*connection).port;
  return *connection;
}

tcp::ConnectionId Scripted::connect_one(const tcp::Options& options,
                                        std::optional<tcp::Settings> settings) {
  const auto connection = open(settings);
  const Seg syn = expect();
  EXPECT_EQ(syn.header.flags, flags::syn);
  ours = syn.header.sequence + 1;
  Seg syn_ack = make(flags::syn | flags::ack);
  syn_ack.header.options = options;
  if (options.timestamps) with_timestamps = true;
  ++peer_next;
  send(syn_ack);
  EXPECT_EQ(expect().header.flags, flags::ack);
  EXPECT_EQ(host.tcp.state(connection), State::established);
  return connection;
}

tcp::ConnectionId Scripted::reach(State state) {
  if (state == State::syn_sent || state == State::syn_received) {
    const auto connection = open();
    ours = expect().header.sequence + 1;
    if (state == State::syn_received) {
      send(flags::syn);
      EXPECT_EQ(expect().header.flags, flags::syn | flags::ack);
    }
    return connection;
  }
  const auto connection = connect_one();
  if (state == State::established) return connection;
  if (state == State::close_wait || state == State::last_ack) {
    send(flags::fin | flags::ack);
    (void)expect();
    if (state == State::close_wait) return connection;
  }
  EXPECT_TRUE(host.tcp.shutdown_write(now, connection));
  const Seg fin = expect();
  EXPECT_TRUE(fin.header.flags.fin());
  if (state == State::fin_wait_1 || state == State::last_ack) return connection;
  if (state == State::closing) {
    send(flags::fin | flags::ack);
    (void)expect();
    return connection;
  }
  ours = fin.header.sequence + 1;
  send(flags::ack);
  if (state == State::time_wait) {
    send(flags::fin | flags::ack);
    (void)expect();
  }
  EXPECT_EQ(host.tcp.state(connection), state);
  return connection;
}

std::string Scripted::read(tcp::ConnectionId connection) {
  std::string text;
  std::vector<std::uint8_t> buffer(65536);
  while (true) {
    const auto size = host.tcp.receive(now, connection, buffer);
    if (!size || *size == 0) return text;
    text += text_of(Bytes(buffer).first(*size));
  }
}

}  // namespace lanyard::test
