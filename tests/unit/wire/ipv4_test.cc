// SPDX-License-Identifier: Apache-2.0
#include "wire/ipv4.hh"

#include <gtest/gtest.h>

#include "frames.hh"
#include "wire/ipv4_options.hh"

namespace lanyard::ipv4 {
namespace {

using wire::test::bytes_in;
using wire::test::from_hex;

// The worked example found in textbooks: its checksum is b861.
const std::string header = "4500 0073 0000 4000 4011 b861 c0a8 0001 c0a8 00c7";

TEST(Ipv4, KnownHeaderIsReadAndWritten) {
  auto bytes = from_hex(header);
  bytes.resize(0x73);
  const auto view = View::parse(bytes);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->total_length(), 0x73);
  EXPECT_TRUE(view->dont_fragment());
  EXPECT_FALSE(view->is_fragment());
  EXPECT_EQ(view->ttl(), 64);
  EXPECT_EQ(view->protocol(), 17);
  EXPECT_EQ(to_text(view->source()), "192.168.0.1");
  EXPECT_EQ(to_text(view->destination()), "192.168.0.199");
  EXPECT_TRUE(view->has_good_checksum());
  EXPECT_EQ(view->payload_size(), 0x73U - 20);
  Packet packet = wire::test::sliced(Bytes(bytes).subspan(20));
  Header{.source = view->source(),
         .destination = view->destination(),
         .protocol = 17,
         .dont_fragment = true}
      .push_onto(packet);
  EXPECT_EQ(bytes_in(packet), bytes);
}

// RFC 1122 3.2.1.1 [RFC1122-3.2.1.1-a], BI-09: version and IHL.
TEST(Ipv4, OtherVersionsAndHeaderLengthsAreDropped) {
  auto bytes = from_hex(header);
  bytes.resize(0x73);
  bytes[0] = 0x55;
  EXPECT_EQ(View::parse(bytes).error(), DropReason::bad_version);
  for (int ihl = 0; ihl < 5; ++ihl) {
    bytes[0] = static_cast<std::uint8_t>(0x40 + ihl);
    EXPECT_EQ(View::parse(bytes).error(), DropReason::bad_header_length) << ihl;
  }
  bytes[0] = 0x4f;
  EXPECT_TRUE(View::parse(bytes));
  EXPECT_EQ(View::parse(Bytes(bytes).first(59), 0x73).error(), DropReason::bad_header_length);
  // BI-01: 0..19 bytes behind EtherType 0x0800.
  for (std::size_t size = 0; size < 20; ++size) EXPECT_FALSE(View::parse(Bytes(bytes).first(size)));
}

// BI-07, RFC 791 3.1 [RFC791-3.1-a]: Total Length against the frame and against IHL.
TEST(Ipv4, TotalLengthMustFit) {
  auto bytes = from_hex(header);
  EXPECT_EQ(View::parse(bytes).error(), DropReason::bad_total_length);
  EXPECT_EQ(View::parse(bytes, 0x72).error(), DropReason::bad_total_length);
  EXPECT_TRUE(View::parse(bytes, 0x73)) << "the rest may lie in slices";
  EXPECT_TRUE(View::parse_quoted(bytes));
  store16(bytes.data() + total_length_offset, 19);
  EXPECT_EQ(View::parse(bytes, 0x73).error(), DropReason::bad_total_length);
  EXPECT_FALSE(View::parse_quoted(bytes));
  store16(bytes.data() + total_length_offset, 22);
  bytes.resize(46);  // a frame's padding
  const auto padded = View::parse(bytes);
  ASSERT_TRUE(padded);
  EXPECT_EQ(padded->payload().size(), 2U) << "bytes beyond Total Length are not payload";
}

TEST(Ipv4, ForwardingKeepsTheChecksumRight) {
  auto bytes = from_hex(header);
  for (int ttl = 63; ttl >= 0; --ttl) {
    decrement_ttl(bytes.data());
    const auto view = View::parse_quoted(bytes);
    EXPECT_EQ(view->ttl(), ttl);
    EXPECT_TRUE(view->has_good_checksum()) << ttl;
    EXPECT_EQ(view->protocol(), 17);
  }
  for (int value = 0; value < 256; ++value) {
    set_traffic_class(bytes.data(), static_cast<std::uint8_t>(value));
    const auto view = View::parse_quoted(bytes);
    EXPECT_EQ(view->traffic_class(), value);
    EXPECT_TRUE(view->has_good_checksum()) << value;
    EXPECT_EQ(view->header_size(), 20U);
  }
}

TEST(Ipv4, FragmentsSayWhereTheyBelong) {
  Packet packet = wire::test::sliced(from_hex("0011223344556677"));
  Header{.source = IpAddress::v4(1, 2, 3, 4),
         .destination = IpAddress::v4(5, 6, 7, 8),
         .identification = 77,
         .more_fragments = true,
         .offset = 65528}
      .push_onto(packet);
  const auto view = View::parse(packet.front(), packet.size());
  ASSERT_TRUE(view);
  EXPECT_EQ(view->offset(), 65528U);
  EXPECT_TRUE(view->more_fragments());
  EXPECT_TRUE(view->is_fragment());
  EXPECT_EQ(view->payload_size(), 8U);
  EXPECT_EQ(view->payload().size(), 0U) << "it lies in a slice";
}

TEST(Ipv4Options, AreWalkedInOrder) {
  const auto options = from_hex("01 94040000 01 07070400000000 00 ffffff");
  OptionReader reader(options);
  std::vector<int> types;
  while (const auto option = reader.next()) types.push_back(option->type);
  EXPECT_EQ(types, (std::vector<int>{1, 148, 1, 7}));
  EXPECT_FALSE(reader.is_malformed());
  EXPECT_TRUE(examine_options(options).has_router_alert);
}

// RFC 1122 3.2.1.8 [RFC1122-3.2.1.8-c], BI-10: length 0, 1, past the end, or not there at all.
TEST(Ipv4Options, ImpossibleLengthsStopTheWalk) {
  for (const char* bad : {"83 00 04", "83 01 04", "83 04 04", "01 01 83", "88 ff"}) {
    const auto options = from_hex(bad);
    const OptionFacts facts = examine_options(options);
    EXPECT_TRUE(facts.is_malformed) << bad;
    EXPECT_LT(facts.malformed_offset, options.size());
    EXPECT_EQ(options_of_later_fragments(options).size, 0U) << bad;
  }
  EXPECT_EQ(examine_options(from_hex("01 01 83")).malformed_offset, 2U);
}

// BI-10: pointers < 4 and > length + 1, several routes in one header.
TEST(Ipv4Options, SourceRoutesAreCountedAndChecked) {
  EXPECT_EQ(examine_options(from_hex("830704 0a000001 890704 0a000002 0000")).source_routes, 2U);
  const auto route_in = [](const char* text) {
    const auto options = from_hex(text);
    OptionReader reader(options);
    const auto option = reader.next();
    return option ? source_route_of(*option).has_value() : false;
  };
  EXPECT_TRUE(route_in("830704 0a000001"));
  EXPECT_TRUE(route_in("890708 0a000001")) << "the route has ended";
  EXPECT_TRUE(route_in("830304"));
  for (const char* bad : {"830700 0a000001", "830703 0a000001", "830709 0a000001",
                          "83070c 0a000001", "830604 0a0000", "8302", "070704 0a000001"}) {
    EXPECT_FALSE(route_in(bad)) << bad;
  }
}

// RFC 791 3.2 [RFC791-3.2-b]: copied options only.
TEST(Ipv4Options, LaterFragmentsCarryWhatIsMarkedCopied) {
  const auto options = from_hex("01 94040000 07070400000000 830704 0a000001");
  const FragmentOptions copied = options_of_later_fragments(options);
  EXPECT_EQ(std::vector<std::uint8_t>(copied.bytes.begin(), copied.bytes.begin() + 11),
            from_hex("94040000 830704 0a000001"));
  EXPECT_EQ(copied.size, 11U);
  Packet packet(64, 0);
  Header{.source = IpAddress::v4(1, 2, 3, 4),
         .destination = IpAddress::v4(5, 6, 7, 8),
         .options = Bytes(copied.bytes).first(copied.size)}
      .push_onto(packet);
  const auto view = View::parse(packet.front());
  ASSERT_TRUE(view);
  EXPECT_EQ(view->header_size(), 32U);
  EXPECT_EQ(view->options()[11], 0) << "padded with End of Option List";
  EXPECT_TRUE(view->has_good_checksum());
}

}  // namespace
}  // namespace lanyard::ipv4
