// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "transport/tcp/tcp.hh"
#include "transport/udp.hh"
#include "yard.hh"

namespace lanyard::stack::test {
namespace {

class Pair : public ::testing::TestWithParam<Family> {
 protected:
  Pair() {
    alice = yard.add("alice");
    r1 = yard.add("r1", true);
    bob = yard.add("bob");
    const End a = yard.plug(alice, {"10.0.1.2/24", "2001:db8:1::2/64"}, Yard::quiet());
    const End ra = yard.plug(r1, {"10.0.1.1/24", "2001:db8:1::1/64"}, Yard::quiet());
    const End rb = yard.plug(r1, {"10.0.2.1/24", "2001:db8:2::1/64"}, Yard::quiet());
    const End b = yard.plug(bob, {"10.0.2.2/24", "2001:db8:2::2/64"}, Yard::quiet());
    yard.wire(a, ra);
    yard.wire(rb, b);
    yard.route(alice, "0.0.0.0/0", "10.0.1.1");
    yard.route(alice, "::/0", "2001:db8:1::1");
    yard.route(bob, "0.0.0.0/0", "10.0.2.1");
    yard.route(bob, "::/0", "2001:db8:2::1");
    bob_address = GetParam() == Family::ipv4 ? ip("10.0.2.2") : ip("2001:db8:2::2");
  }
  Yard yard;
  std::size_t alice, r1, bob;
  IpAddress bob_address;
};

TEST_P(Pair, UdpDatagramGoesThereAndBack) {
  udp::Udp& server = yard.stacks[bob]->udp();
  const auto listening = server.open(GetParam(), 1);
  transport::BindRequest request;
  request.local = {IpAddress::any(GetParam()), 7, 0};
  ASSERT_TRUE(server.bind(listening, request));
  udp::Udp& client = yard.stacks[alice]->udp();
  const auto asking = client.open(GetParam(), 1);
  udp::SendFacts facts;
  facts.remote = {bob_address, 7, 0};
  ASSERT_TRUE(client.send(yard.now, asking, bytes_of("hello"), facts));
  yard.stacks[alice]->flush(yard.now);
  yard.run_for(1_s);
  std::array<std::uint8_t, 64> buffer;
  const auto received = server.receive(listening, buffer);
  ASSERT_TRUE(received);
  EXPECT_EQ(text_of(Bytes(buffer).first(received->bytes)), "hello");
  facts.remote = received->remote;
  ASSERT_TRUE(server.send(yard.now, listening, bytes_of("hello to you"), facts));
  yard.stacks[bob]->flush(yard.now);
  yard.run_for(1_s);
  const auto answer = client.receive(asking, buffer);
  ASSERT_TRUE(answer);
  EXPECT_EQ(text_of(Bytes(buffer).first(answer->bytes)), "hello to you");
  EXPECT_EQ(answer->remote.address, bob_address);
}

TEST_P(Pair, ClosedUdpPortIsConnectionRefused) {
  // [RFC1122-4.1.3.1-a], [RFC1122-4.1.3.3-a], RFC 4443 3.1 [RFC4443-3.1-a]
  udp::Udp& client = yard.stacks[alice]->udp();
  const auto asking = client.open(GetParam(), 1);
  ASSERT_TRUE(client.connect(asking, {bob_address, 9, 0}));
  ASSERT_TRUE(client.send(yard.now, asking, bytes_of("anybody?")));
  yard.stacks[alice]->flush(yard.now);
  yard.run_for(1_s);
  EXPECT_EQ(client.take_error(asking), Errno::connection_refused);
}

TEST_P(Pair, LargeUdpDatagramTravelsInFragments) {
  udp::Udp& server = yard.stacks[bob]->udp();
  const auto listening = server.open(GetParam(), 1);
  transport::BindRequest request;
  request.local = {IpAddress::any(GetParam()), 7, 0};
  ASSERT_TRUE(server.bind(listening, request));
  udp::Udp& client = yard.stacks[alice]->udp();
  const auto asking = client.open(GetParam(), 1);
  std::vector<std::uint8_t> large(20'000);
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<std::uint8_t>(i * 7);
  udp::SendFacts facts;
  facts.remote = {bob_address, 7, 0};
  ASSERT_TRUE(client.send(yard.now, asking, large, facts));
  yard.stacks[alice]->flush(yard.now);
  yard.run_for(1_s);
  std::vector<std::uint8_t> buffer(30'000);
  const auto received = server.receive(listening, buffer);
  ASSERT_TRUE(received);
  buffer.resize(received->bytes);
  EXPECT_EQ(buffer, large);
}

TEST_P(Pair, TcpConnectionCarriesAMegabyteAndCloses) {
  tcp::Tcp& server = yard.stacks[bob]->tcp();
  tcp::Tcp& client = yard.stacks[alice]->tcp();
  transport::BindRequest request;
  request.local = {IpAddress::any(GetParam()), 80, 0};
  const auto binding = server.bind(request);
  ASSERT_TRUE(binding);
  const auto listener = server.listen(*binding, 8, server.default_settings(), 1);
  ASSERT_TRUE(listener);
  tcp::Open open;
  open.remote = {bob_address, 80, 0};
  open.settings = client.default_settings();
  const auto connection = client.connect(yard.now, open);
  ASSERT_TRUE(connection);
  yard.stacks[alice]->flush(yard.now);
  yard.run_for(1_s);
  const auto accepted = server.accept(yard.now, *listener, 2);
  ASSERT_TRUE(accepted);
  std::vector<std::uint8_t> data(1'000'000);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::uint8_t>(i % 251);
  std::vector<std::uint8_t> got;
  std::size_t sent = 0;
  std::vector<std::uint8_t> buffer(65536);
  for (int round = 0; round < 2000 && got.size() < data.size(); ++round) {
    if (sent < data.size()) {
      const auto n = client.send(yard.now, *connection, Bytes(data).subspan(sent));
      if (n) sent += *n;
      yard.stacks[alice]->flush(yard.now);
    }
    yard.run_for(5_ms);
    while (const auto n = server.receive(yard.now, *accepted, buffer)) {
      if (*n == 0) break;
      got.insert(got.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(*n));
    }
    yard.stacks[bob]->flush(yard.now);
  }
  EXPECT_EQ(got, data);
  client.close(yard.now, *connection);
  yard.stacks[alice]->flush(yard.now);
  yard.run_for(1_s);
  const auto end = server.receive(yard.now, *accepted, buffer);
  ASSERT_TRUE(end);
  EXPECT_EQ(*end, 0u);
}

INSTANTIATE_TEST_SUITE_P(Families, Pair, ::testing::Values(Family::ipv4, Family::ipv6),
                         [](const auto& each) {
                           return each.param == Family::ipv4 ? "IPv4" : "IPv6";
                         });

}  // namespace
}  // namespace lanyard::stack::test
