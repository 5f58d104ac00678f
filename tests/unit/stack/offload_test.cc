// SPDX-License-Identifier: Apache-2.0
// TCP over links that compute checksums and cut super-segments, over loopback, and from such a link
// through a router onto one that takes neither.
#include <gtest/gtest.h>

#include "transport/tcp/tcp.hh"
#include "yard.hh"

namespace lanyard::stack::test {
namespace {

InterfaceConfig able() {
  InterfaceConfig config = Yard::quiet();
  config.takes_checksums = true;
  config.super_segment_bytes_max = 65535;
  return config;
}

// Sends `bytes` from a client to a server at `to` and returns what arrived.
std::vector<std::uint8_t> transfer(Yard& yard, std::size_t from, std::size_t node,
                                   const IpAddress& to, const std::vector<std::uint8_t>& data) {
  tcp::Tcp& server = yard.stacks[node]->tcp();
  tcp::Tcp& client = yard.stacks[from]->tcp();
  transport::BindRequest request;
  request.local = {IpAddress::any(to.family()), 80, 0};
  const auto listener = server.listen(*server.bind(request), 8, server.default_settings(), 1);
  tcp::Open open;
  open.remote = {to, 80, 0};
  open.settings = client.default_settings();
  const auto connection = client.connect(yard.now, open);
  yard.stacks[from]->flush(yard.now);
  yard.run_for(100_ms);
  const auto accepted = server.accept(yard.now, *listener, 2);
  if (!connection || !accepted) return {};
  std::vector<std::uint8_t> got;
  std::vector<std::uint8_t> buffer(65536);
  std::size_t sent = 0;
  for (int round = 0; round < 2000 && got.size() < data.size(); ++round) {
    while (sent < data.size()) {
      const auto n = client.send(yard.now, *connection, Bytes(data).subspan(sent));
      if (!n) break;
      sent += *n;
    }
    yard.stacks[from]->flush(yard.now);
    yard.run_for(5_ms);
    while (const auto n = server.receive(yard.now, *accepted, buffer)) {
      if (*n == 0) break;
      got.insert(got.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(*n));
    }
    yard.stacks[node]->flush(yard.now);
  }
  return got;
}

std::vector<std::uint8_t> pattern(std::size_t size) {
  std::vector<std::uint8_t> data(size);
  for (std::size_t i = 0; i < size; ++i) data[i] = static_cast<std::uint8_t>(i * 31 + i / 251);
  return data;
}

class Offload : public ::testing::TestWithParam<Family> {
 protected:
  static IpAddress pick(std::string_view v4, std::string_view v6) {
    return ip(GetParam() == Family::ipv4 ? v4 : v6);
  }
  Yard yard;
};

TEST_P(Offload, LoopbackCarriesAStreamAndNothingLeaves) {
  const auto host = yard.add("host");
  yard.plug(host, {"10.0.0.1/24", "2001:db8::1/64"}, Yard::quiet());
  const auto data = pattern(5'000'000);
  EXPECT_EQ(transfer(yard, host, host, pick("127.0.0.1", "::1"), data), data);
  EXPECT_TRUE(yard.seen.empty());
}

TEST_P(Offload, SuperSegmentsWithUnfinishedChecksumsArrive) {
  const auto a = yard.add("a");
  const auto b = yard.add("b");
  yard.wire(yard.plug(a, {"10.0.0.1/24", "2001:db8::1/64"}, able()),
            yard.plug(b, {"10.0.0.2/24", "2001:db8::2/64"}, able()));
  const auto data = pattern(3'000'000);
  EXPECT_EQ(transfer(yard, a, b, pick("10.0.0.2", "2001:db8::2"), data), data);
  const auto longest = std::max_element(
      yard.seen.begin(), yard.seen.end(),
      [](const Seen& x, const Seen& y) { return x.bytes.size() < y.bytes.size(); });
  EXPECT_GT(longest->bytes.size(), 10'000u);
}

TEST_P(Offload, RouterCutsThemForALinkThatTakesFramesOnly) {
  const auto a = yard.add("a");
  const auto r = yard.add("r", true);
  const auto b = yard.add("b");
  yard.wire(yard.plug(a, {"10.0.1.2/24", "2001:db8:1::2/64"}, able()),
            yard.plug(r, {"10.0.1.1/24", "2001:db8:1::1/64"}, able()));
  const End out = yard.plug(r, {"10.0.2.1/24", "2001:db8:2::1/64"}, Yard::quiet());
  yard.wire(out, yard.plug(b, {"10.0.2.2/24", "2001:db8:2::2/64"}, Yard::quiet()));
  yard.route(a, "0.0.0.0/0", "10.0.1.1");
  yard.route(a, "::/0", "2001:db8:1::1");
  yard.route(b, "0.0.0.0/0", "10.0.2.1");
  yard.route(b, "::/0", "2001:db8:2::1");
  const auto data = pattern(1'000'000);
  EXPECT_EQ(transfer(yard, a, b, pick("10.0.2.2", "2001:db8:2::2"), data), data);
  for (const Seen& frame : yard.seen) {
    if (frame.from == out) {
      ASSERT_LE(frame.bytes.size(), 1514u);
    }
  }
}

TEST_P(Offload, NarrowLinkInTheMiddleIsFoundByPathMtuDiscovery) {
  // RFC 1191, RFC 8201 4 [RFC8201-4-b], RFC 1812 5.2.5 [RFC1812-5.2.5-a]
  const auto a = yard.add("a");
  const auto r = yard.add("r", true);
  const auto b = yard.add("b");
  yard.wire(yard.plug(a, {"10.0.1.2/24", "2001:db8:1::2/64"}, Yard::quiet()),
            yard.plug(r, {"10.0.1.1/24", "2001:db8:1::1/64"}, Yard::quiet()));
  const End out = yard.plug(r, {"10.0.2.1/24", "2001:db8:2::1/64"}, Yard::quiet(1300));
  yard.wire(out, yard.plug(b, {"10.0.2.2/24", "2001:db8:2::2/64"}, Yard::quiet(1500)));
  yard.route(a, "0.0.0.0/0", "10.0.1.1");
  yard.route(a, "::/0", "2001:db8:1::1");
  yard.route(b, "0.0.0.0/0", "10.0.2.1");
  yard.route(b, "::/0", "2001:db8:2::1");
  const auto data = pattern(300'000);
  EXPECT_EQ(transfer(yard, a, b, pick("10.0.2.2", "2001:db8:2::2"), data), data);
  for (const Seen& frame : yard.seen) {
    if (frame.from == out) {
      ASSERT_LE(frame.bytes.size(), 1314u);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Families, Offload, ::testing::Values(Family::ipv4, Family::ipv6),
                         [](const auto& each) {
                           return each.param == Family::ipv4 ? "IPv4" : "IPv6";
                         });

}  // namespace
}  // namespace lanyard::stack::test
