// SPDX-License-Identifier: Apache-2.0
// A program built into Lanyard while it runs on a machine: what socket::Process promises, and its
// end.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/random.hh"
#include "lab/machine.hh"
#include "socket/process.hh"

namespace lanyard::lab {

class BuiltIn final : public socket::Process {
 public:
  struct Callbacks {
    std::function<void(int descriptor, std::string_view text)> print;
    std::function<void(int status, int signal)> exited;
  };
  BuiltIn(Machine& machine, const socket::Names& names, const RandomStream& random,
          Callbacks callbacks)
      : machine_(machine), names_(names), random_(random), callbacks_(std::move(callbacks)) {}

  // The number of the program in the world's book, for those who watch its calls.
  void set_number(std::uint32_t number) { number_ = number; }
  // Makes its first task, which runs at the machine's next turn.
  void start(socket::Program program, std::vector<std::string> arguments);
  // Unwinds all its tasks; it has then been killed by `signal`, or has had its last word.
  void kill(int signal);
  // Its tasks stand still, as at SIGSTOP, until resume(): the machine goes on for it.
  void pause();
  void resume();

  socket::Sockets& sockets() override { return *machine_.sockets; }
  Tasks& tasks() override { return *machine_.tasks; }
  const socket::Names& names() override { return names_; }
  RandomStream& random() override { return random_; }
  void print(int descriptor, std::string_view text) override { callbacks_.print(descriptor, text); }
  void spawn(std::function<void(Process&)> body) override;
  void at_interrupt(std::function<int()> last_word) override { last_word_ = std::move(last_word); }

 private:
  void end_tasks();
  void report(int status, int signal);

  Machine& machine_;
  const socket::Names& names_;
  RandomStream random_;
  Callbacks callbacks_;
  std::function<int()> last_word_;
  std::vector<Task*> running_;
  std::uint32_t number_ = 0, last_task_ = 0;
  bool has_ended_ = false;
};

}  // namespace lanyard::lab
