// SPDX-License-Identifier: Apache-2.0
// UDP (RFC 768, RFC 1122 4.1): two machines hand each other their datagrams.
#include "transport/udp.hh"

#include <gtest/gtest.h>

#include <set>

#include "harness.hh"
#include "wire/protocol.hh"
#include "wire/pseudo.hh"

namespace lanyard::test {

namespace {

const IpAddress any4 = IpAddress::any(Family::ipv4), any6 = IpAddress::any(Family::ipv6);

struct Node {
  explicit Node(std::uint8_t number)
      : v4(IpAddress::v4(10, 0, 0, number)),
        v6(*IpAddress::parse("fd00::" + std::to_string(number))),
        udp(config, Seed(number), paths, out) {
    paths.own = {v4, v6};
  }
  IpAddress v4, v6;
  transport::Config config;
  FakePaths paths;
  internet::Outbox out;
  udp::Udp udp;
  Instant now;

  udp::SocketId open(const IpAddress& address, Port port) {
    const auto socket = udp.open(address.family(), 0);
    EXPECT_TRUE(udp.bind(socket, {.local = {address, port, 0}}));
    return socket;
  }
  Result<std::size_t> send(udp::SocketId socket, const Endpoint& to, const std::string& text) {
    udp::SendFacts facts;
    facts.remote = to;
    return udp.send(now, socket, bytes_of(text), facts);
  }
  std::string receive(udp::SocketId socket, udp::Received* facts = nullptr) {
    std::vector<std::uint8_t> buffer(70000);
    const auto got = udp.receive(socket, buffer);
    if (!got) return std::string(errno_name(got.error()));
    if (facts != nullptr) *facts = *got;
    return std::string(text_of(Bytes(buffer).first(got->bytes)));
  }
};

internet::Datagram up(internet::Datagram&& datagram) {
  datagram.interface = 2;
  if (datagram.hop_limit == 0) datagram.hop_limit = 64;
  return std::move(datagram);
}

std::vector<DropReason> pass(Node& from, Node& to) {
  std::vector<DropReason> reasons;
  for (internet::Datagram& datagram : from.out)
    reasons.push_back(to.udp.on_datagram(to.now, up(std::move(datagram))));
  from.out.clear();
  return reasons;
}

internet::Datagram raw(const Node& from, const Node& to, std::vector<std::uint8_t> bytes) {
  internet::Datagram datagram;
  datagram.source = from.v4;
  datagram.destination = to.v4;
  datagram.interface = 2;
  datagram.packet = Packet::copy_of(bytes);
  return datagram;
}

}  // namespace

TEST(Udp, ADatagramIsOneMessageWithAllItsFacts) {
  Node a(1), b(2);
  const auto client = a.open(any4, 1000);
  const auto server = b.open(any4, 53);
  udp::Options options = a.udp.options(client);
  options.hop_limit = 9;
  options.traffic_class = 0x20;
  a.udp.set_options(client, options);
  EXPECT_EQ(a.send(client, {b.v4, 53, 0}, "one").value(), 3U);
  EXPECT_EQ(a.send(client, {b.v4, 53, 0}, "").value(), 0U);
  pass(a, b);
  EXPECT_EQ(b.udp.next_bytes(server), 3U);
  udp::Received facts;
  EXPECT_EQ(b.receive(server, &facts), "one");
  // [RFC1122-4.1.3.5-a], [RFC1122-4.1.4-a], [RFC1122-4.1.3.6-b].
  EXPECT_EQ(facts.remote, (Endpoint{a.v4, 1000, 0}));
  EXPECT_EQ(facts.destination, b.v4);
  EXPECT_EQ(facts.interface, 2U);
  EXPECT_EQ(facts.hop_limit, 9);
  EXPECT_EQ(facts.traffic_class, 0x20);
  EXPECT_EQ(b.receive(server), "");
  EXPECT_EQ(b.receive(server), "EAGAIN");
}

TEST(Udp, ATooSmallBufferCutsAndPeekLeaves) {
  Node a(1), b(2);
  const auto client = a.open(any4, 1000);
  const auto server = b.open(any4, 53);
  (void)a.send(client, {b.v4, 53, 0}, "0123456789");
  pass(a, b);
  std::uint8_t buffer[4];
  EXPECT_EQ(b.udp.receive(server, buffer, true)->bytes, 4U);
  const auto got = b.udp.receive(server, buffer);
  EXPECT_EQ(got->bytes, 4U);
  EXPECT_EQ(got->full_bytes, 10U);
  EXPECT_EQ(b.receive(server), "EAGAIN");
}

TEST(Udp, AClosedPortIsReported) {
  Node a(1), b(2);
  const auto client = a.open(any4, 1000);
  (void)a.send(client, {b.v4, 53, 0}, "hello?");
  // [RFC1122-4.1.3.1-a]: the owner answers with a port unreachable.
  EXPECT_EQ(pass(a, b), std::vector<DropReason>{DropReason::no_socket});
}

TEST(Udp, AConnectedSocketHearsOnlyItsPeerAndItsErrors) {
  Node a(1), b(2), c(3);
  const auto client = a.open(any4, 1000);
  ASSERT_TRUE(a.udp.connect(client, {b.v4, 53, 0}));
  EXPECT_EQ(a.udp.local(client).address, a.v4);
  EXPECT_EQ(a.udp.send(a.now, client, bytes_of("x")).value(), 1U);
  const auto other = c.open(any4, 53);
  (void)c.send(other, {a.v4, 1000, 0}, "not for you");
  EXPECT_EQ(pass(c, a), std::vector<DropReason>{DropReason::no_socket});
  internet::IcmpError error;
  error.kind = internet::IcmpError::Kind::port_unreachable;
  error.source = a.v4;
  error.destination = b.v4;
  const Packet sent = a.out.front().packet.share();
  error.quoted = sent.front();
  a.udp.on_icmp_error(a.now, error);  // [RFC1122-4.1.3.3-a]
  EXPECT_TRUE(a.udp.readiness(client).has_error);
  EXPECT_EQ(a.receive(client), "ECONNREFUSED");
  EXPECT_EQ(a.receive(client), "EAGAIN");
  ASSERT_TRUE(a.udp.disconnect(client));
  EXPECT_TRUE(a.udp.local(client).address.is_unspecified());
  EXPECT_EQ(a.udp.send(a.now, client, bytes_of("x")).error(), Errno::destination_required);
  a.udp.on_icmp_error(a.now, error);
  EXPECT_FALSE(a.udp.readiness(client).has_error);  // unconnected: only who asked
  udp::Options options = a.udp.options(client);
  options.receives_errors = true;
  a.udp.set_options(client, options);
  a.udp.on_icmp_error(a.now, error);
  const auto queued = a.udp.take_queued_error(client);
  ASSERT_TRUE(queued);
  EXPECT_EQ(queued->error, Errno::connection_refused);
  EXPECT_EQ(queued->destination, (Endpoint{b.v4, 53, 0}));
  EXPECT_EQ(queued->payload, (std::vector<std::uint8_t>{'x'}));
}

TEST(Udp, TheMostExactSocketGetsIt) {
  Node a(1), b(2);
  const auto client = a.open(any4, 1000);
  const auto wild = b.udp.open(Family::ipv4, 0), exact = b.udp.open(Family::ipv4, 0);
  ASSERT_TRUE(b.udp.bind(wild, {.local = {any4, 53, 0}, .reuse_address = true}));
  ASSERT_TRUE(b.udp.bind(exact, {.local = {b.v4, 53, 0}, .reuse_address = true}));
  (void)a.send(client, {b.v4, 53, 0}, "x");
  pass(a, b);
  EXPECT_EQ(b.receive(exact), "x");
  EXPECT_EQ(b.receive(wild), "EAGAIN");
}

TEST(Udp, ADualStackSocketSpeaksBothFamilies) {
  Node a(1), b(2);
  const auto server = b.open(any6, 53);
  const auto four = a.open(any4, 1000);
  const auto six = a.open(any6, 1001);
  (void)a.send(four, {b.v4, 53, 0}, "four");
  (void)a.send(six, {b.v6, 53, 0}, "six");
  (void)a.send(six, {b.v4, 53, 0}, "mapped");
  pass(a, b);
  EXPECT_EQ(b.receive(server), "four");
  EXPECT_EQ(b.receive(server), "six");
  EXPECT_EQ(b.receive(server), "mapped");
  EXPECT_EQ(a.send(four, {b.v6, 53, 0}, "x").error(), Errno::family_not_supported);
}

TEST(Udp, BroadcastNeedsPermissionAndReachesEverybody) {
  Node a(1), b(2);
  const auto client = a.open(any4, 1000);
  const Endpoint all{IpAddress::v4(255, 255, 255, 255), 67, 0};
  EXPECT_EQ(a.send(client, all, "x").error(), Errno::access_denied);
  udp::Options options = a.udp.options(client);
  options.broadcast = true;
  a.udp.set_options(client, options);
  EXPECT_TRUE(a.send(client, all, "x"));
  const auto one = b.udp.open(Family::ipv4, 0), two = b.udp.open(Family::ipv4, 0);
  for (const auto socket : {one, two})
    ASSERT_TRUE(b.udp.bind(socket, {.local = {any4, 67, 0}, .reuse_address = true}));
  EXPECT_EQ(a.out.front().source, a.v4);
  pass(a, b);
  EXPECT_EQ(b.receive(one), "x");
  EXPECT_EQ(b.receive(two), "x");
}

TEST(Udp, GroupsHaveTheirOwnHopLimit) {
  Node a(1);
  const auto client = a.open(any4, 1000);
  EXPECT_TRUE(a.send(client, {IpAddress::v4(239, 1, 2, 3), 99, 0}, "x"));
  EXPECT_EQ(a.out.front().hop_limit, 1);
  EXPECT_TRUE(a.out.front().loops_multicast);
}

TEST(Udp, ReusePortSpreadsPeersButKeepsEachWithOne) {
  Node a(1), b(2);
  std::vector<udp::SocketId> servers;
  for (int i = 0; i < 4; ++i) {
    servers.push_back(b.udp.open(Family::ipv4, 0));
    ASSERT_TRUE(b.udp.bind(servers.back(), {.local = {any4, 53, 0}, .reuse_port = true}));
  }
  for (Port port = 2000; port < 2100; ++port) {
    const auto client = a.open(any4, port);
    for (int i = 0; i < 2; ++i) (void)a.send(client, {b.v4, 53, 0}, "x");
    pass(a, b);
  }
  for (const auto server : servers) {
    int count = 0;
    while (b.receive(server) == "x") ++count;
    EXPECT_GT(count, 10);
    EXPECT_EQ(count % 2, 0);
  }
}

TEST(Udp, LengthsThatLieAreDroppedAndTheRestIsNotOurs) {
  Node a(1), b(2);
  const auto server = b.open(any4, 53);
  const auto client = a.open(any4, 1000);
  const auto with_length = [&](unsigned length) {
    (void)a.send(client, {b.v4, 53, 0}, "abcd");
    internet::Datagram datagram = up(std::move(a.out.front()));
    a.out.clear();
    const MutableBytes bytes = datagram.packet.mutable_front();
    store16(bytes.data() + 4, static_cast<std::uint16_t>(length));
    store16(bytes.data() + 6, 0);  // no checksum: it is about the length
    return b.udp.on_datagram(b.now, datagram);
  };
  // BI-42, [RFC768-a].
  for (const unsigned bad : {0U, 1U, 7U, 13U, 65535U})
    EXPECT_EQ(with_length(bad), DropReason::bad_udp_length);
  EXPECT_EQ(with_length(10), DropReason::none);
  EXPECT_EQ(b.receive(server), "ab");
  for (std::size_t size = 0; size < 8; ++size)
    EXPECT_EQ(b.udp.on_datagram(b.now, raw(a, b, std::vector<std::uint8_t>(size))),
              DropReason::bad_udp_length);
}

TEST(Udp, ChecksumsAreComputedAndVerified) {
  Node a(1), b(2);
  const auto server = b.open(any6, 53);
  const auto client = a.open(any6, 1000);
  // [RFC1122-4.1.3.4-a], [RFC1122-4.1.3.4-b], [RFC8200-8.1-a]: every possible sum, never a zero.
  for (std::uint32_t word = 0; word < 65536; ++word) {
    const std::string text{static_cast<char>(word >> 8), static_cast<char>(word)};
    (void)a.send(client, {b.v6, 53, 0}, text);
    const Bytes bytes = a.out.front().packet.front();
    ASSERT_NE(load16(bytes.data() + 6), 0);
    a.out.clear();
  }
  (void)a.send(client, {b.v6, 53, 0}, "good");
  (void)a.send(client, {b.v6, 53, 0}, "bad");
  (void)a.send(client, {b.v6, 53, 0}, "none");
  a.out[1].packet.mutable_front()[9] ^= 1;
  store16(a.out[2].packet.mutable_front().data() + 6, 0);
  EXPECT_EQ(pass(a, b), (std::vector<DropReason>{DropReason::none, DropReason::bad_udp_checksum,
                                                 DropReason::bad_udp_checksum}));
  EXPECT_EQ(b.receive(server), "good");
}

TEST(Udp, AnImpossibleSourceIsDropped) {
  Node a(1), b(2);
  (void)b.open(any4, 53);
  const auto client = a.open(any4, 1000);
  for (const IpAddress& source : {IpAddress::v4(224, 0, 0, 1), IpAddress::v4(255, 255, 255, 255)}) {
    (void)a.send(client, {b.v4, 53, 0}, "x");
    a.out.front().source = source;
    // [RFC1122-4.1.3.6-a].
    EXPECT_EQ(pass(a, b), std::vector<DropReason>{DropReason::martian_source});
  }
}

TEST(Udp, TooLongIsTooLong) {
  Node a(1), b(2);
  const auto client = a.open(any4, 1000);
  EXPECT_TRUE(a.send(client, {b.v4, 53, 0}, std::string(65507, 'x')));
  EXPECT_EQ(a.send(client, {b.v4, 53, 0}, std::string(65508, 'x')).error(),
            Errno::message_too_long);
  udp::Options options = a.udp.options(client);
  options.dont_fragment = true;
  a.udp.set_options(client, options);
  EXPECT_TRUE(a.send(client, {b.v4, 53, 0}, std::string(1472, 'x')));
  EXPECT_FALSE(a.out.back().may_fragment);
  EXPECT_EQ(a.send(client, {b.v4, 53, 0}, std::string(1473, 'x')).error(), Errno::message_too_long);
}

TEST(Udp, TheQueueIsBoundedEvenAgainstEmptyDatagrams) {
  Node a(1), b(2);
  const auto server = b.open(any4, 53);
  const auto client = a.open(any4, 1000);
  DropReason last = DropReason::none;
  int taken = 0;
  for (; taken < 100'000 && last == DropReason::none; ++taken) {
    (void)a.send(client, {b.v4, 53, 0}, "");
    last = pass(a, b).front();
  }
  EXPECT_EQ(last, DropReason::receive_buffer_full);
  EXPECT_LE(taken, 4096);
  EXPECT_EQ(b.receive(server), "");
  (void)a.send(client, {b.v4, 53, 0}, "");
  EXPECT_EQ(pass(a, b).front(), DropReason::none);
}

TEST(Udp, SendingBindsAndClosingFrees) {
  Node a(1), b(2);
  const auto client = a.udp.open(Family::ipv4, 0);
  EXPECT_FALSE(a.udp.is_bound(client));
  EXPECT_TRUE(a.send(client, {b.v4, 53, 0}, "x"));
  const Port port = a.udp.local(client).port;
  EXPECT_GE(port, a.config.ephemeral_first);
  EXPECT_EQ(a.udp.rows().size(), 1U);
  a.udp.close(client);
  EXPECT_TRUE(a.udp.rows().empty());
  EXPECT_EQ(a.send(client, {b.v4, 53, 0}, "x").error(), Errno::bad_descriptor);
  (void)a.open(any4, port);
}

// As Linux: bind(2) is told that all are in use, a program that asked for none to try again.
TEST(Udp, WithNoPortLeftAProgramThatAskedForNoneIsToldToTryAgain) {
  Node a(1), b(2);
  a.config.ephemeral_first = a.config.ephemeral_last = 40'000;
  const auto first = a.udp.open(Family::ipv4, 0);
  EXPECT_TRUE(a.send(first, {b.v4, 53, 0}, "x"));
  const auto second = a.udp.open(Family::ipv4, 0);
  EXPECT_EQ(a.send(second, {b.v4, 53, 0}, "x").error(), Errno::try_again);
  EXPECT_EQ(a.udp.connect(second, {b.v4, 53, 0}).error(), Errno::try_again);
  EXPECT_EQ(a.udp.bind(second, {.local = {any4, 0, 0}}).error(), Errno::address_in_use);
  a.udp.close(first);
  EXPECT_TRUE(a.send(second, {b.v4, 53, 0}, "x"));
}

// As Linux: getaddrinfo(3) connects to port 0 to learn which source an address would have.
TEST(Udp, ConnectingToPortZeroChoosesTheSource) {
  Node a(1), b(2);
  const auto client = a.open(any4, 0);
  ASSERT_TRUE(a.udp.connect(client, {b.v4, 0, 0}));
  EXPECT_EQ(a.udp.local(client).address, a.v4);
  EXPECT_TRUE(a.udp.disconnect(client));
}

TEST(Udp, ErrorsOfTheCallAreErrorsOfTheCall) {
  Node a(1), b(2);
  const auto client = a.open(any4, 1000);
  EXPECT_EQ(a.send(client, {b.v4, 0, 0}, "x").error(), Errno::invalid);
  EXPECT_EQ(a.udp.bind(client, {.local = {any4, 2000, 0}}).error(), Errno::invalid);
  EXPECT_EQ(a.udp.disconnect(client).error(), Errno::not_connected);
  a.paths.failure = Errno::network_unreachable;
  EXPECT_EQ(a.send(client, {b.v4, 53, 0}, "x").error(), Errno::network_unreachable);
}

}  // namespace lanyard::test
