// SPDX-License-Identifier: Apache-2.0
// The story of a run made by hand, as a person reads it.
#include "cli/story.hh"

#include <gtest/gtest.h>

#include "run_maker.hh"

namespace lanyard::cli {
namespace {

using tcp::flags::ack;
using tcp::flags::fin;
using tcp::flags::psh;
using tcp::flags::syn;

constexpr std::uint32_t isn_a = 5000;
constexpr std::uint32_t isn_b = 4'294'967'000;  // wraps soon

void handshake(RunMaker& maker) {
  maker.at_us(1'000'000);
  maker.arp();
  maker.segment({.flags = syn, .sequence = isn_a, .text = ""});
  maker.segment({.from_alice = false,
                 .flags = syn | ack,
                 .sequence = isn_b,
                 .acknowledgment = isn_a + 1,
                 .text = ""});
  maker.segment({.flags = ack, .sequence = isn_a + 1, .acknowledgment = isn_b + 1, .text = ""});
}

std::string story_of(const RunMaker& maker, const StoryOptions& options = {}) {
  const Tale tale = tale_of(maker.run, {});
  const auto lines = lines_of(tale, options);
  return draw(picture_of(tale, lines, options),
              {.has_colour = false, .has_utf8 = true, .columns = 100});
}

TEST(Story, HandshakeAndRequestAreToldEndToEndWithRelativeNumbers) {
  RunMaker maker;
  handshake(maker);
  maker.segment({.flags = psh | ack,
                 .sequence = isn_a + 1,
                 .acknowledgment = isn_b + 1,
                 .text = "GET / HTTP/1.1\r\nHost: bob\r\n\r\n"});
  EXPECT_EQ("\n" + story_of(maker), R"(
no.      time  alice                r1                  bob
  1  1.000000    │─────── ARP ──────▶│                   │   who has 10.0.1.1? tell 10.0.1.2
  5  1.000022    │◀─────── ARP ──────│                   │   10.0.1.1 is at 02:00:00:00:00:03
  9  1.000044    │─────── SYN ───────┼──────────────────▶│   40000 -> 80, seq 0
 15  1.000077    │◀──────────────────┼────── SYN,ACK ────│   80 -> 40000, seq 0 ack 1
 21  1.000110    │─────── ACK ───────┼──────────────────▶│   ack 1
 27  1.000143    │────── HTTP ───────┼──────────────────▶│   GET / HTTP/1.1
)");
}

TEST(Story, LossIsMarkedWhereItHappenedAndItsRepairIsARetransmission) {
  RunMaker maker;
  handshake(maker);
  const Segment data{
      .flags = psh | ack, .sequence = isn_a + 1, .acknowledgment = isn_b + 1, .text = "hello"};
  maker.segment(data, "dropped: lost on the link", RunMaker::r1_eth1);
  maker.at_us(1'300'000);
  maker.segment(data);
  EXPECT_EQ("\n" + story_of(maker), R"(
no.      time  alice                r1                  bob
  1  1.000000    │─────── ARP ──────▶│                   │   who has 10.0.1.1? tell 10.0.1.2
  5  1.000022    │◀─────── ARP ──────│                   │   10.0.1.1 is at 02:00:00:00:00:03
  9  1.000044    │─────── SYN ───────┼──────────────────▶│   40000 -> 80, seq 0
 15  1.000077    │◀──────────────────┼────── SYN,ACK ────│   80 -> 40000, seq 0 ack 1
 21  1.000110    │─────── ACK ───────┼──────────────────▶│   ack 1
 27  1.000143    │────── DATA ───────┼─────────✗         │   lost on the link: seq 1 ack 1, 5 bytes
 32  1.300000    │────── DATA ───────┼──────────────────▶│   retransmission: seq 1 ack 1, 5 bytes
)");
}

TEST(Story, LongRunsOfDataAreFoldedIntoOneLine) {
  RunMaker maker;
  handshake(maker);
  const std::string text(1000, 'x');
  std::uint32_t sequence = isn_a + 1;
  for (int i = 0; i < 20; ++i) {
    maker.segment({.flags = ack, .sequence = sequence, .acknowledgment = isn_b + 1, .text = text});
    sequence += 1000;
    maker.segment({.from_alice = false,
                   .flags = ack,
                   .sequence = isn_b + 1,
                   .acknowledgment = sequence,
                   .text = ""});
  }
  maker.segment(
      {.flags = fin | ack, .sequence = sequence, .acknowledgment = isn_b + 1, .text = ""});
  EXPECT_EQ("\n" + story_of(maker), R"(
 no.      time  alice              r1                bob
   1  1.000000    │────── ARP ─────▶│                 │   who has 10.0.1.1? tell 10.0.1.2
   5  1.000022    │◀────── ARP ─────│                 │   10.0.1.1 is at 02:00:00:00:00:03
   9  1.000044    │────── SYN ──────┼────────────────▶│   40000 -> 80, seq 0
  15  1.000077    │◀────────────────┼───── SYN,ACK ───│   80 -> 40000, seq 0 ack 1
  21  1.000110    │────── ACK ──────┼────────────────▶│   ack 1
  27  1.000143    │───── DATA ──────┼────────────────▶│   seq 1 ack 1, 1,000 bytes
      1.000176    │┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┼┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄▶│   ... 19 segments, 19,000 bytes, 19 acks ...
 261  1.001430    │◀────────────────┼─────── ACK ─────│   ack 20001
 267  1.001463    │──── FIN,ACK ────┼────────────────▶│   seq 20001 ack 1
)");
}

}  // namespace
}  // namespace lanyard::cli
