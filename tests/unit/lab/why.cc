// SPDX-License-Identifier: Apache-2.0
// Where the time went, in labs whose right answer is known to the nanosecond.
#include "lab/why/why.hh"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "lab.hh"
#include "lab/recorder.hh"

namespace lanyard::lab::why {
namespace {

using namespace lanyard::literals;
using socket::Process;
using socket::Socket;
using socket::Type;

const IpAddress bob_address = IpAddress::v4(10, 0, 1, 9);

class Why : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(path_); }

  // Runs a lab and looks through its run file.
  void run(std::string_view text) {
    test::PlannedLab lab(text);
    ASSERT_TRUE(lab.is_good);
    lab.model.programs = programs_;
    auto recorder = *Recorder::open({.path = path_});
    {
      World world(lab.model, lab.plan, {.recorder = recorder.get()});
      world.run();
    }
    auto read = read_run_file(path_);
    ASSERT_TRUE(read);
    index_.reset();
    run_ = std::make_unique<RunFile>(std::move(*read));
    index_ = std::make_unique<Index>(*run_);
  }

  // The answer, whose parts must lie end to end.
  Answer ask(std::string_view what) {
    auto answer = explain(*index_, what);
    if (!answer) {
      ADD_FAILURE() << answer.error();
      return {};
    }
    Instant at = answer->from;
    for (const Part& part : answer->parts) {
      EXPECT_EQ(part.from, at) << to_text(part.cause);
      EXPECT_GT(part.to, part.from);
      at = part.to;
      if (!part.inside.empty()) {
        EXPECT_EQ(part.inside.front().from, part.from);
        EXPECT_EQ(part.inside.back().to, part.to);
      }
    }
    EXPECT_EQ(at, answer->to);
    return *answer;
  }
  static Duration sum(const Answer& answer, Cause cause, std::string_view where = {}) {
    Duration all;
    for (const Part& part : answer.parts)
      if (part.cause == cause && (where.empty() || part.where == where)) all += part.length();
    return all;
  }
  static Duration sum_of_phase(const Answer& answer, Phase phase) {
    Duration all;
    for (const Part& part : answer.parts)
      if (part.phase == phase) all += part.length();
    return all;
  }
  static Duration sum_inside(const Answer& answer, Cause wait, Cause cause) {
    Duration all;
    for (const Part& part : answer.parts)
      for (const Part& each : part.inside)
        if (part.cause == wait && each.cause == cause) all += each.length();
    return all;
  }
  static const Part& first(const Answer& answer, Cause cause) {
    static const Part none;
    for (const Part& part : answer.parts)
      if (part.cause == cause) return part;
    ADD_FAILURE() << "no part of cause " << to_text(cause);
    return none;
  }
  // Everything that is not one of these is nothing.
  static Duration rest(const Answer& answer, std::initializer_list<Cause> causes) {
    Duration all = answer.to - answer.from;
    for (const Cause cause : causes) all = all - sum(answer, cause);
    return all;
  }

  std::map<std::string, socket::Program, std::less<>> programs_;
  std::unique_ptr<RunFile> run_;
  std::unique_ptr<Index> index_;
  const std::string path_ =
      std::filesystem::temp_directory_path() /
      (std::string("lanyard_why_") + testing::UnitTest::GetInstance()->current_test_info()->name() +
       ".pcapng");
};

constexpr std::string_view two_hosts =
    "lab: t\nhosts:\n"
    "  bob: { address: 10.0.1.9/24, run: http serve }\n"
    "  alice: { run: { do: \"http get http://10.0.1.9/\", at: 1s, expect: any } }\n"
    "links:\n  - alice -- bob: { delay: 5ms }\n";

std::string replaced(std::string_view text, std::string_view what, std::string_view by) {
  std::string changed(text);
  changed.replace(changed.find(what), what.size(), by);
  return changed;
}

