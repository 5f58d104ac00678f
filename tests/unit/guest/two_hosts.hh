// SPDX-License-Identifier: Apache-2.0
// Two virtual hosts on one wire in this process, in real time, and unmodified programs on them.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "device/event_loop.hh"
#include "guest/launcher.hh"
#include "socket/sockets.hh"
#include "stack/stack.hh"

namespace lanyard::guest::test {

struct Ended {
  std::string output, errors;
  int status = -1, signal = -1;
  bool has_ended = false;
};

class TwoHosts : public testing::Test, public device::Driven, public lab::ProgramObserver {
 protected:
  TwoHosts() {
    for (const char* name : {"alice", "bob"}) add(name);
    loop.drive(this);
    launcher = std::make_unique<ProgramLauncher>(
        loop, [this](std::string_view text) { notes += std::string(text) + "\n"; });
  }

  void SetUp() override {
    if (const std::string why = why_guests_cannot_run(features()); !why.empty())
      GTEST_SKIP() << why;
  }

  struct Host {
    std::string name;
    std::unique_ptr<stack::Stack> stack;
    std::unique_ptr<socket::Sockets> sockets;
    socket::Names names;
  };

  void add(const std::string& name) {
    const std::size_t index = hosts.size() + 1;
    Host host;
    host.name = name;
    stack::Config config;
    config.name = name;
    host.stack = std::make_unique<stack::Stack>(config, Seed(index),
                                                static_cast<std::uint32_t>(index), nullptr);
    stack::InterfaceConfig interface;
    interface.mac = {{2, 0, 0, 0, 0, static_cast<std::uint8_t>(index)}};
    const std::uint32_t eth0 = host.stack->add_interface(interface);
    const std::string number = std::to_string(index);
    host.stack->add_address(Instant::start(), eth0, *IpPrefix::parse("10.0.0." + number + "/24"));
    host.stack->add_address(Instant::start(), eth0, *IpPrefix::parse("fd00::" + number + "/64"));
    host.sockets = std::make_unique<socket::Sockets>(*host.stack);
    host.names.host_name = name;
    host.names.hosts = {{"alice", *IpAddress::parse("10.0.0.1")},
                        {"bob", *IpAddress::parse("10.0.0.2")},
                        {"alice6", *IpAddress::parse("fd00::1")},
                        {"bob6", *IpAddress::parse("fd00::2")}};
    hosts.push_back(std::move(host));
  }

  // Starts a program; `command` goes through the shell.
  lab::ProgramId start(std::size_t host, const std::string& command) {
    const lab::ProgramId id{++last_program};
    lab::Launch launch;
    launch.program = id;
    launch.command = {command};
    launch.environment["PYTHONUNBUFFERED"] = "1";
    lab::LaunchHost on;
    on.name = hosts[host].name;
    on.sockets = hosts[host].sockets.get();
    on.names = &hosts[host].names;
    on.touched = [this] { exchange_frames(loop.now()); };
    const auto started = launcher->start(on, launch, *this);
    EXPECT_TRUE(started) << started.error();
    if (!started) programs[id].has_ended = true;
    return id;
  }

  // Until `condition` holds, or the time is up.
  template <typename Condition>
  bool run_while_not(Condition condition, Duration patience = Duration::seconds(20)) {
    give_up = loop.now() + patience;
    is_enough = condition;
    if (!condition()) loop.run();
    return condition();
  }
  Ended run_to_end(lab::ProgramId id, Duration patience = Duration::seconds(20)) {
    EXPECT_TRUE(run_while_not([&] { return programs[id].has_ended; }, patience))
        << "no end; so far: " << programs[id].output << programs[id].errors;
    return programs[id];
  }
  Ended run(std::size_t host, const std::string& command,
            Duration patience = Duration::seconds(20)) {
    return run_to_end(start(host, command), patience);
  }
  bool wait_for_output(lab::ProgramId id, const std::string& text) {
    return run_while_not([&] {
      return (programs[id].output + programs[id].errors).find(text) != std::string::npos;
    });
  }

  void run_until(Instant now) override {
    exchange_frames(now);
    if (now >= give_up || (is_enough && is_enough())) loop.stop();
  }
  [[nodiscard]] Instant next_deadline() const override {
    Instant next = give_up;
    for (const Host& host : hosts) next = std::min(next, host.stack->next_deadline());
    return next;
  }
  void exchange_frames(Instant now) {
    for (Host& host : hosts) {
      if (host.stack->next_deadline() <= now) host.stack->poll(now);
    }
    for (bool moved = true; moved;) {
      moved = false;
      for (std::size_t i = 0; i < hosts.size(); ++i) {
        while (auto out = hosts[i].stack->take_frame()) {
          moved = true;
          if (sees) sees(i, out->frame);
          if (loses && loses(i)) continue;
          hosts[1 - i].stack->on_frame(now, 2, std::move(out->frame));
        }
      }
    }
  }

  void on_program_output(lab::ProgramId id, int descriptor, std::string_view text) override {
    (descriptor == 1 ? programs[id].output : programs[id].errors) += text;
  }
  void on_program_exited(lab::ProgramId id, int status, int signal) override {
    programs[id].status = status;
    programs[id].signal = signal;
    programs[id].has_ended = true;
  }

  static constexpr std::size_t alice = 0, bob = 1;
  device::EventLoop loop;
  std::vector<Host> hosts;
  std::map<lab::ProgramId, Ended> programs;
  std::function<bool(std::size_t from)> loses;
  std::function<void(std::size_t from, const Packet& frame)> sees;
  std::string notes;
  std::function<bool()> is_enough;
  Instant give_up;
  std::uint32_t last_program = 0;
  std::unique_ptr<ProgramLauncher> launcher;
};

}  // namespace lanyard::guest::test
