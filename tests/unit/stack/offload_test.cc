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

// A connection from `from` to a port at `to`, an address of `node`.
struct Conversation {
  Result<tcp::ConnectionId> client, server;
};
Conversation connect(Yard& yard, std::size_t from, std::size_t node, const IpAddress& to,
                     Port port) {
  tcp::Tcp& server = yard.stacks[node]->tcp();
  tcp::Tcp& client = yard.stacks[from]->tcp();
  transport::BindRequest request;
  request.local = {IpAddress::any(to.family()), port, 0};
  const auto listener = server.listen(*server.bind(request), 8, server.default_settings(), 1);
  tcp::Open open;
  open.remote = {to, port, 0};
  open.settings = client.default_settings();
  const auto connection = client.connect(yard.now, open);
  yard.stacks[from]->flush(yard.now);
  yard.run_for(100_ms);
  return {connection, server.accept(yard.now, *listener, 2)};
}

// Sends `data` from a client to a server at `to` and returns what arrived.
std::vector<std::uint8_t> transfer(Yard& yard, std::size_t from, std::size_t node,
                                   const IpAddress& to, const std::vector<std::uint8_t>& data) {
  tcp::Tcp& server = yard.stacks[node]->tcp();
  tcp::Tcp& client = yard.stacks[from]->tcp();
  const auto [connection, accepted] = connect(yard, from, node, to, 80);
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
  // a - r - b: the first link as `near`, the second one that takes frames only, as large as r's end
  // `out` lets them be. b is 10.0.2.2 and 2001:db8:2::2.
  struct Through {
    std::size_t a, r, b;
    End out;
  };
  Through through_router(const InterfaceConfig& near, std::uint32_t mtu) {
    Through made{yard.add("a"), yard.add("r", true), yard.add("b"), {}};
    yard.wire(yard.plug(made.a, {"10.0.1.2/24", "2001:db8:1::2/64"}, near),
              yard.plug(made.r, {"10.0.1.1/24", "2001:db8:1::1/64"}, near));
    made.out = yard.plug(made.r, {"10.0.2.1/24", "2001:db8:2::1/64"}, Yard::quiet(mtu));
    yard.wire(made.out, yard.plug(made.b, {"10.0.2.2/24", "2001:db8:2::2/64"}, Yard::quiet()));
    yard.route(made.a, "0.0.0.0/0", "10.0.1.1");
    yard.route(made.a, "::/0", "2001:db8:1::1");
    yard.route(made.b, "0.0.0.0/0", "10.0.2.1");
    yard.route(made.b, "::/0", "2001:db8:2::1");
    return made;
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
  const auto [a, r, b, out] = through_router(able(), 1500);
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
  const auto [a, r, b, out] = through_router(Yard::quiet(), 1300);
  const auto data = pattern(300'000);
  EXPECT_EQ(transfer(yard, a, b, pick("10.0.2.2", "2001:db8:2::2"), data), data);
  for (const Seen& frame : yard.seen) {
    if (frame.from == out) {
      ASSERT_LE(frame.bytes.size(), 1314u);
    }
  }
}

// RFC 8201 5.2: whoever uses the path is told, not only the connection whose packet did not fit.
TEST_P(Offload, ANarrowPathThatOneConnectionFindsIsKnownToTheOthers) {
  const auto [a, r, b, out] = through_router(Yard::quiet(), 1300);
  const IpAddress to = pick("10.0.2.2", "2001:db8:2::2");
  const auto other = connect(yard, a, b, to, 81);
  ASSERT_TRUE(other.client && other.server);
  EXPECT_EQ(transfer(yard, a, b, to, pattern(20'000)), pattern(20'000));
  EXPECT_GT(yard.drops(r, DropReason::needs_fragmentation), 0u);
  const auto refused = yard.drops(a, DropReason::needs_fragmentation);
  tcp::Tcp& client = yard.stacks[a]->tcp();
  EXPECT_TRUE(client.send(yard.now, *other.client, pattern(20'000)));
  yard.stacks[a]->flush(yard.now);
  yard.run_for(1_s);
  EXPECT_EQ(yard.stacks[b]->tcp().readable_bytes(*other.server), 20'000u);
  EXPECT_EQ(yard.drops(a, DropReason::needs_fragmentation), refused);
}

// What is on its way was sent before; nothing is refused, and nothing sent twice.
TEST_P(Offload, ALinkThatBecomesNarrowerGetsSmallerSegmentsFromThenOn) {
  const auto a = yard.add("a");
  const auto b = yard.add("b");
  const End out = yard.plug(a, {"10.0.1.2/24", "2001:db8:1::2/64"}, Yard::quiet());
  yard.wire(out, yard.plug(b, {"10.0.1.1/24", "2001:db8:1::1/64"}, Yard::quiet()));
  std::size_t frames = 0, bytes = 0, longest_after = 0;
  yard.loses = [&](const Seen& frame) {
    if (frame.from != out) return false;
    if (++frames == 100) yard.stacks[a]->set_mtu(out.interface, 1300);
    if (frames > 100 + 64) longest_after = std::max(longest_after, frame.bytes.size());
    bytes += frame.bytes.size();
    return false;
  };
  const auto data = pattern(300'000);
  EXPECT_EQ(transfer(yard, a, b, pick("10.0.1.1", "2001:db8:1::1"), data), data);
  EXPECT_EQ(longest_after, 1314u);
  EXPECT_EQ(yard.drops(a, DropReason::needs_fragmentation), 0u);
  EXPECT_LT(bytes, data.size() + (frames + 1) * std::size_t{100});
}

INSTANTIATE_TEST_SUITE_P(Families, Offload, ::testing::Values(Family::ipv4, Family::ipv6),
                         [](const auto& each) {
                           return each.param == Family::ipv4 ? "IPv4" : "IPv6";
                         });

}  // namespace
}  // namespace lanyard::stack::test