TEST_F(Why, ARequestOverAPlainLinkIsArpHandshakeAndPropagation) {
  run(two_hosts);
  const Answer answer = ask("alice");
  // ARP's question and answer, SYN and SYN,ACK, request and answer: 5 ms each.
  EXPECT_EQ(answer.to - answer.from, 30_ms);
  EXPECT_EQ(sum(answer, Cause::neighbour), 10_ms);
  EXPECT_EQ(first(answer, Cause::neighbour).where, "alice");
  EXPECT_EQ(sum(answer, Cause::propagation, "alice -- bob"), 20_ms);
  EXPECT_EQ(sum_of_phase(answer, Phase::handshake), 20_ms);
  EXPECT_EQ(rest(answer, {Cause::neighbour, Cause::propagation}), 0_ns);
  EXPECT_EQ(answer.outcome, "exited 0");
}

TEST_F(Why, ALinkWithARateTakesItsTimeForEachBit) {
  run(replaced(two_hosts, "delay: 5ms", "delay: 5ms, rate: 1Mbit"));
  const Answer answer = ask("http 1");
  const Duration sending = sum(answer, Cause::transmission);
  EXPECT_EQ(sum(answer, Cause::propagation), 20_ms);
  // SYN, SYN,ACK, the request and the answer, at 8 us a byte.
  Duration expected;
  for (const Part& part : answer.parts)
    if (part.cause == Cause::transmission)
      expected += Duration::microseconds(
          8 * static_cast<std::int64_t>(run_->packets[part.packet - 1].size));
  EXPECT_EQ(sending, expected);
  EXPECT_GT(sending, 0_ns);
  EXPECT_EQ(rest(answer, {Cause::neighbour, Cause::propagation, Cause::transmission, Cause::queue}),
            0_ns);
}

TEST_F(Why, APacketBehindAnotherFlowsWaitsInTheQueue) {
  // Frames of 14 + 20 + 8 + 958 bytes at 8 Mbit/s: a millisecond each. Both pings come at once.
  run("lab: t\nhosts:\n  bob: { address: 10.0.2.9/24 }\n"
      "  alice: { run: ping 10.0.2.9 -c 2 -i 100 -s 958 }\n"
      "  carol: { run: ping 10.0.2.9 -c 2 -i 100 -s 958 }\n"
      "routers: [r1]\nlinks:\n  - alice -- r1: { delay: 1ms }\n  - carol -- r1: { delay: 1ms }\n"
      "  - r1 -- bob: { delay: 1ms, rate: 8Mbit }\n");
  std::size_t queued = 0;
  std::size_t echoes = 0;
  for (std::size_t i = 0; i < run_->packets.size(); ++i) {
    const RunPacket& packet = run_->packets[i];
    if (run_->port_name(packet.port) != "bob:eth0" || packet.is_sent || packet.size != 1000)
      continue;
    if (packet.at < Instant::start() + 100_ms) continue;  // the first two still ask for neighbours
    ++echoes;
    const Answer answer = ask(std::to_string(i + 1));
    EXPECT_EQ(sum(answer, Cause::transmission, "r1:eth2"), 1_ms);
    EXPECT_EQ(sum(answer, Cause::propagation), 2_ms);
    if (sum(answer, Cause::queue) == 0_ns) continue;
    ++queued;
    EXPECT_EQ(sum(answer, Cause::queue, "r1:eth2"), 1_ms);
    EXPECT_EQ(answer.to - answer.from, 4_ms);
  }
  EXPECT_EQ(echoes, 2U);
  EXPECT_EQ(queued, 1U);
}

TEST_F(Why, ALostSynIsASecondOfTimeOut) {
  run(fmt::format(
      "{}at:\n  900ms: cut alice -> bob\n  1500ms: heal alice -> bob\n",
      replaced(two_hosts, "run: { do: \"http get http://10.0.1.9/\", at: 1s, expect: any }",
               "run: [{ do: ping 10.0.1.9 -c 1, name: first }, "
               "{ do: \"http get http://10.0.1.9/\", at: 1s, expect: any, name: getter }]")));
  const Answer answer = ask("getter");
  EXPECT_EQ(answer.to - answer.from, 1_s + 20_ms);
  const Part& lost = first(answer, Cause::time_out);
  EXPECT_EQ(lost.length(), 1_s);
  EXPECT_EQ(lost.phase, Phase::handshake);
  EXPECT_EQ(lost.where, "alice");
  EXPECT_NE(lost.what.find("link down at alice:eth0"), std::string::npos) << lost.what;
  EXPECT_EQ(sum(answer, Cause::propagation), 20_ms);
}

