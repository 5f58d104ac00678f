// SPDX-License-Identifier: Apache-2.0
// The pages of `lanyard show` of a run made by hand: journeys, packets, JSON, files of others.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/flights.hh"
#include "cli/show_parts.hh"
#include "cli/tree.hh"
#include "run_maker.hh"
#include "wire/pcapng.hh"

namespace lanyard::cli {
namespace {

using nlohmann::json;
using tcp::flags::ack;
using tcp::flags::psh;
using tcp::flags::syn;

const Paper paper{.has_colour = false, .has_utf8 = true, .columns = 100};

RunMaker one_segment() {
  RunMaker maker;
  maker.at_us(2'000'000);
  maker.segment({.flags = psh | ack,
                 .sequence = 7,
                 .acknowledgment = 9,
                 .text = "GET / HTTP/1.1\r\nHost: bob\r\n\r\n"});
  return maker;
}

TEST(Flights, OnePacketIsOneFlightFromItsMakerToItsReceiver) {
  RunMaker maker;
  maker.arp();
  maker.segment({.flags = syn, .text = ""});
  const auto flights = flights_of(maker.run);
  ASSERT_EQ(flights.size(), 3U);
  EXPECT_EQ(flights[2].sightings.size(), 6U);
  const Ending ending = ending_of(maker.run, flights[2], 0U);
  EXPECT_EQ(maker.run.nodes[ending.from].name, "alice");
  EXPECT_EQ(maker.run.nodes[ending.to].name, "bob");
  EXPECT_FALSE(ending.is_lost);
}

TEST(Flights, AFloodedFrameThatOthersIgnoreIsNotLost) {
  RunMaker maker;
  maker.arp();
  lab::RunPacket ignored = maker.run.packets[3];
  ignored.port = RunMaker::bob_eth0;
  ignored.comment = "dropped: not for us";
  maker.run.packets.insert(maker.run.packets.begin() + 4, ignored);
  const auto flights = flights_of(maker.run);
  const Ending ending = ending_of(maker.run, flights[0], 3U);
  EXPECT_FALSE(ending.is_lost);
  EXPECT_EQ(maker.run.nodes[ending.to].name, "r1");
}

TEST(Flights, LifelinesStandFromOneEndOfTheTopologyToTheOther) {
  std::vector<std::string> names;
  const RunMaker maker;
  for (const std::uint32_t node : lifeline_order(maker.run)) {
    names.push_back(maker.run.nodes[node].name);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"alice", "r1", "bob"}));
}

TEST(Journey, SaysHopByHopWhatEachNodeChanged) {
  const RunMaker maker = one_segment();
  EXPECT_EQ("\n" + journey_page(maker.run, 3, paper), R"(
The journey of packet 1: alice to bob
HTTP GET / HTTP/1.1, 83 bytes, 32.000 us on its way

  1  2.000000  alice:eth0 sends it
                Ethernet   Destination 02:00:00:00:00:03; Source 02:00:00:00:00:01;
                           Type IPv4 (0x0800)
                IPv4       Version 4; Header Length 20 bytes; DSCP 0; ECN Not-ECT (0);
                           Total Length 69; Identification 0x0000; Reserved not set;
                           Don't Fragment not set; More Fragments not set; Fragment Offset 0;
                           Time to Live 64; Protocol TCP (6); Header Checksum 0x63b0 (correct);
                           Source Address 10.0.1.2; Destination Address 10.0.2.2
                TCP        Source Port 40000; Destination Port 80; Sequence Number 7 (0x00000007);
                           Acknowledgment Number 9 (0x00000009); Data Offset 20 bytes;
                           Flags 0x18 (PSH, ACK); Window 64240; Checksum 0x60f6 (correct);
                           Urgent Pointer 0
                HTTP       Request Line GET / HTTP/1.1; Host bob
  2  2.000010  office:port1 receives it    10.000 us on alice -- office
  3  2.000011  office:port2 sends it       1.000 us in office, unchanged
  4  2.000021  r1:eth0 receives it         10.000 us on office -- r1
  5  2.000022  r1:eth1 sends it            1.000 us in r1
                Ethernet Destination        02:00:00:00:00:03 → 02:00:00:00:00:02
                Ethernet Source             02:00:00:00:00:01 → 02:00:00:00:00:04
                IPv4 Time to Live           64 → 63
                IPv4 Header Checksum        0x63b0 (correct) → 0x64b0 (correct)
  6  2.000032  bob:eth0 receives it        10.000 us on r1 -- bob
     bob unwraps it: Ethernet (link), IPv4 (internet), TCP (transport), HTTP (application)
)");
}

TEST(Journey, EndsWhereThePacketWasLost) {
  RunMaker maker;
  maker.segment({.flags = syn, .text = ""}, "dropped: queue full", RunMaker::r1_eth1);
  const std::string page = journey_page(maker.run, 0, paper);
  EXPECT_NE(page.find("lost: queue full"), std::string::npos) << page;
  EXPECT_EQ(page.find("unwraps"), std::string::npos) << page;
}

