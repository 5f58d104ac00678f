// SPDX-License-Identifier: Apache-2.0
// Two hosts on one wire in virtual time, for stories about sockets and programs: alice is 10.0.0.1
// and fd00::1, bob 10.0.0.2 and fd00::2. Frames take `delay`; `drops` may take some away.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "socket/process.hh"

namespace lanyard::testing {

class TestHost final : public socket::Process {
 public:
  TestHost(const std::string& name, std::uint8_t number, std::uint32_t node);
  socket::Sockets& sockets() override { return sockets_; }
  Tasks& tasks() override { return tasks_; }
  const socket::Names& names() override { return names_; }
  RandomStream& random() override { return random_; }
  void print(int, std::string_view text) override { output += text; }
  void spawn(std::function<void(socket::Process&)> body) override {
    tasks_.spawn([this, body = std::move(body)] { body(*this); });
  }
  // Starts a program; its status goes to `status`.
  void start(const socket::Program& program, std::vector<std::string> arguments);

  stack::Stack& stack() { return stack_; }
  [[nodiscard]] Instant next_deadline() const;
  std::string output;
  int status = -1;
  socket::Names names_;

 private:
  stack::Stack stack_;
  socket::Sockets sockets_;
  RandomStream random_;
  Tasks tasks_;
};

class Pair {
 public:
  explicit Pair(Duration delay = Duration::milliseconds(1));
  // Runs everything due until `until` or until nothing is left to do.
  void run(Duration until = Duration::seconds(60));
  [[nodiscard]] Instant now() const { return now_; }

  TestHost alice, bob;
  // Given the number of the frame (from 1, both ways counted together): true drops it.
  std::function<bool(std::uint64_t number)> drops;
  std::uint64_t frames = 0;

 private:
  struct Flight {
    Instant arrives;
    TestHost* to;
    Packet frame;
  };
  void take(TestHost& from, TestHost& to);
  Duration delay_;
  Instant now_;
  std::deque<Flight> flights_;
};

}  // namespace lanyard::testing