TEST_F(Why, ALostRequestWaitsForTheRetransmissionTimer) {
  run(fmt::format("{}at:\n  1017ms: cut alice -> bob\n  1030ms: heal alice -> bob\n", two_hosts));
  // ARP until 1.010, SYN and SYN,ACK until 1.020: then the request is lost.
  const Answer answer = ask("http 1");
  Duration timeout;
  for (const RunEvent& each : run_->events)
    if (each.event.kind == EventKind::tcp_rtt && run_->nodes[each.event.node].name == "alice" &&
        timeout == 0_ns)
      timeout = Duration::nanoseconds(each.event.values[3]);
  ASSERT_GT(timeout, 0_ns);
  const Part& lost = first(answer, Cause::time_out);
  EXPECT_EQ(lost.length(), timeout);
  EXPECT_EQ(lost.phase, Phase::data);
  EXPECT_EQ(answer.to - answer.from, 30_ms + timeout);
}

TEST_F(Why, WhatIsDroppedAtAFullQueueIsRepairedAndNamed) {
  // Ten segments at once do not fit; the tail is dropped and repaired after duplicate ACKs.
  run(replaced(replaced(two_hosts, "delay: 5ms", "delay: 5ms, rate: 12112kbit, queue: 8KB"),
               "http://10.0.1.9/", "http://10.0.1.9/bytes/40000"));
  const Answer answer = ask("http 1");
  const Part& lost = first(answer, Cause::lost_packet);
  EXPECT_NE(lost.what.find("queue full at bob:eth0"), std::string::npos) << lost.what;
  EXPECT_GE(lost.length(), 10_ms);
  ASSERT_GT(lost.packet, 0U);
  EXPECT_EQ(run_->packets[lost.packet - 1].comment, "dropped: queue full");
}

