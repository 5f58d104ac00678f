// SPDX-License-Identifier: Apache-2.0
// A run in real time is made again from its file alone: what its programs called, at uneven moments
// of a clock, is played to a world that knows neither the clock nor the programs.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/random.hh"
#include "lab.hh"
#include "lab/compare.hh"
#include "lab/recorder.hh"
#include "lab/replay/input_log.hh"
#include "lab/replay/player.hh"
#include "lab/world.hh"
#include "wire/arp.hh"
#include "wire/ethernet.hh"

namespace lanyard::lab {
namespace {

using socket::Handle;
using socket::Type;

// Unmodified programs whose calls the test makes itself.
class Guests final : public Launcher {
 public:
  std::expected<std::vector<std::function<void(Packet)>>, std::string> make_kernel_host(
      const KernelHost& host) override {
    if (refuses_kernels) return std::unexpected("no namespace for " + host.name);
    into_lab = host.ports.at(0).into_lab;
    return std::vector<std::function<void(Packet)>>(
        host.ports.size(), [this](Packet frame) { from_lab.push_back(std::move(frame)); });
  }
  void set_mtu(const std::string& host, const std::string& port, std::uint32_t mtu) override {
    mtus.push_back(host + ":" + port + " " + std::to_string(mtu));
  }
  void prepare(std::span<const LaunchHost* const>) override {}
  std::expected<void, std::string> start(const LaunchHost& host, const Launch& launch,
                                         ProgramObserver& told) override {
    if (launch.command.at(0) == "nonsense") return std::unexpected("no such program");
    observer = &told;
    hosts[host.name] = {host.sockets, host.touched};
    programs[host.name] = launch.program;
    return {};
  }
  void signal(ProgramId program, int number) override { signals.emplace_back(program, number); }

