// SPDX-License-Identifier: Apache-2.0
#include "wire/tcp.hh"

#include <gtest/gtest.h>

#include "frames.hh"
#include "wire/protocol.hh"

namespace lanyard::tcp {
namespace {

using wire::test::alice4;
using wire::test::alice6;
using wire::test::bob4;
using wire::test::bob6;
using wire::test::bytes_in;
using wire::test::from_hex;

Options parsed(std::string_view text, bool is_syn = true) {
  return Options::parse(from_hex(text), is_syn);
}

TEST(SequenceNumber, WrapsAndHasNoOrderOfItsOwn) {
  const SequenceNumber top(0xffffffff);
  EXPECT_EQ((top + 1).value(), 0U);
  EXPECT_TRUE(before(top, top + 1));
  EXPECT_TRUE(after(top + 1, top));
  EXPECT_EQ((top + 5) - top, 5);
  EXPECT_EQ(top - (top + 5), -5);
  EXPECT_FALSE(before(top, top));
  EXPECT_TRUE(before_or_at(top, top));
  EXPECT_TRUE(is_within(top + 3, top, 4));
  EXPECT_FALSE(is_within(top + 4, top, 4));
  EXPECT_FALSE(is_within(top - 1, top, 4));
  EXPECT_FALSE(is_within(top, top, 0));
}

// RFC 9293 3.1 [MUST-2], [MUST-1]: checksum with both pseudo-headers, payload in a slice of odd
// length; a window above 32767.
TEST(Tcp, SegmentIsReadAndWrittenWithAGoodChecksum) {
  for (const bool is_v4 : {true, false}) {
    const IpAddress& from = is_v4 ? alice4 : alice6;
    const IpAddress& to = is_v4 ? bob4 : bob6;
    Packet packet = wire::test::sliced(bytes_of("odd"));
    Header{.source_port = 1025,
           .destination_port = 80,
           .sequence = SequenceNumber(1),
           .acknowledgment = SequenceNumber(2),
           .flags = flags::psh | flags::ack,
           .window = 0xfffe,
           .urgent_pointer = 3}
        .push_onto(packet, from, to);
    const auto view = View::parse(packet.front(), packet.size());
    ASSERT_TRUE(view);
    EXPECT_EQ(view->source_port(), 1025);
    EXPECT_EQ(view->destination_port(), 80);
    EXPECT_EQ(view->sequence().value(), 1U);
    EXPECT_EQ(view->acknowledgment().value(), 2U);
    EXPECT_EQ(to_text(view->flags()), "PSH, ACK");
    EXPECT_EQ(view->window(), 0xfffe);
    EXPECT_EQ(view->urgent_pointer(), 3);
    EXPECT_EQ(view->payload_size(), 3U);
    EXPECT_EQ(view->sequence_length(), 3U);
    const PseudoHeader pseudo{from, to, protocol::tcp};
    EXPECT_TRUE(has_good_checksum(pseudo, packet, packet.size()));
    // RFC 9293 3.1 [MUST-3]: any changed bit is seen.
    packet.mutable_front()[5] ^= 0x10;
    EXPECT_FALSE(has_good_checksum(pseudo, packet, packet.size()));
    packet.offload.checksum_good = true;
    EXPECT_TRUE(has_good_checksum(pseudo, packet, packet.size()));
  }
}

TEST(Tcp, ChecksumLeftToTheDeviceIsFinishedByIt) {
  Packet packet = wire::test::sliced(bytes_of("hello"));
  Header{.source_port = 1, .destination_port = 2}.push_onto(packet, alice4, bob4,
                                                            ChecksumBy::device);
  EXPECT_TRUE(packet.offload.checksum_wanted);
  const PseudoHeader pseudo{alice4, bob4, protocol::tcp};
  EXPECT_NE(transport_checksum(pseudo, packet, packet.size()), 0);
  finish_checksum(packet);
  EXPECT_EQ(transport_checksum(pseudo, packet, packet.size()), 0);
}

// BI-49: data offset 0..4, or beyond the segment.
TEST(Tcp, ImpossibleDataOffsetsAreDropped) {
  std::vector<std::uint8_t> bytes(24, 0);
  for (int offset = 0; offset < 16; ++offset) {
    bytes[data_offset_offset] = static_cast<std::uint8_t>(offset << 4);
    EXPECT_EQ(View::parse(bytes).has_value(), offset == 5 || offset == 6) << offset;
  }
  bytes[data_offset_offset] = 0x50;
  for (std::size_t size = 0; size < 20; ++size) {
    EXPECT_EQ(View::parse(Bytes(bytes).first(size)).error(), DropReason::bad_tcp_header);
  }
}

// RFC 9293 3.1 [MUST-4], [MUST-64]: options at any alignment.
TEST(TcpOptions, AreReadAtAnyAlignment) {
  for (int nops = 0; nops < 4; ++nops) {
    std::string text(std::size_t(3 * nops), ' ');
    for (int i = 0; i < nops; ++i) text.replace(std::size_t(3 * i), 2, "01");
    const Options options = parsed(text + "020405b4 030307 0402 080a000003e800000007");
    EXPECT_EQ(options.mss, 1460);
    EXPECT_EQ(options.window_scale, 7);
    EXPECT_TRUE(options.sack_permitted);
    EXPECT_EQ(options.timestamps, (Timestamps{1000, 7}));
    EXPECT_FALSE(options.is_malformed);
  }
}

// RFC 9293 3.1 [MUST-5], RFC 7323 2.2 [RFC7323-2.2-a], BI-62: on any segment, but some mean
// something on a SYN only; shifts above 14 are 14.
TEST(TcpOptions, SynOnlyOptionsAreIgnoredElsewhere) {
  const Options options = parsed("020405b4 030307 0402 080a0000000100000002", false);
  EXPECT_FALSE(options.mss);
  EXPECT_FALSE(options.window_scale);
  EXPECT_FALSE(options.sack_permitted);
  EXPECT_TRUE(options.timestamps);
  for (const char* text : {"03030e", "03030f", "0303ff"}) {
    EXPECT_EQ(parsed(text).window_scale, 14);
  }
}

// RFC 9293 3.1 [MUST-6]: unknown kinds are skipped without a side effect.
TEST(TcpOptions, UnknownKindsAreSkipped) {
  EXPECT_EQ(parsed("ff04abcd 020405b4"), parsed("020405b4"));
  EXPECT_EQ(parsed("fd02 020405b4"), parsed("020405b4"));
}

// RFC 9293 3.1 [MUST-7], BI-50, BI-51, BI-46: lengths of 0, 1, past the header's end or missing;
// malformed AO and MD5.
TEST(TcpOptions, IllegalLengthsEndTheReading) {
  for (const char* bad :
       {"020405b4 0800", "020405b4 0801", "020405b4 080a0000", "020405b4 08", "020405b4 ff",
        "020405b4 1d00", "020405b4 13ff00", "020405b4 1d", "020405b4 0506"}) {
    const Options options = parsed(bad);
    EXPECT_TRUE(options.is_malformed) << bad;
    EXPECT_EQ(options.mss, 1460) << "what stood before it holds";
    EXPECT_FALSE(options.timestamps);
  }
  EXPECT_EQ(parsed(""), Options{});
  std::string nops;
  for (int i = 0; i < 40; ++i) nops += "01";
  EXPECT_EQ(parsed(nops), Options{});
  EXPECT_TRUE(parsed("1d041122").has_authentication);
  EXPECT_TRUE(parsed("1312 00112233445566778899aabbccddeeff").has_md5_signature);
}

// Options of a known kind whose length is not theirs say nothing.
TEST(TcpOptions, KnownKindsWithOtherLengthsAreIgnored) {
  EXPECT_EQ(parsed("0203b4 0302 0403ff 08040000 0506ffffffff 1c03ff 2205123456"), Options{});
  EXPECT_EQ(parsed("2202").fast_open, FastOpenCookie{}) << "a request for a cookie";
}

// BI-61: zeros are values; a second option changes nothing.
// The usual form is read at one glance: it must say what the walk over options says.
TEST(TcpOptions, TimestampsInTheirUsualPlaceReadAsAnywhereElse) {
  EXPECT_EQ(parsed("0101 080a00000001 80000002"), parsed("080a00000001 80000002 0101"));
  EXPECT_EQ(parsed("0101 080a00000001 80000002").timestamps->echo, 0x8000'0002U);
}

TEST(TcpOptions, TimestampsAreOneValue) {
  EXPECT_EQ(parsed("080a0000000000000007").timestamps, (Timestamps{0, 7}));
  EXPECT_EQ(parsed("080a0000000000000000").timestamps, (Timestamps{0, 0}));
  EXPECT_EQ(parsed("080a0000000100000002 080a0000000300000004").timestamps, (Timestamps{1, 2}));
}

// BI-54: the fifth block, a truncated option; judging the blocks is the sender's work.
TEST(TcpOptions, AtMostFourSackBlocksAreTaken) {
  std::string text = "052a";
  for (int i = 0; i < 5; ++i) text += "00000001 00000002";
  EXPECT_EQ(parsed(text, false).sack_blocks, 4);
  EXPECT_EQ(parsed("050a 00000005 00000003", false).sacked()[0],
            (SackBlock{SequenceNumber(5), SequenceNumber(3)}));
  EXPECT_EQ(parsed("0509 00000005 000000", false).sack_blocks, 0);
}

// RFC 9293 3.1 [MUST-68], [MUST-69]: a length byte on all, no bytes after End of Option List.
TEST(TcpOptions, SynOptionsTakeTwentyBytes) {
  const Options options{.mss = 1460,
                        .window_scale = std::uint8_t{7},
                        .sack_permitted = true,
                        .timestamps = Timestamps{1000, 0}};
  ASSERT_EQ(options.size(), 20U);
  std::vector<std::uint8_t> bytes(20);
  options.write(bytes.data());
  EXPECT_EQ(bytes, from_hex("020405b4 0402 080a000003e800000000 01 030307"));
  EXPECT_EQ(Options::parse(bytes, true), options);
}

TEST(TcpFlags, AreWrittenInOrder) {
  EXPECT_EQ(to_text(Flags{}), "<none>");
  EXPECT_EQ(to_text(Flags{0xff}), "FIN, SYN, RST, PSH, ACK, URG, ECE, CWR");
}

}  // namespace
}  // namespace lanyard::tcp