TEST_F(Why, AReceiverThatDoesNotReadShutsItsWindow) {
  programs_["reader"] = [](Process& process, std::span<const std::string>) {
    Socket listener(process, Family::ipv4, Type::stream);
    (void)listener.bind({IpAddress::any(Family::ipv4), 7});
    (void)listener.listen(1);
    auto peer = listener.accept();
    process.sleep(3_s);
    while (true) {
      const auto text = peer->recv(65536);
      if (!text || text->empty()) return 0;
    }
  };
  programs_["writer"] = [](Process& process, std::span<const std::string>) {
    Socket socket(process, Family::ipv4, Type::stream);
    (void)socket.connect({bob_address, 7});
    (void)socket.send(std::string(400'000, 'x'));
    (void)socket.shutdown(socket::Shutdown::write);
    (void)socket.recv(1);
    return 0;
  };
  run("lab: t\nhosts:\n  bob: { address: 10.0.1.9/24, run: reader }\n  alice: { run: writer }\n"
      "links:\n  - alice -- bob: { delay: 5ms }\n");
  const Answer answer = ask(subjects_of(*index_).back().name);
  const Duration shut = sum(answer, Cause::receiver_window);
  // Accepted at 25 ms, so the reader wakes at 3.025 s.
  EXPECT_GT(shut, 2900_ms);
  EXPECT_LT(shut, 3100_ms);
  // Probes of the closed window come and go meanwhile.
  EXPECT_GT(sum_inside(answer, Cause::receiver_window, Cause::program), 1500_ms);
  EXPECT_EQ(sum(answer, Cause::before), 0_ns);
}

TEST_F(Why, WhatALinkAddsToItsDelayIsExtra) {
  run("lab: t\nhosts:\n  bob: { address: 10.0.1.9/24 }\n"
      "  alice: { run: ping 10.0.1.9 -c 20 -i 100 }\n"
      "links:\n  - alice -- bob: { delay: 5ms, jitter: 2ms uniform }\n");
  std::size_t late = 0;
  for (std::size_t i = 0; i < run_->packets.size(); ++i) {
    const RunPacket& packet = run_->packets[i];
    if (packet.is_sent || packet.at < Instant::start() + 100_ms) continue;
    const Answer answer = ask(std::to_string(i + 1));
    const Duration whole = answer.to - answer.from;
    if (whole <= 5_ms) continue;
    ++late;
    EXPECT_EQ(sum(answer, Cause::propagation), 5_ms);
    EXPECT_EQ(sum(answer, Cause::extra_delay, "alice -- bob"), whole - 5_ms);
    EXPECT_LE(whole, 7_ms);
  }
  EXPECT_GT(late, 5U);
}

TEST_F(Why, AProgramWaitsForRoomInItsSendBuffer) {
  programs_["reader"] = [](Process& process, std::span<const std::string>) {
    Socket listener(process, Family::ipv4, Type::stream);
    (void)listener.bind({IpAddress::any(Family::ipv4), 7});
    (void)listener.listen(1);
    auto peer = listener.accept();
    while (true) {
      const auto text = peer->recv(65536);
      if (!text || text->empty()) return 0;
    }
  };
  programs_["writer"] = [](Process& process, std::span<const std::string>) {
    Socket socket(process, Family::ipv4, Type::stream);
    (void)socket.set_option(socket::Option::send_buffer, std::int64_t{8192});
    (void)socket.connect({bob_address, 7});
    for (int turn = 0; turn < 10; ++turn) (void)socket.send(std::string(8192, 'x'));
    return 0;
  };
  run("lab: t\nhosts:\n  bob: { address: 10.0.1.9/24, run: reader }\n  alice: { run: writer }\n"
      "links:\n  - alice -- bob: { delay: 50ms }\n");
  const Answer answer = ask("alice");
  // The buffer has twice what was asked for (socket(7)), so the last of 80 KiB finds room when 64
  // are acknowledged: after five round trips, since the first carries ten segments (RFC 6928).
  EXPECT_EQ(sum(answer, Cause::send_buffer), 500_ms);
  EXPECT_EQ(first(answer, Cause::send_buffer).where, "alice");
  EXPECT_EQ(rest(answer, {Cause::neighbour, Cause::propagation, Cause::send_buffer}), 0_ns);
  EXPECT_EQ(sum(answer, Cause::before), 0_ns);
}

TEST_F(Why, NagleWaitsForADelayedAck) {
  programs_["reader"] = [](Process& process, std::span<const std::string>) {
    Socket listener(process, Family::ipv4, Type::stream);
    (void)listener.bind({IpAddress::any(Family::ipv4), 7});
    (void)listener.listen(1);
    auto peer = listener.accept();
    (void)peer->set_option(socket::Option::quick_ack, std::int64_t{0});
    std::size_t got = 0;
    while (got < 200) {
      const auto text = peer->recv(1000);
      if (!text || text->empty()) return 1;
      got += text->size();
    }
    (void)peer->send("done");
    (void)peer->recv(1);
    return 0;
  };
  programs_["writer"] = [](Process& process, std::span<const std::string>) {
    Socket socket(process, Family::ipv4, Type::stream);
    (void)socket.connect({bob_address, 7});
    process.sleep(1_s);
    (void)socket.send(std::string(100, 'a'));
    (void)socket.send(std::string(100, 'b'));
    (void)socket.recv(4);
    return 0;
  };
  run("lab: t\nhosts:\n  bob: { address: 10.0.1.9/24, run: reader }\n  alice: { run: writer }\n"
      "links:\n  - alice -- bob: { delay: 5ms }\n");
  const Answer answer = ask("alice");
  // The first half arrives after 5 ms, is acknowledged 40 ms later, and 5 ms later the second goes.
  EXPECT_EQ(sum(answer, Cause::nagle), 50_ms);
  EXPECT_EQ(sum_inside(answer, Cause::nagle, Cause::delayed_ack), 40_ms);
  EXPECT_EQ(sum_inside(answer, Cause::nagle, Cause::propagation), 10_ms);
  EXPECT_EQ(sum(answer, Cause::program), 1_s);
  EXPECT_EQ(answer.to - answer.from, 1_s + 20_ms + 50_ms + 10_ms);
}

TEST_F(Why, ANameIsLookedUpFirst) {
  run("lab: t\nhosts:\n  bob: { run: http serve }\n"
      "  alice: { run: { do: \"http get -4 http://bob/\", at: 1s, expect: any } }\n"
      "routers: [r1]\nlinks:\n  - alice -- r1: { delay: 3ms }\n  - r1 -- bob: { delay: 5ms }\n");
  const Answer answer = ask("alice");
  EXPECT_EQ(sum(answer, Cause::before), 0_ns);
  // ARP to the router and the question to it: 6 ms each.
  EXPECT_GE(sum_of_phase(answer, Phase::look_up), 12_ms);
  EXPECT_EQ(sum_of_phase(answer, Phase::look_up).count_ns() % 6'000'000, 0);
  EXPECT_EQ(answer.from, Instant::start() + 1_s);
}

TEST_F(Why, AProgramThatSleepsIsTheCauseItself) {
  run("lab: t\nhosts:\n  bob: { address: 10.0.1.9/24 }\n"
      "  alice: { run: ping 10.0.1.9 -c 2 -i 200 }\n"
      "links:\n  - alice -- bob: { delay: 5ms }\n");
  const Answer answer = ask("alice");
  // ARP and the first echo take 20 ms of the first 200; the second echo takes 10.
  EXPECT_EQ(answer.to - answer.from, 210_ms);
  EXPECT_EQ(sum(answer, Cause::program, "alice"), 180_ms);
  EXPECT_EQ(sum(answer, Cause::neighbour), 10_ms);
  EXPECT_EQ(sum(answer, Cause::propagation), 20_ms);
}

TEST_F(Why, ABulkTransferWaitsForItsCongestionWindow) {
  run(replaced(two_hosts, "http://10.0.1.9/", "http://10.0.1.9/bytes/200000"));
  const Answer answer = ask("http 1");
  // Rounds of 10, 20, 40 ... segments of 1448 bytes: each but the last waits a round trip.
  EXPECT_EQ(sum(answer, Cause::congestion_window).count_ns() % 10'000'000, 0);
  EXPECT_GT(sum(answer, Cause::congestion_window), 0_ns);
  EXPECT_EQ(sum_inside(answer, Cause::congestion_window, Cause::propagation),
            sum(answer, Cause::congestion_window));
  EXPECT_EQ(
      rest(answer, {Cause::neighbour, Cause::propagation, Cause::congestion_window, Cause::nagle}),
      0_ns);
  // The last segment is a small one, and full ones are still under way.
  EXPECT_EQ(sum(answer, Cause::nagle), 10_ms);
}

// After the cut no acknowledgment comes any more; the probe's timer sends what the window held
// back.
TEST_F(Why, AProbeThatATimerSentIsATimeOutAndNoDelayOfALink) {
  run("lab: t\nhosts:\n  shop: { run: bulk serve }\n"
      "  alice: { run: { do: bulk send shop 4000000, at: 1s } }\nrouters: [r1]\nlinks:\n"
      "  - alice -- r1\n  - r1 -- shop: { delay: 20ms, rate: 5Mbit, queue: 64KB }\n"
      "at:\n  5s: cut r1 -- shop\n  7s: heal r1 -- shop\n");
  const Answer answer = ask("alice");
  EXPECT_GT(sum(answer, Cause::time_out, "alice"), 100_ms);
  EXPECT_EQ(sum(answer, Cause::extra_delay), 0_ns);
  for (const Cause waited : {Cause::congestion_window, Cause::lost_packet, Cause::receiver_window})
    EXPECT_EQ(sum_inside(answer, waited, Cause::extra_delay), 0_ns);
}

TEST_F(Why, WhatIsNotThereIsSaidWithWhatIs) {
  run(two_hosts);
  EXPECT_EQ(explain(*index_, "carol").error(),
            "there is no program `carol`; there are: bob, alice");
  EXPECT_NE(explain(*index_, "alice:1-bob:80").error().find("-bob:80"), std::string::npos);
  EXPECT_EQ(explain(*index_, "http 2").error(), "there is no request 2; the run has 1");
  EXPECT_NE(explain(*index_, "999999").error().find("the file has 1 to"), std::string::npos);
}

TEST_F(Why, EveryPacketAndConversationOfALossyRunAddsUp) {
  run(replaced(replaced(two_hosts, "delay: 5ms", "delay: 5ms, rate: 10Mbit, loss: 5%"),
               "http://10.0.1.9/", "http://10.0.1.9/bytes/100000"));
  for (const Subject& subject : subjects_of(*index_)) ask(subject.name);
  for (std::size_t i = 1; i <= run_->packets.size(); ++i) ask(std::to_string(i));
}

}  // namespace
}  // namespace lanyard::lab::why