  struct Host {
    socket::Sockets* sockets = nullptr;
    std::function<void()> touched;
  };
  bool refuses_kernels = false;
  std::map<std::string, Host> hosts;
  std::map<std::string, ProgramId> programs;
  ProgramObserver* observer = nullptr;
  std::vector<std::pair<ProgramId, int>> signals;
  std::function<void(Packet)> into_lab;
  std::vector<Packet> from_lab;
  std::vector<std::string> mtus;
};

constexpr std::string_view two_hosts =
    "lab: t\nseed: 3\nhosts:\n  bob: { run: serve }\n  alice: { run: fetch }\n"
    "links:\n  - alice -- bob: { delay: 5ms, loss: 5%, rate: 10Mbit }\n";

Launch launch(std::vector<std::string> command, int standard_output = -1) {
  Launch launch;
  launch.command = std::move(command);
  launch.standard_output = standard_output;
  return launch;
}

// A lab that runs by a clock of the test's, which ticks unevenly.
class LiveLab {
 public:
  LiveLab(std::string_view text, const std::string& path, bool keeps_running = false)
      : lab_(text), clock_dice_(Seed(77).stream()) {
    recorder_ = *Recorder::open({.path = path, .is_virtual = false, .began_ns = 1'000'000'007});
    world_ = std::make_unique<World>(lab_.model, lab_.plan,
                                     WorldOptions{.launcher = &guests,
                                                  .recorder = recorder_.get(),
                                                  .in_real_time = true,
                                                  .keeps_running = keeps_running});
  }
  World& world() { return *world_; }
  socket::Sockets& sockets(const std::string& host) { return *guests.hosts.at(host).sockets; }
  void touched(const std::string& host) { guests.hosts.at(host).touched(); }
  // Programs are served by a clock that is a little further than the world's.
  Instant now() {
    return clock_ += Duration::nanoseconds(static_cast<std::int64_t>(clock_dice_.below(50'000)));
  }
  void step() {
    clock_ +=
        Duration::nanoseconds(200'000 + static_cast<std::int64_t>(clock_dice_.below(900'000)));
    world_->run_until(clock_);
  }
  template <typename Done>
  void step_until(Done done) {
    for (int steps = 0; !done(); ++steps) {
      ASSERT_LT(steps, 200'000) << "it never comes";
      step();
    }
  }
  void run_for(Duration duration) {
    const Instant end = clock_ + duration;
    step_until([&] { return clock_ >= end; });
  }
  void step_to_end() {
    step_until([&] { return world_->is_over(); });
  }
  void exit(const std::string& host, int status = 0, int signal = 0) {
    guests.observer->on_program_exited(guests.programs.at(host), status, signal);
  }

  // Sends `text` from alice to a server of bob's and waits until it has it; both then close.
  void fetch(const std::string& text) {
    serve();
    socket::Sockets& alice = sockets("alice");
    const Handle client = *alice.open(Family::ipv4, Type::stream);
    (void)alice.connect(now(), client, {IpAddress::v4(10, 0, 1, 1), 80});
    touched("alice");
    step_until([&] { return sockets("bob").readiness(listener_).readable; });
    const Handle server = sockets("bob").accept(now(), listener_)->socket;
    touched("bob");
    std::string got;
    std::size_t sent = 0;
    std::vector<std::uint8_t> buffer(5000);
    step_until([&] {
      const auto more = alice.send(now(), client, bytes_of(std::string_view(text).substr(sent)));
      if (more) sent += *more;
      touched("alice");
      const auto part = sockets("bob").receive(now(), server, buffer);
      if (part) got += lanyard::text_of(Bytes(buffer).first(*part));
      touched("bob");
      return got.size() == text.size();
    });
    EXPECT_EQ(got, text);
    (void)sockets("bob").close(now(), server);
    (void)alice.close(now(), client);
    touched("bob");
    touched("alice");
  }

  Guests guests;

 private:
  void serve() {
    step();
    socket::Sockets& bob = sockets("bob");
    listener_ = *bob.open(Family::ipv4, Type::stream);
    EXPECT_TRUE(bob.set_option(now(), listener_, socket::Option::reuse_address, std::int64_t{1}));
    EXPECT_TRUE(bob.bind(listener_, {IpAddress::any(Family::ipv4), 80}));
    EXPECT_TRUE(bob.listen(now(), listener_, 5));
    touched("bob");
  }

  const test::PlannedLab lab_;
  std::unique_ptr<Recorder> recorder_;
  std::unique_ptr<World> world_;
  RandomStream clock_dice_;
  Instant clock_ = Instant::at_ns(123'456);
  Handle listener_ = Handle::none;
};

class ReplayRealTime : public testing::Test {
 protected:
  void TearDown() override {
    std::filesystem::remove(path_);
    std::filesystem::remove(again_);
  }
  std::unique_ptr<LiveLab> lab(std::string_view text, bool keeps_running = false) {
    return std::make_unique<LiveLab>(text, path_, keeps_running);
  }
  RunFile run() const {
    auto run = read_run_file(path_);
    EXPECT_TRUE(run) << run.error().what;
    EXPECT_TRUE(run->is_whole && !run->damage && run->has_inputs);
    return std::move(*run);
  }
  // From the file alone: no launcher, no clock.
  RunFile replayed(const RunFile& run) const {
    test::PlannedLab lab(run.lab_text, run.lab_file);
    lab.model.seed = run.seed;
    auto recorder =
        *Recorder::open({.path = again_, .is_virtual = false, .began_ns = run.epoch_ns});
    Player player(run);
    WorldOptions options = player.options_of_world();
    options.recorder = recorder.get();
    World world(lab.model, lab.plan, std::move(options));
    player.play(world);
    auto again = read_run_file(again_);
    EXPECT_TRUE(again) << again.error().what;
    return std::move(*again);
  }
  void expect_same() const {
    const RunFile first = run();
    const auto problem = inputs_problem(first);
    ASSERT_FALSE(problem) << problem->what;
    const RunFile second = replayed(first);
    const auto difference = first_difference(first, second);
    EXPECT_FALSE(difference) << static_cast<int>(difference->what) << " " << difference->index
                             << " differs in " << difference->detail << " at "
                             << difference->at.count_ns();
    EXPECT_EQ(first.bytes == second.bytes, true);
  }
  static RunFile parsed(std::vector<std::uint8_t> bytes) {
    auto run = parse_run_file(std::move(bytes));
    EXPECT_TRUE(run);
    return std::move(*run);
  }

  const std::string path_ =
      std::filesystem::temp_directory_path() /
      (std::string("lanyard_live_") +
       testing::UnitTest::GetInstance()->current_test_info()->name() + ".pcapng");
  const std::string again_ = path_ + ".again";
};

TEST_F(ReplayRealTime, AStreamBetweenProgramsOverALossyLinkIsMadeAgainByteForByte) {
  const auto lab = this->lab(two_hosts);
  lab->fetch(std::string(200'000, 'x') + "the end");
  lab->guests.observer->on_program_output(lab->guests.programs.at("bob"), 1, "served\n");
  lab->exit("alice");
  lab->exit("bob", 3);
  lab->step_to_end();
  const RunFile first = run();
  EXPECT_GT(first.packets.size(), 300U);
  bool is_any_dropped = false;
  for (const RunPacket& packet : first.packets)
    is_any_dropped = is_any_dropped || !packet.comment.empty();
  EXPECT_TRUE(is_any_dropped);
  expect_same();
}

TEST_F(ReplayRealTime, ARunThatSomebodyEndedInItsMiddleIsMadeAgainUpToThere) {
  const auto lab = this->lab(two_hosts);
  lab->fetch("hello");
  lab->world().stop();
  expect_same();
}

// As when `lanyard` is killed: what happened until then can be read.
TEST_F(ReplayRealTime, WhatWasSavedOnItsWayCanBeReadAndTheRunIsStillMadeAgain) {
  const auto lab = this->lab(two_hosts);
  lab->fetch("hello");
  EXPECT_FALSE(lab->world().is_saved());
  lab->world().save();
  EXPECT_TRUE(lab->world().is_saved());
  const auto early = read_run_file(path_);
  ASSERT_TRUE(early) << early.error().what;
  EXPECT_FALSE(early->is_whole);
  EXPECT_GT(early->packets.size(), 5U);
  EXPECT_FALSE(early->events.empty());
  ASSERT_TRUE(early->is_cut_short);
  EXPECT_FALSE(first_difference(*early, replayed(*early)));
  lab->run_for(Duration::milliseconds(50));
  lab->world().stop();
  expect_same();
}

// Killed at any moment: the file ends anywhere.
TEST_F(ReplayRealTime, ARunThatWasCutShortIsMadeAgainAsFarAsItWasWritten) {
  const auto lab = this->lab(two_hosts);
  lab->fetch(std::string(300'000, 'x'));
  lab->world().save();
  lab->run_for(Duration::milliseconds(200));
  lab->world().stop();
  const RunFile whole = run();
  const std::size_t first_input = whole.inputs.front().offset + whole.inputs.front().size;
  RandomStream dice = Seed(2).stream();
  std::size_t frames = 0;
  for (int i = 0; i < 20; ++i) {
    const std::size_t size = first_input + 4 + dice.below(whole.bytes.size() - first_input - 4);
    RunFile cut = parsed({whole.bytes.begin(), whole.bytes.begin() + static_cast<long>(size)});
    ASSERT_TRUE(cut.is_cut_short) << size;
    const RunFile again = replayed(cut);
    const auto difference = first_difference(cut, again);
    EXPECT_FALSE(difference) << size << " " << static_cast<int>(difference->what) << " "
                             << difference->index << " " << difference->detail;
    frames = std::max(frames, std::min(cut.packets.size(), again.packets.size()));
    if (cut.packets.empty()) continue;
    cut.packets.front().at += Duration::nanoseconds(1);
    EXPECT_TRUE(first_difference(cut, again)) << size;
  }
  EXPECT_GT(frames, 300U);
}

TEST_F(ReplayRealTime, DatagramsAndTheErrorsTheyMeetAreMadeAgain) {
  const auto lab = this->lab(two_hosts);
  lab->step();
  socket::Sockets& alice = lab->sockets("alice");
  socket::Sockets& bob = lab->sockets("bob");
  const Handle from = *alice.open(Family::ipv4, Type::datagram);
  const Handle to = *bob.open(Family::ipv4, Type::datagram);
  ASSERT_TRUE(bob.bind(to, {IpAddress::any(Family::ipv4), 5300}));
  ASSERT_TRUE(alice.set_option(lab->now(), from, socket::Option::receive_errors, std::int64_t{1}));
  std::vector<std::uint8_t> buffer(100);
  int received = 0, errors = 0;
  for (int i = 0; i < 20; ++i) {
    for (const Port port : {Port{5300}, Port{5400}})
      (void)alice.send_to(
          lab->now(), from, bytes_of(std::string_view("question")),
          {.peer = {IpAddress::v4(10, 0, 1, 1), port}, .local = {}, .hop_limit = 9});
    lab->touched("alice");
    lab->run_for(Duration::milliseconds(40));
    while (bob.receive_from(lab->now(), to, buffer)) ++received;
    while (alice.take_error(from)) ++errors;
    (void)alice.get_option(lab->now(), from, socket::Option::error);
    lab->touched("bob");
    lab->touched("alice");
  }
  EXPECT_GT(received, 10);
  EXPECT_GT(errors, 5);
  lab->exit("alice");
  lab->exit("bob", 0, 9);
  lab->step_to_end();
  expect_same();
}

TEST_F(ReplayRealTime, WhatAPersonDidToALabThatWasUpIsDoneAgain) {
  const auto lab = this->lab(
      "lab: t\nseed: 5\nhosts:\n  bob: { run: serve }\n  alice: { run: fetch }\n  carol:\n"
      "links:\n  - alice -- r\n  - bob -- r: { delay: 3ms }\n  - carol -- r\nrouters: [r]\n",
      true);
  lab->step();
  World& world = lab->world();
  EXPECT_NE(world.stack(*world.model().node("carol")), nullptr);
  world.start(*world.model().node("carol"), launch({"ping bob -c 30 -i 0.05"}));
  lab->run_for(Duration::milliseconds(300));
  world.cut(1);
  lab->run_for(Duration::milliseconds(200));
  world.heal(1);
  LinkChange change;
  change.delay = Duration::nanoseconds(7'654'321);
  change.loss_parts_per_billion = 123'456'789;
  world.change(1, change);
  lab->run_for(Duration::milliseconds(700));
  const ProgramId pinging = world.start(*world.model().node("alice"), launch({"ping carol"}));
  lab->run_for(Duration::milliseconds(1500));
  world.signal(pinging, 2);
  world.start(*world.model().node("alice"), launch({"nonsense", "of a kind"}));
  world.start(*world.model().node("bob"), launch({"echo hello"}, 1));
  lab->run_for(Duration::milliseconds(300));
  world.act({.kind = Action::Kind::partition, .from = {0}, .to = {1}});
  world.end();
  lab->step();
  lab->exit("alice");
  lab->exit("bob");
  world.stop();
  expect_same();
}

TEST_F(ReplayRealTime, AMachineThatCrashedIsStillCalledByItsDyingPrograms) {
  const auto lab = this->lab(two_hosts);
  lab->fetch("before");
  World& world = lab->world();
  socket::Sockets& old = lab->sockets("bob");
  const Handle left = *old.open(Family::ipv4, Type::stream);
  world.act({.kind = Action::Kind::crash, .node = *world.model().node("bob")});
  (void)old.close(lab->now(), left);
  lab->touched("bob");
  lab->run_for(Duration::milliseconds(20));
  world.act({.kind = Action::Kind::restart, .node = *world.model().node("bob")});
  (void)old.open(Family::ipv4, Type::datagram);
  lab->exit("bob", 0, 9);
  lab->run_for(Duration::milliseconds(20));
  ASSERT_NE(&lab->sockets("bob"), &old);
  (void)old.open(Family::ipv4, Type::datagram);
  lab->fetch("after");
  lab->exit("alice");
  lab->exit("bob");
  lab->step_to_end();
  expect_same();
}

constexpr std::string_view with_a_kernel =
    "lab: t\nseed: 5\nhosts:\n  bob: { kind: linux, run: serve }\n  alice:\n"
    "links:\n  - alice -- bob: { delay: 3ms, duplicate: 50% }\nuntil: 2s\n";

TEST_F(ReplayRealTime, FramesOfAKernelAreMadeAgainWithWhatWasUnfinishedOfThem) {
  const auto lab = this->lab(with_a_kernel);
  lab->step();
  for (int i = 0; i < 30; ++i) {
    Packet frame(64, 0);
    arp::Message{.operation = arp::Operation::request,
                 .sender_mac = {{2, 0, 0, 0, 0, 1}},
                 .sender_ip = IpAddress::v4(10, 0, 1, 1),
                 .target_mac = {},
                 .target_ip = IpAddress::v4(10, 0, 1, 2)}
        .push_onto(frame);
    ethernet::Header{MacAddress::broadcast(), {{2, 0, 0, 0, 0, 1}}, ethernet::Type::arp}.push_onto(
        frame);
    frame.offload = {.checksum_wanted = i % 2 == 0, .checksum_start = 14, .checksum_offset = 16};
    lab->guests.into_lab(std::move(frame));
    lab->run_for(Duration::milliseconds(30));
  }
  EXPECT_FALSE(lab->guests.from_lab.empty());
  lab->exit("bob");
  lab->step_to_end();
  expect_same();
}

TEST_F(ReplayRealTime, AKernelIsToldOfAnotherMtu) {
  const auto lab = this->lab(with_a_kernel);
  lab->step();
  LinkChange change;
  change.mtu = 1400;
  lab->world().change(0, change);
  lab->run_for(Duration::milliseconds(30));
  EXPECT_EQ(lab->guests.mtus, std::vector<std::string>{"bob:eth0 1400"});
  lab->exit("bob");
  lab->step_to_end();
  expect_same();
}

TEST_F(ReplayRealTime, AHostThatCouldNotBeMadeCannotBeMadeAgain) {
  const auto lab = this->lab(with_a_kernel);
  lab->guests.refuses_kernels = true;
  lab->step_to_end();
  expect_same();
}

// The bytes of the file where its inputs hold `text`.
std::size_t place_of(const RunFile& run, std::string_view text) {
  for (const RunInputs& block : run.inputs) {
    const std::string_view bytes =
        lanyard::text_of(Bytes(run.bytes).subspan(block.offset, block.size));
    if (const std::size_t at = bytes.find(text); at != std::string_view::npos)
      return block.offset + at;
  }
  ADD_FAILURE() << text << " is not there";
  return 0;
}

TEST_F(ReplayRealTime, AByteThatAProgramDidNotSendIsNoticed) {
  const auto lab = this->lab(two_hosts);
  lab->fetch("a very small request");
  lab->world().stop();
  const RunFile first = run();
  std::vector<std::uint8_t> bytes = first.bytes;
  bytes[place_of(first, "small request")] ^= 0x20;
  const RunFile changed = parsed(std::move(bytes));
  ASSERT_FALSE(inputs_problem(changed));
  const auto difference = first_difference(changed, replayed(changed));
  ASSERT_TRUE(difference);
  EXPECT_EQ(difference->what, RunDifference::What::frame);
  EXPECT_EQ(difference->detail, "bytes");
}

TEST_F(ReplayRealTime, AnAnswerThatNoCallWouldGetIsNoticed) {
  const auto lab = this->lab(two_hosts);
  lab->step();
  socket::Sockets& alice = lab->sockets("alice");
  const Endpoint taken{IpAddress::v4(10, 0, 1, 2), 7001};
  ASSERT_TRUE(alice.bind(*alice.open(Family::ipv4, Type::datagram), taken));
  const Handle second = *alice.open(Family::ipv4, Type::datagram);
  ASSERT_FALSE(alice.bind(second, taken));
  lab->world().stop();
  const RunFile first = run();
  std::vector<std::uint8_t> bytes = first.bytes;
  // Its row: kind, node, boot, call, socket, result (-98 is 195 when zigzag-coded), the address.
  const std::string row{static_cast<char>(second), '\xc3', '\x01', '\x04', '\x0a'};
  const std::size_t at = place_of(first, row);
  bytes[at + 1] = 0x80;  // 0, in two bytes
  bytes[at + 2] = 0x00;
  const RunFile changed = parsed(std::move(bytes));
  ASSERT_FALSE(inputs_problem(changed));
  const auto difference = first_difference(changed, replayed(changed));
  ASSERT_TRUE(difference);
  EXPECT_EQ(difference->what, RunDifference::What::input);
}

TEST_F(ReplayRealTime, WhatIsBrokenInAFileIsRefusedOrNoticedUnlessNothingComesOfIt) {
  const auto lab = this->lab(two_hosts);
  lab->fetch("hello");
  lab->exit("alice");
  lab->exit("bob");
  lab->step_to_end();
  const RunFile first = run();
  RandomStream dice = Seed(1).stream();
  int refused = 0, noticed = 0;
  for (int i = 0; i < 300; ++i) {
    std::vector<std::uint8_t> bytes = first.bytes;
    const RunInputs& block = first.inputs[dice.below(first.inputs.size())];
    bytes[block.offset + dice.below(block.size)] ^= static_cast<std::uint8_t>(1 + dice.below(255));
    const RunFile changed = parsed(std::move(bytes));
    if (const auto problem = inputs_problem(changed)) {
      ++refused;
      EXPECT_LT(problem->offset, changed.bytes.size());
      EXPECT_FALSE(problem->what.empty());
      continue;
    }
    if (first_difference(changed, replayed(changed))) ++noticed;
  }
  EXPECT_GT(refused, 20);
  // A program might as well have asked with a larger buffer: then the frames are the same indeed.
  EXPECT_GT(refused + noticed, 290);
}

TEST_F(ReplayRealTime, ARunWithSomethingThatNoInputSaysSaysThatItCannotBeReplayed) {
  const auto lab = this->lab(two_hosts);
  lab->step();
  // No line names two signals of one program at once.
  lab->world().act({.kind = Action::Kind::kill, .program = "serve", .signal = 63});
  lab->world().stop();
  const auto problem = inputs_problem(run());
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->what.find("an action that no line says exactly"), 0U) << problem->what;
}

TEST_F(ReplayRealTime, InputsAreSaidInWords) {
  const auto lab = this->lab(two_hosts);
  lab->fetch("hello");
  lab->world().stop();
  const RunFile first = run();
  InputReader reader(first);
  std::string all;
  for (auto input = reader.next(); input && *input; input = reader.next())
    all += text_of(**input, first) + "\n";
  for (const std::string_view line :
       {"the lab begins\n", "what is due is done\n",
        "bob: socket(4, 0, 0) = ", ", 0.0.0.0:80) = 0\n", ", 5) = 0\n",
        ", 10.0.1.1:80) = EINPROGRESS\n", ", 5 bytes) = 5\n", ", room for 5000) = 5\n",
        "alice: close(", "program 3 could be started: yes\n", "the lab is ended\n"})
    EXPECT_NE(all.find(line), std::string::npos) << line << "in\n" << all;
}

}  // namespace
}  // namespace lanyard::lab
