// SPDX-License-Identifier: Apache-2.0
// Whole labs in virtual time.

#include <csignal>

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "lab.hh"
#include "lab/observer.hh"
#include "lab/recorder.hh"
#include "lab/run_file.hh"

namespace lanyard::lab {
namespace {

using namespace lanyard::literals;

using test::Lab;

WorldOptions kept_running() {
  WorldOptions options;
  options.keeps_running = true;
  return options;
}

TEST(World, AnErrorLeftInTheErrorQueueWakesNobodyTwice) {
  Lab lab(R"(
hosts:
  alice:
    run:
      - { do: ping bob -4 -t 1 -c 2 -i 100, name: ping4, expect: exit 1 }
      - { do: ping bob -6 -t 1 -c 1, name: ping6, at: 3s, expect: exit 1 }
      - { do: traceroute bob -4, name: trace, at: 5s, expect: exit 0 }
  bob: {}
routers: [r1, r2]
links: [alice -- r1, r1 -- r2, r2 -- bob]
)");
  lab.world->run();
  EXPECT_EQ(lab.complaints(), "");
  EXPECT_EQ(lab.printed("ping4"),
            "PING bob (10.0.3.2) 56 bytes of data\n"
            "From 10.0.1.1 icmp_seq=1 Time to live exceeded\n"
            "From 10.0.1.1 icmp_seq=2 Time to live exceeded\n"
            "2 packets transmitted, 0 received, 100% packet loss\n");
  EXPECT_EQ(lab.printed("ping6"),
            "PING bob (fd00:0:0:3::2) 56 bytes of data\n"
            "From fd00:0:0:1::1 icmp_seq=1 Time exceeded: Hop limit\n"
            "1 packets transmitted, 0 received, 100% packet loss\n");
}

constexpr std::string_view two_lans = R"(
hosts:
  bob: { run: [http serve, echo serve] }
  alice:
    run:
      - { do: ping bob -c 2, name: pinger, expect: exit 0 }
      - { do: ping bob -c 2 -6, name: pinger6, expect: exit 0 }
      - { do: http get http://bob/, name: browser, at: 3s, expect: exit 0 }
switches: [office, dc]
routers: [r1]
links:
  - alice -- office
  - office -- r1
  - r1 -- dc: { delay: 20ms, rate: 50Mbit }
  - dc -- bob
)";

TEST(World, TwoLansJoinedByARouterAnswerPingAndHttpByName) {
  Lab lab(two_lans);
  lab.world->run();
  EXPECT_EQ(lab.complaints(), "");
  EXPECT_NE(lab.printed("pinger").find("10.0.2.2"), std::string::npos) << lab.printed("pinger");
  EXPECT_NE(lab.printed("pinger6").find("fd00:0:0:2::2"), std::string::npos)
      << lab.printed("pinger6");
  EXPECT_NE(lab.printed("browser"), "");
  EXPECT_EQ(lab.row("bob").state, ProgramState::stopped);
  EXPECT_EQ(lab.row("browser").state, ProgramState::exited);
}

TEST(World, AHostAloneOnASwitchServesNamesItself) {
  Lab lab(
      "hosts:\n  a: { run: { do: ping b -c 1, expect: exit 0 } }\n  b:\nlinks: [a -- b: { delay: "
      "1ms }]\n");
  lab.world->run();
  EXPECT_EQ(lab.complaints(), "");
}

TEST(World, ACutLinkCarriesNothingUntilItIsHealed) {
  Lab lab(
      "hosts:\n  a: { run: [{ do: ping 10.0.1.2 -c 1, name: early, at: 1s, expect: any },"
      " { do: ping 10.0.1.2 -c 1, name: late, at: 20s, expect: exit 0 }] }\n  b:\nlinks: [a -- b]\n"
      "at: { 500ms: cut a -- b, 10s: heal a -- b }\ncheck:\n  - drops (a -- b) > 0\n  - drops link "
      "down > 0\n");
  lab.world->run();
  EXPECT_EQ(lab.complaints(), "");
  EXPECT_NE(lab.row("early").status, 0);
}

TEST(World, ALinkMayBeCutInOneDirection) {
  Lab lab(
      "hosts:\n  a: { run: { do: ping 10.0.1.2 -c 1, expect: any } }\n  b:\nlinks: [a -- b]\nat: { "
      "0s: cut b -> a }\n");
  lab.world->run();
  const LinkRow link = lab.world->links().at(0);
  EXPECT_EQ(link.a_counters.drops[static_cast<std::size_t>(DropReason::link_down)], 0U);
  EXPECT_GT(link.b_counters.drops[static_cast<std::size_t>(DropReason::link_down)], 0U);
}

TEST(World, ChecksSayWhatWasExpectedAndWhatHappened) {
  Lab lab(
      "hosts:\n  a: { run: { do: ping 10.0.1.2 -c 1 } }\n  b: { run: ping nobody }\nlinks: [a -- "
      "b]\n"
      "check:\n  - a exits 3\n  - a prints \"never\"\n  - tcp retransmits > 0\n  - packets arp == "
      "99\n  - b exits 0\n");
  lab.world->run();
  const std::string all = lab.complaints();
  EXPECT_NE(all.find("a exits 3: a exited 0\n"), std::string::npos) << all;
  EXPECT_NE(all.find("tcp retransmits > 0: tcp retransmits is 0, not > 0\n"), std::string::npos)
      << all;
  EXPECT_NE(all.find(", not == 99\n"), std::string::npos) << all;
  EXPECT_NE(all.find("bytes without it, and exited 0\n"), std::string::npos) << all;
  EXPECT_NE(all.find("b is not to fail: b exited"), std::string::npos) << all;
}

TEST(World, AProgramThatNobodyCanStartIsSaidWithItsHost) {
  Lab lab("time: real\nhosts:\n  a: { run: curl http://b/ }\n  b:\nlinks: [a -- b]\n");
  lab.world->run_until(Instant::start());
  EXPECT_EQ(lab.row("a").state, ProgramState::not_started);
  EXPECT_EQ(
      lab.row("a").problem,
      "a: `curl http://b/` is not built into Lanyard, and there is nothing to launch it with");
}

TEST(World, UntilEndsWhatWouldGoOn) {
  Lab lab("until: 90s\nhosts:\n  a: { run: ping b -c 65535 }\n  b:\nlinks: [a -- b]\n");
  lab.world->run();
  EXPECT_EQ(lab.row("a").state, ProgramState::stopped);
  EXPECT_GE(lab.world->now(), Instant::start() + 90_s);
  EXPECT_LT(lab.world->now(), Instant::start() + 95_s);
}

TEST(World, ServersAloneEndTheLabWhenNothingIsLeftToHappen) {
  Lab lab("hosts:\n  a: { run: http serve }\n  b:\nlinks: [a -- b]\n");
  lab.world->run();
  EXPECT_EQ(lab.row("a").state, ProgramState::stopped);
}

// Started while the lab runs, on its first host.
ProgramId start_ping(World& world) {
  world.run_until(Instant::start());
  Launch ping;
  ping.command = {"ping", "b", "-c", "50000"};
  return world.start(0, std::move(ping));
}

TEST(World, ProgramsAreStartedAndSignalledLive) {
  Lab lab("hosts: [a, b]\nlinks: [a -- b]\n", kept_running());
  World& world = *lab.world;
  const ProgramId id = start_ping(world);
  world.run_until(Instant::start() + 10_s);
  EXPECT_NE(lab.printed("a").find("10.0.1.2"), std::string::npos) << lab.printed("a");
  world.signal(id, 15);
  world.run_until(Instant::start() + 11_s);
  EXPECT_EQ(lab.row("a").state, ProgramState::killed);
  EXPECT_EQ(lab.row("a").signal, 15);
  EXPECT_FALSE(world.is_over());
  world.end();
  world.run();
  EXPECT_TRUE(world.is_over());
}

TEST(World, APingThatIsInterruptedCounts) {
  Lab lab("hosts: [a, b]\nlinks: [a -- b]\n", kept_running());
  World& world = *lab.world;
  const ProgramId id = start_ping(world);
  world.run_until(Instant::start() + 2500_ms);
  world.signal(id, SIGINT);
  world.run_until(Instant::start() + 3_s);
  EXPECT_EQ(lab.row("a").state, ProgramState::exited);
  EXPECT_EQ(lab.row("a").status, 0);
  EXPECT_NE(lab.printed("a").find("3 packets transmitted, 3 received, 0% packet loss\nrtt"),
            std::string::npos)
      << lab.printed("a");
  world.end();
}

TEST(World, ADayOfTwoIdleHostsWithKeepAlivePassesInASecond) {
  Lab lab(
      "hosts:\n  a: { run: { do: echo send b hello --hold 86400, expect: exit 0 } }\n  b: { run: "
      "echo serve }\nlinks: [a -- b: "
      "{ delay: 5ms }]\n");
  const auto began = std::chrono::steady_clock::now();
  lab.world->run();
  const auto took = std::chrono::steady_clock::now() - began;
  EXPECT_EQ(lab.complaints(), "");
  EXPECT_GE(lab.world->now(), Instant::start() + 86400_s);
  EXPECT_LT(took, std::chrono::seconds(1));
}

// The run file of a lab.
std::vector<std::uint8_t> run_file_of(std::string_view text) {
  const std::filesystem::path path = std::filesystem::temp_directory_path() /
                                     ("lanyard_world_" + std::to_string(::getpid()) + ".pcapng");
  auto recorder = Recorder::open({.path = path});
  if (!recorder) {
    ADD_FAILURE() << recorder.error();
    return {};
  }
  WorldOptions options;
  options.recorder = recorder->get();
  Lab(text, std::move(options)).world->run();
  std::ifstream stream(path, std::ios::binary);
  std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(stream), {}};
  std::filesystem::remove(path);
  return bytes;
}

std::string lossy_lab(int seed) {
  return "seed: " + std::to_string(seed) +
         "\nhosts:\n  a: { run: { do: bulk send b 300000, expect: exit 0 } }\n  b: { run: bulk "
         "serve }\nrouters: [r]\n"
         "links:\n  - a -- r: { delay: 3ms, loss: 2%, rate: 20Mbit, queue: 20KB }\n  - r -- b\n";
}

TEST(World, SameLabAndSeedGiveTheSameBytesAndAnotherSeedOthers) {
  const std::vector<std::uint8_t> first = run_file_of(lossy_lab(7));
  EXPECT_GT(first.size(), 300'000U);
  EXPECT_TRUE(first == run_file_of(lossy_lab(7)));
  EXPECT_FALSE(first == run_file_of(lossy_lab(8)));
}

// What tshark prints for a command line over a run file.
std::string tshark(const std::vector<std::uint8_t>& bytes, const std::string& arguments) {
  const std::filesystem::path path = std::filesystem::temp_directory_path() /
                                     ("lanyard_tshark_" + std::to_string(::getpid()) + ".pcapng");
  std::ofstream(path, std::ios::binary)
      .write(static_cast<const char*>(static_cast<const void*>(bytes.data())),
             static_cast<std::streamsize>(bytes.size()));
  FILE* pipe = ::popen(("tshark -r " + path.string() + " " + arguments + " 2>&1").c_str(), "r");
  std::string text;
  for (int c = 0; pipe != nullptr && (c = std::fgetc(pipe)) != EOF;) text += static_cast<char>(c);
  if (pipe != nullptr) ::pclose(pipe);
  std::filesystem::remove(path);
  return text;
}

TEST(World, TsharkFindsNothingWrongInARun) {
  if (std::system("command -v tshark > /dev/null 2>&1") != 0)
    GTEST_SKIP() << "tshark is not installed";
  const std::vector<std::uint8_t> run = run_file_of(lossy_lab(7));
  const std::string bad = tshark(run,
                                 "-o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -o "
                                 "udp.check_checksum:TRUE -Y '_ws.malformed || "
                                 "ip.checksum.status == Bad || tcp.checksum.status == Bad || "
                                 "udp.checksum.status == Bad || icmpv6.checksum.status == Bad'");
  EXPECT_EQ(bad.find("TCP"), std::string::npos) << bad.substr(0, 1000);
  EXPECT_EQ(bad.find("damaged"), std::string::npos) << bad.substr(0, 1000);
  const std::string lost = tshark(
      run, "-Y 'frame.comment contains \"lost on the link\"' -T fields -e frame.interface_name");
  EXPECT_NE(lost.find("a:eth0"), std::string::npos) << lost.substr(0, 1000);
}

TEST(World, APacketCanBeFollowedHopByHop) {
  const auto run = parse_run_file(run_file_of(two_lans));
  ASSERT_TRUE(run) << run.error().what;
  EXPECT_TRUE(run->is_whole);
  // The longest journey is from alice to bob or back: sent and received at each of four links.
  std::map<std::uint64_t, std::vector<std::string>> journeys;
  for (const RunPacket& packet : run->packets)
    journeys[packet.packet].push_back(run->port_name(packet.port) + (packet.is_sent ? ">" : "<"));
  const std::vector<std::string> there{"alice:eth0>", "office:port1<", "office:port2>",
                                       "r1:eth0<",    "r1:eth1>",      "dc:port1<",
                                       "dc:port2>",   "bob:eth0<"};
  EXPECT_GT(std::ranges::count_if(journeys, [&](const auto& each) { return each.second == there; }),
            4);
}

TEST(World, AProgramOfTheModelsOwnRunsInVirtualTimeBesideTheBuiltInOnes) {
  auto lab =
      parse_lab("hosts:\n  a: { run: { do: count-to 3, expect: exit 3 } }\n  b:\nlinks: [a -- b]\n",
                "t.yaml");
  ASSERT_TRUE(lab);
  EXPECT_EQ(time_of(lab->model), TimeMode::real);
  lab->model.programs["count-to"] = [](socket::Process& process,
                                       std::span<const std::string> arguments) {
    process.sleep(3_s);
    return std::stoi(arguments[1]);
  };
  EXPECT_EQ(time_of(lab->model), TimeMode::virtual_);
  const Plan plan = *make_plan(lab->model);
  World world(lab->model, plan, {});
  world.run();
  EXPECT_TRUE(world.verdicts().at(0).is_good) << world.verdicts().at(0).happened;
}

// What an observer sees is what the run file says.
class Counting final : public Observer {
 public:
  void on_event(const Event&) override { ++events; }
  void on_frame(const RecordedFrame& frame) override {
    ++frames;
    bytes += frame.bytes.size();
  }
  std::size_t events = 0, frames = 0, bytes = 0;
};

TEST(World, AnObserverSeesEveryFrameAtEveryPortThatTheRunFileHas) {
  const auto run = parse_run_file(run_file_of(two_lans));
  ASSERT_TRUE(run) << run.error().what;
  Counting counting;
  WorldOptions options;
  options.observer = &counting;
  Lab lab(two_lans, std::move(options));
  lab.world->run();
  EXPECT_EQ(counting.frames, run->packets.size());
  EXPECT_GE(counting.events, run->events.size());
  EXPECT_GT(counting.bytes, 0U);
}

TEST(World, AThousandHostsStandQuickly) {
  std::string text = "hosts: [h*1000]\nswitches: [s*20]\nrouters: [r]\nlinks:\n";
  for (int i = 1; i <= 1000; ++i)
    text += "  - h" + std::to_string(i) + " -- s" + std::to_string(i % 20 + 1) + "\n";
  for (int i = 1; i <= 20; ++i) text += "  - s" + std::to_string(i) + " -- r\n";
  Lab lab(text, kept_running());
  const auto began = std::chrono::steady_clock::now();
  lab.world->run_until(Instant::start());
  const auto took = std::chrono::steady_clock::now() - began;
  EXPECT_LT(took, std::chrono::seconds(2));
  EXPECT_NE(lab.world->stack(999), nullptr);
}

// In real time, unseen, a super-segment crosses a link in one piece, and is counted as what a wire
// would carry. (The clock is the test's own.)
TEST(World, SuperSegmentsCrossALinkWholeAndCountAsTheirFrames) {
  constexpr std::uint64_t sent = 4'000'000, segment = 1448, headers = 66;
  WorldOptions options;
  options.in_real_time = true;
  Lab lab(R"(
hosts:
  alice: { run: { do: bulk send bob 4000000, expect: exit 0 } }
  bob: { run: bulk serve }
switches: [lan]
links: [alice -- lan, lan -- bob: { delay: 100us }]
)",
          std::move(options));
  World& world = *lab.world;
  for (int turn = 0; turn < 100'000 && !world.is_over(); ++turn)
    world.run_until(std::max(world.next_deadline(), world.now()));
  EXPECT_EQ(lab.complaints(), "");
  const LinkRow link = world.links().at(1);
  const DirectionCounters& to_bob = link.a_counters;
  EXPECT_GE(to_bob.frames, sent / segment);
  EXPECT_LT(to_bob.frames, sent / segment + 200);
  EXPECT_GE(to_bob.bytes, sent + sent / segment * headers);
  EXPECT_LT(to_bob.bytes, sent + (sent / segment + 200) * headers);
}

}  // namespace
}  // namespace lanyard::lab
