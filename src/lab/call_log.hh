// SPDX-License-Identifier: Apache-2.0
// The socket calls of a host's programs as events, so that a run file says what a program waited
// for and when it asked. Calls that only look in are left out.
#pragma once

#include <map>
#include <memory>

#include "core/event.hh"
#include "core/task.hh"
#include "socket/sockets.hh"
#include "socket/watcher.hh"

namespace lanyard::lab {

// Whose a task is: a program of the world's book, and which of its tasks, from 1. Looked up only:
// the order of a map of pointers decides nothing.
struct TaskOwner {
  std::uint32_t program = 0, task = 0;
};
using TaskOwners = std::map<Task*, TaskOwner>;

class InputLog;

class CallLog final : public socket::CallWatcher {
 public:
  struct Host {
    std::uint32_t node = 0;
    std::uint32_t boot = 0;
    const socket::Sockets& sockets;
    const Tasks& tasks;
    const TaskOwners& owners;
    InputLog* inputs = nullptr;  // told of calls from outside, if there is one
  };
  // `now` is the world's.
  CallLog(const Host& host, const Instant& now, Trace& trace)
      : host_(host), now_(now), trace_(trace) {}
  void on_call(const socket::Call& call) override;

 private:
  [[nodiscard]] std::string text_of(const socket::Call& call) const;
  Host host_;
  const Instant& now_;
  Trace& trace_;
};

}  // namespace lanyard::lab
