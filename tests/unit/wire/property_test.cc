// SPDX-License-Identifier: Apache-2.0
// parse(build(x)) == x for any x, and nothing read out of bounds whatever the bytes. The seed is
// printed, and taken from LANYARD_SEED; run under AddressSanitizer the second half has teeth.
#include <gtest/gtest.h>

#include <cstdlib>

#include "core/random.hh"
#include "frames.hh"
#include "wire/arp.hh"
#include "wire/dissect.hh"
#include "wire/dns.hh"
#include "wire/ethernet.hh"
#include "wire/icmp.hh"
#include "wire/ipv4.hh"
#include "wire/ipv6.hh"
#include "wire/ipv6_extensions.hh"
#include "wire/ndp.hh"
#include "wire/pcapng.hh"
#include "wire/protocol.hh"
#include "wire/tcp.hh"
#include "wire/udp.hh"

namespace lanyard {
namespace {

class Property : public testing::Test {
 protected:
  Property() {
    const char* given = std::getenv("LANYARD_SEED");
    seed_ = given != nullptr ? std::strtoull(given, nullptr, 10) : 20260101;
    random_ =
        Seed(seed_).branch(testing::UnitTest::GetInstance()->current_test_info()->name()).stream();
    RecordProperty("seed", std::to_string(seed_));
  }
  ~Property() override {
    if (HasFailure()) std::fprintf(stderr, "LANYARD_SEED=%llu\n", seed_);
  }

  template <typename T = std::uint8_t>
  T number(std::uint64_t bound = std::uint64_t{1} << (8 * sizeof(T) - 1) << 1) {
    return static_cast<T>(bound == 0 ? random_.next() : random_.below(bound));
  }
  bool coin() { return random_.below(2) == 0; }
  std::vector<std::uint8_t> bytes(std::size_t size_max) {
    std::vector<std::uint8_t> result(random_.below(size_max + 1));
    for (std::uint8_t& byte : result) byte = number();
    return result;
  }
  IpAddress address(bool is_v4) {
    if (is_v4) return IpAddress::v4(number<std::uint32_t>());
    std::array<std::uint8_t, 16> sixteen{};
    for (std::uint8_t& byte : sixteen) byte = number();
    sixteen[0] |= 0x20;  // not a mapped one
    return IpAddress::from_v6_bytes(sixteen.data());
  }
  MacAddress mac() {
    MacAddress address;
    for (std::uint8_t& byte : address.bytes) byte = number();
    return address;
  }
  dns::Name name() {
    dns::Name result;
    for (auto labels = random_.below(6); labels > 0; --labels) {
      const auto label = bytes(12);
      result.append_label(text_of(label));
    }
    return result;
  }
  tcp::Options tcp_options(bool is_syn);
  dns::Data dns_data(dns::Type type);

