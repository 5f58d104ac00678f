// SPDX-License-Identifier: Apache-2.0
#include "harness.hh"

#include <gtest/gtest.h>

#include "core/random.hh"
#include "wire/protocol.hh"

namespace lanyard::test {

Result<internet::Path> FakePaths::find(const IpAddress& destination, const IpAddress& source,
                                       std::uint32_t interface) const {
  if (failure) return unexpected(*failure);
  internet::Path path;
  path.source = source;
  if (source.is_unspecified()) {
    for (const IpAddress& address : own)
      if (address.family() == destination.family()) path.source = address;
  } else if (!own.contains(source)) {
    return unexpected(Errno::address_not_available);
  }
  path.interface = interface == 0 ? 2 : interface;
  path.mtu = mtu;
  if (const auto known = path_mtus.find(destination); known != path_mtus.end())
    path.mtu = known->second;
  path.is_local = own.contains(destination);
  path.is_broadcast = is_broadcast(destination);
  path.takes_checksums = takes_checksums;
  path.super_segment_bytes_max = super_segment_bytes_max;
  return path;
}

bool FakePaths::is_own_address(const IpAddress& address, std::uint32_t) const {
  return own.contains(address);
}

bool FakePaths::is_broadcast(const IpAddress& address) const {
  return address.is_limited_broadcast() || address == IpAddress::v4(10, 0, 0, 255);
}

void FakePaths::confirm_reachable(Instant, const IpAddress&) {
  ++confirmed;
}

Host::Host(const IpAddress& address_in, std::uint64_t seed, const transport::Config& config_in)
    : config(config_in), tcp(config, Seed(seed), paths, &trace, 0, out), address(address_in) {
  paths.own.insert(address);
}

Seg read_segment(const internet::Datagram& datagram) {
  Packet copy = datagram.packet.share();
  finish_checksum(copy);
  const Bytes bytes = copy.linear();
  const auto view = tcp::View::parse(bytes);
  EXPECT_TRUE(view.has_value());
  EXPECT_EQ(transport_checksum({datagram.source, datagram.destination, protocol::tcp}, bytes), 0);
  Seg segment;
  segment.header.source_port = view->source_port();
  segment.header.destination_port = view->destination_port();
  segment.header.sequence = view->sequence();
  segment.header.acknowledgment = view->acknowledgment();
  segment.header.flags = view->flags();
  segment.header.window = view->window();
  segment.header.urgent_pointer = view->urgent_pointer();
  segment.header.options = view->options();
  segment.text = std::string(text_of(view->payload()));
  segment.source = datagram.source;
  segment.destination = datagram.destination;
  segment.segment_bytes = datagram.packet.offload.segment_bytes;
  return segment;
}

internet::Datagram make_segment(const Seg& segment) {
  internet::Datagram datagram;
  datagram.source = segment.source;
  datagram.destination = segment.destination;
  datagram.protocol = internet::Protocol::tcp;
  datagram.interface = 2;
  datagram.packet = Packet(128, segment.text.size());
  datagram.packet.append(bytes_of(segment.text));
  segment.header.push_onto(datagram.packet, segment.source, segment.destination);
  return datagram;
}

std::string describe(const Seg& segment) {
  return to_text(segment.header.flags) + " seq " + std::to_string(segment.header.sequence.value()) +
         " ack " + std::to_string(segment.header.acknowledgment.value()) + " len " +
         std::to_string(segment.text.size()) + " win " + std::to_string(segment.header.window);
}

Pair::Pair(const transport::Config& config, std::uint64_t seed, bool is_v6)
    : a(is_v6 ? *IpAddress::parse("fd00::1") : IpAddress::v4(10, 0, 0, 1), seed * 2, config),
      b(is_v6 ? *IpAddress::parse("fd00::2") : IpAddress::v4(10, 0, 0, 2), seed * 2 + 1, config) {
  now = Instant::start() + 1_s;
}

internet::Datagram copy_of(const internet::Datagram& datagram) {
  internet::Datagram copy;
  copy.source = datagram.source;
  copy.destination = datagram.destination;
  copy.protocol = datagram.protocol;
  copy.hop_limit = datagram.hop_limit;
  copy.traffic_class = datagram.traffic_class;
  copy.may_fragment = datagram.may_fragment;
  copy.interface = 2;
  copy.packet = datagram.packet.share();
  return copy;
}

void Pair::flush() {
  for (const bool from_a : {true, false}) {
    internet::Outbox out;
    std::swap(out, from_a ? a.out : b.out);
    for (internet::Datagram& datagram : out) {
      ++sent;
      if (tap) tap(from_a, datagram);
      const Fate what = fate ? fate(from_a, datagram) : Fate{};
      for (const Duration extra : what.copies) {
        link_.emplace(now + delay + extra, std::pair(from_a, copy_of(datagram)));
      }
    }
  }
}

Instant Pair::next_event() const {
  Instant next = std::min(a.tcp.next_deadline(), b.tcp.next_deadline());
  if (!link_.empty()) next = std::min(next, link_.begin()->first);
  return next;
}

void Pair::step(Instant at) {
  now = std::max(now, at);
  while (!link_.empty() && link_.begin()->first <= now) {
    auto [from_a, datagram] = std::move(link_.begin()->second);
    link_.erase(link_.begin());
    (from_a ? b : a).tcp.on_segment(now, std::move(datagram));
    flush();
  }
  a.tcp.poll(now);
  b.tcp.poll(now);
  flush();
}

void Pair::run_until(Instant end) {
  flush();
  for (Instant next = next_event(); next <= end; next = next_event()) step(next);
  now = std::max(now, end);
}

tcp::ListenerId Pair::listen(Port port, std::uint32_t backlog,
                             std::optional<tcp::Settings> settings) {
  const auto binding = b.tcp.bind({.local = {IpAddress::any(b.address.family()), port, 0}});
  EXPECT_TRUE(binding.has_value());
  const auto listener =
      b.tcp.listen(*binding, backlog, settings.value_or(b.tcp.default_settings()), 0);
  EXPECT_TRUE(listener.has_value());
  return *listener;
}

tcp::ConnectionId Pair::connect(Port port, std::optional<tcp::Settings> settings) {
  tcp::Open open;
  open.remote = {b.address, port, 0};
  open.settings = settings.value_or(a.tcp.default_settings());
  const auto connection = a.tcp.connect(now, open);
  EXPECT_TRUE(connection.has_value());
  return *connection;
}

Pair::Ends Pair::establish(std::optional<tcp::Settings> settings) {
  const auto listener = listen(80, 16, settings);
  Ends ends{};
  ends.a = connect(80, settings);
  run_for(delay * 4);
  const auto accepted = b.tcp.accept(now, listener, 0);
  EXPECT_TRUE(accepted.has_value());
  ends.b = accepted.value_or(tcp::ConnectionId::none);
  EXPECT_EQ(a.tcp.state(ends.a), tcp::State::established);
  EXPECT_EQ(b.tcp.state(ends.b), tcp::State::established);
  return ends;
}

std::string Pair::read_all(Host& host, tcp::ConnectionId connection) {
  std::string text;
  std::vector<std::uint8_t> buffer(65536);
  while (true) {
    const auto size = host.tcp.receive(now, connection, buffer);
    if (!size || *size == 0) return text;
    text += text_of(Bytes(buffer).first(*size));
  }
}

std::string pattern(std::size_t size, std::uint64_t seed) {
  RandomStream stream = Seed(seed).stream();
  std::string text(size, '\0');
  for (char& octet : text) octet = static_cast<char>(stream.next());
  return text;
}

Bytes as_bytes(const std::string& text) {
  return bytes_of(text);
}

}  // namespace lanyard::test