TEST(Journey, AsJsonNamesEveryHopAndChange) {
  const RunMaker maker = one_segment();
  const json page = json::parse(journey_json(maker.run, 0).dump());
  ASSERT_EQ(page["hops"].size(), 6U);
  EXPECT_EQ(page["hops"][0]["event"], "sent");
  EXPECT_EQ(page["hops"][5]["node"], "bob");
  bool has_ttl = false;
  for (const json& change : page["hops"][4]["changes"]) {
    if (change["field"] == "Time to Live") {
      has_ttl = true;
      EXPECT_EQ(change["before"], "64");
      EXPECT_EQ(change["after"], "63");
    }
  }
  EXPECT_TRUE(has_ttl);
}

TEST(PacketPage, HasEveryLayerAndTheBytes) {
  RunMaker maker = one_segment();
  const std::size_t size = maker.run.packets[0].size;
  const Shown shown = std::move(maker.run);
  const std::string page = packet_page(shown, 0, paper);
  for (const char* part : {"Packet 1 at 2.000000 s, sent by alice:eth0", "Ethernet", "IPv4", "TCP",
                           "Time to Live: 64", "Destination Port: 80", "0000  02 00 00"}) {
    EXPECT_NE(page.find(part), std::string::npos) << part << "\n" << page;
  }
  const json as_json = json::parse(packet_json(shown, 0).dump());
  EXPECT_EQ(as_json["bytes"], size);
  EXPECT_EQ(as_json["layers"][1]["name"], "IPv4");
}

TEST(Diagram, AsJsonIsValidAndFilters) {
  RunMaker maker;
  maker.arp();
  maker.segment({.flags = syn, .text = ""}, "dropped: queue full");
  const Tale tale = tale_of(maker.run, {});
  const json all = json::parse(diagram_json(tale, {}, 0).dump());
  ASSERT_EQ(all["packets"].size(), 3U);
  EXPECT_EQ(all["packets"][2]["lost"], "queue full");
  const json tcp_only = diagram_json(tale, {.protocols = {"tcp"}}, 0);
  EXPECT_EQ(tcp_only["packets"].size(), 1U);
  EXPECT_EQ(diagram_json(tale, {}, 2)["packets"].size(), 2U);
}

TEST(Diagram, OnlyWhatANodeSawIsShownIfAsked) {
  RunMaker maker;
  maker.arp();
  maker.segment({.flags = syn, .text = ""});
  EXPECT_EQ(tale_of(maker.run, {.nodes = {"bob"}}).passages.size(), 1U);
  EXPECT_EQ(tale_of(maker.run, {.nodes = {"alice"}}).passages.size(), 3U);
}

std::vector<std::uint8_t> foreign_capture() {
  const RunMaker maker = one_segment();
  std::vector<std::uint8_t> bytes;
  pcapng::Writer writer(bytes);
  writer.section({});
  const std::uint32_t interface = writer.interface({.name = "any"});
  const Bytes frame = maker.run.frame(maker.run.packets[0]);
  writer.packet({.interface = interface, .time_ns = 5'000'000'000}, frame);
  writer.packet({.interface = interface, .time_ns = 5'500'000'000}, frame);
  return bytes;
}

TEST(Capture, OfOthersIsToldByItsAddresses) {
  const auto capture = parse_capture(foreign_capture());
  ASSERT_TRUE(capture.has_value()) << capture.error().what;
  EXPECT_FALSE(capture->has_lanyard_blocks);
  const Tale tale = tale_of(*capture, {});
  EXPECT_EQ(tale.lifelines, (std::vector<std::string>{"10.0.1.2", "10.0.2.2"}));
  ASSERT_EQ(tale.passages.size(), 2U);
  EXPECT_EQ(tale.passages[1].at, Instant::at_ns(500'000'000));
}

TEST(Capture, CutShortAnywhereSaysWhereAndKeepsWhatIsBefore) {
  const auto whole = foreign_capture();
  for (std::size_t size = 1; size < whole.size(); ++size) {
    const auto capture = parse_capture({whole.begin(), whole.begin() + static_cast<long>(size)});
    if (!capture.has_value()) {
      EXPECT_FALSE(capture.error().what.empty());
      EXPECT_LE(capture.error().offset, size);
    } else if (capture->cut_short.has_value()) {
      EXPECT_LE(capture->cut_short->offset, size);
      EXPECT_LT(capture->frames.size(), 2U + (size > whole.size() - 4 ? 1U : 0U));
    }
  }
}

TEST(Capture, SomethingElseIsRefusedWithAReason) {
  for (const std::string_view text : {"", "hello, I am no capture at all",
                                      "\x7f"
                                      "ELF........"}) {
    const Bytes bytes = bytes_of(text);
    const auto capture = parse_capture({bytes.begin(), bytes.end()});
    ASSERT_FALSE(capture.has_value()) << text;
    EXPECT_FALSE(capture.error().what.empty());
  }
}

TEST(Changes, FieldsThatComeAndGoAreNamed) {
  const std::vector<wire::Field> before{
      {.name = "Ethernet", .children = {{.name = "Type", .value = "IPv4"}}}};
  const std::vector<wire::Field> after{
      {.name = "Ethernet", .children = {{.name = "Type", .value = "VLAN"}}},
      {.name = "VLAN", .children = {{.name = "Id", .value = "7"}}}};
  const auto changes = changes_between(before, after);
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[0].before, "IPv4");
  EXPECT_EQ(changes[1].layer, "VLAN");
  EXPECT_EQ(changes[1].before, "");
  const auto back = changes_between(after, before);
  ASSERT_EQ(back.size(), 2U);
  EXPECT_EQ(back[1].after, "");
}

}  // namespace
}  // namespace lanyard::cli
