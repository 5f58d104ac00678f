// SPDX-License-Identifier: Apache-2.0
#include "lab/built_in.hh"

#include <algorithm>
#include <csignal>
#include <exception>

namespace lanyard::lab {

// A task takes itself off the list as it ends, by returning or by being unwound: its handle may be
// freed from then on.
void BuiltIn::spawn(std::function<void(Process&)> body) {
  struct Listed {
    BuiltIn& program;
    Task* task;
    Listed(BuiltIn& of, Task* self) : program(of), task(self) {}
    Listed(const Listed&) = delete;
    Listed& operator=(const Listed&) = delete;
    ~Listed() {
      std::erase(program.running_, task);
      program.machine_.owners.erase(task);
    }
  };
  Task* const spawned = machine_.tasks->spawn([this, body = std::move(body)] {
    const Listed listed(*this, machine_.tasks->current());
    body(*this);
  });
  running_.push_back(spawned);
  machine_.owners[spawned] = {number_, ++last_task_};
}

void BuiltIn::start(socket::Program program, std::vector<std::string> arguments) {
  spawn([this, program = std::move(program), arguments = std::move(arguments)](Process&) {
    try {
      report(program(*this, arguments), 0);
    } catch (const std::exception& error) {
      print(2, std::string(error.what()) + "\n");
      report(0, SIGABRT);  // what an uncaught exception is to a process
    }
  });
}

void BuiltIn::kill(int signal) {
  if (signal == SIGINT && last_word_ && !has_ended_) return report(last_word_(), 0);
  report(0, signal);
}

void BuiltIn::pause() {
  for (Task* task : running_) machine_.tasks->hold(task);
}

void BuiltIn::resume() {
  for (Task* task : running_) machine_.tasks->let_go(task);
}

void BuiltIn::end_tasks() {
  for (Task* task : std::vector<Task*>(running_))
    if (task != machine_.tasks->current()) machine_.tasks->end(task);
}

// The program ends when its first task returns, as a process does when main returns.
void BuiltIn::report(int status, int signal) {
  if (has_ended_) return;
  has_ended_ = true;
  end_tasks();
  callbacks_.exited(status, signal);
}

}  // namespace lanyard::lab