  unsigned long long seed_ = 0;
  RandomStream random_{{1, 2, 3, 4}};
};

tcp::Options Property::tcp_options(bool is_syn) {
  tcp::Options options;
  if (coin())
    options.timestamps = tcp::Timestamps{number<std::uint32_t>(), number<std::uint32_t>()};
  if (is_syn) {
    if (coin()) options.mss = number<std::uint16_t>();
    if (coin()) options.window_scale = number<std::uint8_t>(15);
    options.sack_permitted = coin();
  } else if (coin()) {
    options.sack_blocks = number<std::uint8_t>(options.timestamps ? 4 : 5);
    for (std::size_t i = 0; i < options.sack_blocks; ++i) {
      options.sack[i] = {tcp::SequenceNumber(number<std::uint32_t>()),
                         tcp::SequenceNumber(number<std::uint32_t>())};
    }
  }
  if (options.size() <= 20 && coin()) {
    options.fast_open.emplace();
    options.fast_open->size = static_cast<std::uint8_t>(2 * (2 + number<std::uint8_t>(7)));
    for (std::size_t i = 0; i < options.fast_open->size; ++i)
      options.fast_open->bytes[i] = number();
  }
  if (options.size() <= 36 && coin()) {
    options.user_timeout = tcp::UserTimeout{coin(), number<std::uint16_t>(0x8000)};
  }
  return options;
}

TEST_F(Property, TcpSegmentsAreReadAsTheyWereWritten) {
  for (int round = 0; round < 3000; ++round) {
    const bool is_v4 = coin();
    const tcp::Flags flags{number()};
    const tcp::Header header{.source_port = number<std::uint16_t>(),
                             .destination_port = number<std::uint16_t>(),
                             .sequence = tcp::SequenceNumber(number<std::uint32_t>()),
                             .acknowledgment = tcp::SequenceNumber(number<std::uint32_t>()),
                             .flags = flags,
                             .window = number<std::uint16_t>(),
                             .urgent_pointer = number<std::uint16_t>(),
                             .options = tcp_options(flags.syn())};
    const auto payload = bytes(50);
    Packet packet = wire::test::sliced(payload);
    const IpAddress from = address(is_v4);
    const IpAddress to = address(is_v4);
    header.push_onto(packet, from, to);
    ASSERT_EQ(transport_checksum({from, to, protocol::tcp}, packet, packet.size()), 0);
    const auto view = tcp::View::parse(packet.front(), packet.size());
    ASSERT_TRUE(view);
    EXPECT_EQ(view->source_port(), header.source_port);
    EXPECT_EQ(view->destination_port(), header.destination_port);
    EXPECT_EQ(view->sequence(), header.sequence);
    EXPECT_EQ(view->acknowledgment(), header.acknowledgment);
    EXPECT_EQ(view->flags(), header.flags);
    EXPECT_EQ(view->window(), header.window);
    EXPECT_EQ(view->urgent_pointer(), header.urgent_pointer);
    EXPECT_EQ(view->options(), header.options) << "seed " << seed_ << " round " << round;
    EXPECT_EQ(view->payload_size(), payload.size());
  }
}

TEST_F(Property, NetworkHeadersAreReadAsTheyWereWritten) {
  for (int round = 0; round < 3000; ++round) {
    const auto payload = bytes(64);
    const auto options = bytes(40);
    Packet packet = wire::test::sliced(payload);
    const ipv4::Header v4{.source = address(true),
                          .destination = address(true),
                          .protocol = number(),
                          .ttl = number(),
                          .traffic_class = number(),
                          .identification = number<std::uint16_t>(),
                          .dont_fragment = coin(),
                          .more_fragments = coin(),
                          .offset = 8 * number<std::size_t>(8192),
                          .options = options};
    v4.push_onto(packet);
    const auto view = ipv4::View::parse(packet.front(), packet.size());
    ASSERT_TRUE(view);
    EXPECT_TRUE(view->has_good_checksum());
    EXPECT_EQ(view->source(), v4.source);
    EXPECT_EQ(view->destination(), v4.destination);
    EXPECT_EQ(view->protocol(), v4.protocol);
    EXPECT_EQ(view->ttl(), v4.ttl);
    EXPECT_EQ(view->traffic_class(), v4.traffic_class);
    EXPECT_EQ(view->identification(), v4.identification);
    EXPECT_EQ(view->dont_fragment(), v4.dont_fragment);
    EXPECT_EQ(view->more_fragments(), v4.more_fragments);
    EXPECT_EQ(view->offset(), v4.offset);
    EXPECT_EQ(view->payload_size(), payload.size());
    EXPECT_EQ(text_of(view->options().first(options.size())), text_of(options));

    Packet packet6 = wire::test::sliced(payload);
    const ipv6::Header v6{.source = address(false),
                          .destination = address(false),
                          .next_header = number(),
                          .hop_limit = number(),
                          .traffic_class = number(),
                          .flow_label = number<std::uint32_t>(0x100000)};
    v6.push_onto(packet6);
    const auto view6 = ipv6::View::parse(packet6.front(), packet6.size());
    ASSERT_TRUE(view6);
    EXPECT_EQ(view6->source(), v6.source);
    EXPECT_EQ(view6->destination(), v6.destination);
    EXPECT_EQ(view6->next_header(), v6.next_header);
    EXPECT_EQ(view6->hop_limit(), v6.hop_limit);
    EXPECT_EQ(view6->traffic_class(), v6.traffic_class);
    EXPECT_EQ(view6->flow_label(), v6.flow_label);
    EXPECT_EQ(view6->payload_size(), payload.size());
  }
}

dns::Data Property::dns_data(dns::Type type) {
  switch (type) {
    case dns::Type::a:
      return address(true);
    case dns::Type::aaaa:
      return address(false);
    case dns::Type::ns:
    case dns::Type::cname:
    case dns::Type::ptr:
      return name();
    case dns::Type::soa:
      return dns::Soa{name(), name(), number<std::uint32_t>(), 2, 3, 4, 5};
    case dns::Type::mx:
      return dns::Mx{number<std::uint16_t>(), name()};
    case dns::Type::srv:
      return dns::Srv{number<std::uint16_t>(), number<std::uint16_t>(), number<std::uint16_t>(),
                      name()};
    case dns::Type::txt: {
      dns::Txt txt;
      for (auto strings = 1 + random_.below(3); strings > 0; --strings) {
        txt.strings.emplace_back(text_of(bytes(255)));
      }
      return txt;
    }
    case dns::Type::opt:
    case dns::Type::any:
      break;
  }
  return dns::Opaque{bytes(30)};
}

TEST_F(Property, DnsMessagesAreReadAsTheyWereWritten) {
  static constexpr std::array<dns::Type, 10> types{
      dns::Type::a,  dns::Type::ns,  dns::Type::cname, dns::Type::soa, dns::Type::ptr,
      dns::Type::mx, dns::Type::txt, dns::Type::aaaa,  dns::Type::srv, static_cast<dns::Type>(999)};
  for (int round = 0; round < 500; ++round) {
    dns::Message message{.id = number<std::uint16_t>(),
                         .is_response = coin(),
                         .opcode = number<std::uint8_t>(16),
                         .is_truncated = coin(),
                         .response_code = number<std::uint16_t>(16)};
    for (auto left = random_.below(3); left > 0; --left) {
      message.questions.push_back({name(), types[random_.below(types.size())]});
    }
    for (auto* section : {&message.answers, &message.authorities, &message.additionals}) {
      for (auto left = random_.below(5); left > 0; --left) {
        const dns::Type type = types[random_.below(types.size())];
        section->push_back({.name = name(),
                            .type = type,
                            .ttl_s = number<std::uint32_t>(0x80000000),
                            .data = dns_data(type)});
      }
    }
    if (coin()) message.edns = dns::Edns{.udp_size = number<std::uint16_t>(), .options = bytes(9)};
    const auto again = dns::Message::parse(message.write());
    ASSERT_TRUE(again) << "seed " << seed_ << " round " << round << ": " << again.error().reason;
    EXPECT_EQ(*again, message) << "seed " << seed_ << " round " << round;
  }
}

// Every dissected field lies in the frame, whatever the frame.
void expect_within(const wire::Field& field, std::size_t size) {
  ASSERT_LE(field.offset, size) << field.name;
  ASSERT_LE(field.size, size - field.offset) << field.name;
  for (const char c : field.value) ASSERT_TRUE(c >= 0x20 && c < 0x7f) << field.name;
  for (const wire::Field& child : field.children) expect_within(child, size);
}

void look_at(Bytes frame) {
  for (const wire::Field& layer : wire::dissect(frame)) expect_within(layer, frame.size());
  EXPECT_FALSE(wire::summary(frame).empty());
}

TEST_F(Property, DamagedFramesAreDissectedWithinTheirBounds) {
  for (const wire::test::NamedFrame& frame : wire::test::all_frames()) {
    SCOPED_TRACE(frame.name);
    for (std::size_t size = 0; size <= frame.bytes.size(); ++size) {
      // A copy of its own, so that a read behind it is seen.
      const std::vector<std::uint8_t> cut(frame.bytes.begin(),
                                          frame.bytes.begin() + static_cast<std::ptrdiff_t>(size));
      look_at(cut);
    }
    for (int round = 0; round < 100; ++round) {
      std::vector<std::uint8_t> damaged = frame.bytes;
      for (auto changes = 1 + random_.below(4); changes > 0; --changes) {
        damaged[random_.below(damaged.size())] = coin() ? number() : 0xff;
      }
      look_at(damaged);
    }
  }
}

TEST_F(Property, AnyBytesAreSurvivedByEveryParser) {
  for (int round = 0; round < 20000; ++round) {
    const auto any = bytes(80);
    look_at(any);
    (void)wire::dissect(any, wire::Start::ip);
    (void)arp::View::parse(any);
    (void)ndp::Options::parse(any);
    (void)ndp::View::parse(any);
    (void)tcp::Options::parse(any, true);
    (void)dns::Message::parse(any);
    (void)icmp::parse_quote(any, coin() ? Family::ipv4 : Family::ipv6);
    (void)pcapng::Reader().next(any);
  }
}

TEST_F(Property, DamagedDnsMessagesAreReadOrRefused) {
  dns::Message message{.id = 1, .is_response = true};
  for (int i = 0; i < 5; ++i) {
    message.answers.push_back({.name = name(), .type = dns::Type::mx, .data = dns::Mx{1, name()}});
  }
  const auto whole = message.write();
  int refused = 0;
  for (int round = 0; round < 5000; ++round) {
    auto damaged = whole;
    damaged[random_.below(damaged.size())] = number();
    const auto result = dns::Message::parse(damaged);
    refused += !result;
    if (result) {
      EXPECT_TRUE(dns::Message::parse(result->write()));
    } else {
      EXPECT_LE(result.error().offset, damaged.size());
    }
  }
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace lanyard
