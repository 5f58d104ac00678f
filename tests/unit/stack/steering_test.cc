// SPDX-License-Identifier: Apache-2.0
// Which shard a frame is for: one and the same for all of a conversation, and every shard for what
// concerns the machine.
#include "stack/steering.hh"

#include <array>
#include <optional>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "wire/arp.hh"
#include "wire/ethernet.hh"
#include "wire/icmp.hh"
#include "wire/ipv4.hh"
#include "wire/ipv6.hh"
#include "wire/ipv6_extensions.hh"

namespace lanyard::stack {
namespace {

using internet::Protocol;

constexpr unsigned shards = 4;
const MacAddress ours{{2, 0, 0, 0, 0, 1}};
const MacAddress theirs{{2, 0, 0, 0, 0, 2}};

struct Addresses {
  IpAddress ours, theirs;
};
const Addresses v4{IpAddress::v4(10, 0, 0, 1), IpAddress::v4(10, 0, 0, 2)};
const Addresses v6{*IpAddress::parse("fd00::1"), *IpAddress::parse("fd00::2")};

Steering steering() {
  return {Seed(7), shards, transport::Config{}};
}

std::uint8_t number_of(Protocol protocol) {
  return static_cast<std::uint8_t>(protocol);
}

std::vector<std::uint8_t> ports(Port from, Port to) {
  std::vector<std::uint8_t> header(20);
  store16(header.data(), from);
  store16(header.data() + 2, to);
  return header;
}

Packet ethernet_frame(Packet packet, ethernet::Type type, MacAddress to = ours) {
  ethernet::Header{to, theirs, type}.push_onto(packet);
  return packet;
}

// An IP packet with this payload.
Packet ip(const IpAddress& from, const IpAddress& to, Protocol protocol, Bytes payload) {
  Packet packet = Packet::copy_of(payload, 128);
  if (from.is_v4()) {
    ipv4::Header{.source = from, .destination = to, .protocol = number_of(protocol)}.push_onto(
        packet);
  } else {
    ipv6::Header{.source = from, .destination = to, .next_header = number_of(protocol)}.push_onto(
        packet);
  }
  return packet;
}

Packet framed(Packet packet, const IpAddress& to) {
  return ethernet_frame(std::move(packet),
                        to.is_v4() ? ethernet::Type::ipv4 : ethernet::Type::ipv6);
}

unsigned shard_of(const Steering& steering, const Packet& frame) {
  return steering.shard_of(frame.front(), frame.size());
}

class Steered : public testing::TestWithParam<Family> {
 protected:
  [[nodiscard]] static const Addresses& addresses() { return GetParam() == Family::ipv4 ? v4 : v6; }
  // A TCP segment that comes to us.
  [[nodiscard]] static Packet segment(Port from, Port to) {
    return framed(ip(addresses().theirs, addresses().ours, Protocol::tcp, ports(from, to)),
                  addresses().ours);
  }
  // An ICMP message that comes to us.
  [[nodiscard]] static Packet icmp_message(std::uint8_t type, std::uint32_t rest, Bytes body) {
    std::vector<std::uint8_t> message(8 + body.size());
    message[0] = type;
    store32(message.data() + 4, rest);
    std::copy(body.begin(), body.end(), message.begin() + 8);
    const Protocol protocol = GetParam() == Family::ipv4 ? Protocol::icmp : Protocol::icmpv6;
    return framed(ip(addresses().theirs, addresses().ours, protocol, message), addresses().ours);
  }
};

TEST_P(Steered, AServersConversationsAreSpreadAndEachStaysWhereItIs) {
  const Steering steered = steering();
  std::array<unsigned, shards> count{};
  for (Port from = 1000; from < 2000; ++from) {
    const unsigned shard = shard_of(steered, segment(from, 80));
    ASSERT_LT(shard, shards);
    ++count[shard];
    EXPECT_EQ(shard,
              steered.shard_of(Protocol::tcp, {addresses().ours, 80}, {addresses().theirs, from}));
  }
  // 250 each on average, with a standard deviation of 14: more than five of them away is no chance.
  for (const unsigned each : count) EXPECT_NEAR(each, 250, 75);
}

// By all the layers, one after the other; none: of what has no ports.
std::optional<unsigned> by_layers(const Steering& steered, const Packet& frame) {
  const auto link = ethernet::View::parse(frame.front(), frame.size());
  if (!link) return 0;
  if (link->destination().is_group()) return Steering::every;
  if (link->type() != ethernet::Type::ipv4) return std::nullopt;
  const auto view = ipv4::View::parse(link->payload(), link->payload_size());
  if (!view) return 0;
  if (view->is_fragment() || view->destination().is_multicast()) return Steering::every;
  const auto protocol = static_cast<Protocol>(view->protocol());
  const Bytes transport = view->payload();
  if ((protocol != Protocol::tcp && protocol != Protocol::udp) || transport.size() < 4)
    return std::nullopt;
  return steered.shard_of(protocol, {view->destination(), load16(transport.data() + 2)},
                          {view->source(), load16(transport.data())});
}

// What is nearly always there is looked at at once, whatever one of its octets says.
TEST(Steering, APlainPacketGoesWhereTheLayersWouldHaveItGo) {
  const Steering steered = steering();
  const Packet plain =
      ethernet_frame(ip(v4.theirs, v4.ours, Protocol::tcp, ports(1000, 80)), ethernet::Type::ipv4);
  std::vector<std::uint8_t> bytes(plain.size());
  plain.copy_to(0, bytes);
  unsigned compared = 0;
  for (std::size_t at = 0; at < 38; ++at) {
    const std::uint8_t before = bytes[at];
    for (unsigned value = 0; value < 256; ++value) {
      bytes[at] = static_cast<std::uint8_t>(value);
      const Packet frame = Packet::copy_of(bytes);
      const auto expected = by_layers(steered, frame);
      if (!expected) continue;
      ++compared;
      ASSERT_EQ(shard_of(steered, frame), *expected) << "octet " << at << ": " << value;
    }
    bytes[at] = before;
  }
  EXPECT_GT(compared, 8'000U);
}

TEST_P(Steered, AnEphemeralPortBelongsToTheShardThatTakesItsPortsThere) {
  const Steering steered = steering();
  const transport::Config whole;
  std::uint32_t next = whole.ephemeral_first;
  for (unsigned shard = 0; shard < shards; ++shard) {
    const transport::Config part = steered.config_of(shard, whole);
    EXPECT_EQ(part.ephemeral_first, next);
    next = std::uint32_t{part.ephemeral_last} + 1;
    for (const Port port : {part.ephemeral_first, part.ephemeral_last})
      EXPECT_EQ(shard_of(steered, segment(443, port)), shard);
  }
  EXPECT_EQ(next, std::uint32_t{whole.ephemeral_last} + 1);
}

TEST(Steering, EveryPortOfTheRangeIsItsShardsHoweverManyThereAre) {
  const transport::Config whole;
  for (const unsigned count : {2U, 3U, 7U, 100U, 255U, 256U}) {
    const Steering steered(Seed(7), count, whole);
    for (unsigned shard = 0; shard < count; ++shard) {
      const transport::Config part = steered.config_of(shard, whole);
      for (std::uint32_t port = part.ephemeral_first; port <= part.ephemeral_last; ++port)
        ASSERT_EQ(steered.shard_of(Protocol::udp, {v4.ours, static_cast<Port>(port)}, {}), shard);
    }
  }
}

TEST_P(Steered, AnIcmpErrorGoesWhereTheConversationIs) {
  const Steering steered = steering();
  const bool is_v4 = GetParam() == Family::ipv4;
  const std::uint8_t unreachable =
      is_v4 ? icmp::v4::destination_unreachable : icmp::v6::destination_unreachable;
  std::set<unsigned> seen;
  for (Port from = 1000; from < 1050; ++from) {
    Packet quoted = ip(addresses().ours, addresses().theirs, Protocol::tcp, ports(80, from));
    const unsigned shard = shard_of(steered, icmp_message(unreachable, 0, quoted.linear()));
    EXPECT_EQ(shard, shard_of(steered, segment(from, 80)));
    seen.insert(shard);
  }
  EXPECT_EQ(seen.size(), shards);
}

TEST_P(Steered, AnEchoReplyGoesToTheShardOfItsIdentifierAndARequestToOne) {
  const Steering steered = steering();
  const bool is_v4 = GetParam() == Family::ipv4;
  const std::uint8_t reply = is_v4 ? icmp::v4::echo_reply : icmp::v6::echo_reply;
  const std::uint8_t request = is_v4 ? icmp::v4::echo_request : icmp::v6::echo_request;
  const unsigned answering = shard_of(steered, icmp_message(request, 1, {}));
  EXPECT_LT(answering, shards);
  for (const std::uint32_t identifier : {1U, 20000U, 40000U, 65535U}) {
    EXPECT_EQ(shard_of(steered, icmp_message(reply, identifier << 16, {})),
              steered.shard_of_echo(static_cast<std::uint16_t>(identifier)));
    EXPECT_EQ(shard_of(steered, icmp_message(request, identifier << 16, {})), answering);
  }
}

// A super-segment from a device: only its first bytes lie together.
TEST_P(Steered, OfALongFrameTheHeadersAreEnough) {
  const Steering steered = steering();
  auto payload = ports(1000, 80);
  payload.resize(5000);
  const Packet whole =
      framed(ip(addresses().theirs, addresses().ours, Protocol::tcp, payload), addresses().ours);
  for (const std::size_t first : {60UL, 100UL, 1500UL})
    EXPECT_EQ(steered.shard_of(whole.front().first(first), whole.size()),
              shard_of(steered, segment(1000, 80)));
}

TEST_P(Steered, OneShardGetsEverything) {
  const Steering alone(Seed(7), 1, transport::Config{});
  EXPECT_EQ(shard_of(alone, segment(1000, 80)), 0U);
  EXPECT_EQ(shard_of(alone, Packet::copy_of(std::array<std::uint8_t, 3>{})), 0U);
}

// The first shard counts what is malformed; nothing is read that is not there.
TEST_P(Steered, EveryBeginningOfAFrameGoesSomewhere) {
  const Steering steered = steering();
  Packet quoted = ip(addresses().ours, addresses().theirs, Protocol::udp, ports(53, 5353));
  const std::array<Packet, 2> frames = {segment(1, 2), icmp_message(3, 0, quoted.linear())};
  for (const Packet& whole : frames) {
    Packet frame = whole.share();
    for (; frame.size() > 0; frame.truncate(frame.size() - 1)) {
      const unsigned shard = shard_of(steered, frame);
      EXPECT_TRUE(shard < shards || shard == Steering::every);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(BothFamilies, Steered, testing::Values(Family::ipv4, Family::ipv6),
                         [](const auto& each) {
                           return each.param == Family::ipv4 ? "IPv4" : "IPv6";
                         });

// The same packet in an Ethernet II frame, most of which are judged by fields at known places, and
// in an 802.3 frame with SNAP, which is parsed: with whatever bytes, and however much of it came.
TEST(Steering, WhatIsReadAtKnownPlacesIsWhatParsingFinds) {
  const Steering steered = steering();
  RandomStream random = Seed(5).stream();
  const std::vector<std::uint8_t> snap_start = {0xaa, 0xaa, 0x03, 0, 0, 0};
  std::set<unsigned> seen;
  for (int i = 0; i < 50'000; ++i) {
    const Port to = static_cast<Port>(random.happens(500'000'000) ? 80 : random.below(65536));
    const auto header = ports(static_cast<Port>(random.below(65536)), to);
    Packet packet = ip(v4.theirs, v4.ours, Protocol::tcp, header);
    std::uint8_t* const bytes = packet.mutable_front().data();
    for (std::uint64_t changes = random.below(3); changes > 0; --changes)
      bytes[random.below(24)] = static_cast<std::uint8_t>(random.below(256));
    if (random.happens(100'000'000)) packet.truncate(random.below(packet.size()));
    const MacAddress station{{static_cast<std::uint8_t>(random.below(4)), 0, 0, 0, 0, 1}};
    Packet snap = Packet::copy_of(packet.linear(), 64);
    store16(snap.push_front(2), 0x0800);
    std::copy(snap_start.begin(), snap_start.end(), snap.push_front(snap_start.size()));
    const auto length = static_cast<ethernet::Type>(snap.size());
    const Packet parsed = ethernet_frame(std::move(snap), length, station);
    const Packet plain = ethernet_frame(std::move(packet), ethernet::Type::ipv4, station);
    const unsigned shard = shard_of(steered, plain);
    ASSERT_EQ(shard, shard_of(steered, parsed)) << i;
    seen.insert(shard);
  }
  EXPECT_EQ(seen, (std::set<unsigned>{0, 1, 2, 3, Steering::every}));
}

TEST(Steering, FragmentsAndWhatConcernsTheMachineGoToEveryShard) {
  const Steering steered = steering();
  Packet first = Packet::copy_of(ports(1000, 80), 128);
  ipv4::Header{.source = v4.theirs,
               .destination = v4.ours,
               .protocol = number_of(Protocol::tcp),
               .more_fragments = true}
      .push_onto(first);
  EXPECT_EQ(shard_of(steered, framed(std::move(first), v4.ours)), Steering::every);

  std::vector<std::uint8_t> fragment(8);
  ipv6::FragmentHeader{.next_header = number_of(Protocol::tcp), .more_fragments = true}.write(
      fragment.data());
  const auto behind = ports(1000, 80);
  fragment.insert(fragment.end(), behind.begin(), behind.end());
  constexpr auto fragment_header = static_cast<Protocol>(44);
  EXPECT_EQ(shard_of(steered, framed(ip(v6.theirs, v6.ours, fragment_header, fragment), v6.ours)),
            Steering::every);

  const std::array<std::uint8_t, 24> solicitation = {135};
  EXPECT_EQ(
      shard_of(steered, framed(ip(v6.theirs, v6.ours, Protocol::icmpv6, solicitation), v6.ours)),
      Steering::every);
  EXPECT_EQ(shard_of(steered, ethernet_frame(ip(v4.theirs, v4.ours, Protocol::udp, ports(1, 2)),
                                             ethernet::Type::ipv4, MacAddress::broadcast())),
            Steering::every);
  Packet arp(64, 0);
  arp::Message{.sender_mac = theirs, .sender_ip = v4.theirs, .target_ip = v4.ours}.push_onto(arp);
  EXPECT_EQ(shard_of(steered, ethernet_frame(std::move(arp), ethernet::Type::arp)),
            Steering::every);
}

TEST(Steering, OnlyWhatTheMachineSaysAsAWholeIsTheFirstShardsToSend) {
  const auto speaks = [](const Packet& frame) {
    return Steering::speaks_for_machine(frame.front(), frame.size());
  };
  const auto arp = [](const arp::Message& message) {
    Packet packet(64, 0);
    message.push_onto(packet);
    return ethernet_frame(std::move(packet), ethernet::Type::arp);
  };
  EXPECT_TRUE(speaks(arp({arp::Operation::reply, ours, v4.ours, theirs, v4.theirs})));
  EXPECT_TRUE(speaks(arp({arp::Operation::request, ours, v4.ours, {}, v4.ours})));
  EXPECT_TRUE(
      speaks(arp({arp::Operation::request, ours, IpAddress::any(Family::ipv4), {}, v4.ours})));
  EXPECT_FALSE(speaks(arp({arp::Operation::request, ours, v4.ours, {}, v4.theirs})));
  const auto ndp = [](std::uint8_t type, const IpAddress& source) {
    std::array<std::uint8_t, 24> message{};
    message[0] = type;
    return framed(ip(source, v6.theirs, Protocol::icmpv6, message), v6.theirs);
  };
  EXPECT_TRUE(speaks(ndp(136, v6.ours)));
  EXPECT_TRUE(speaks(ndp(133, v6.ours)));
  EXPECT_TRUE(speaks(ndp(135, IpAddress::any(Family::ipv6))));
  EXPECT_FALSE(speaks(ndp(135, v6.ours)));
  EXPECT_FALSE(speaks(ndp(128, v6.ours)));
  EXPECT_FALSE(speaks(framed(ip(v4.ours, v4.theirs, Protocol::tcp, ports(1, 2)), v4.theirs)));
}

}  // namespace
}  // namespace lanyard::stack
