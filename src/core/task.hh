// SPDX-License-Identifier: Apache-2.0
// Cooperative tasks: plain functions with their own stack (Boost.Context) that may wait. They run
// in virtual or real time alike, one at a time, in an order that depends only on what woke them. A
// switch costs a few nanoseconds.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "core/time.hh"
#include "core/timers.hh"

namespace lanyard {

class Tasks;

// One task, owned by its Tasks. Handles stay valid until the task has ended and drop_ended() was
// called.
class Task;

// The tasks of one host.
class Tasks {
 public:
  Tasks();
  ~Tasks();  // ends what still runs by unwinding its stack (TaskEnded is thrown out of its wait)
  Tasks(const Tasks&) = delete;
  Tasks& operator=(const Tasks&) = delete;

  // A new task, ready to run at the next run().
  Task* spawn(std::function<void()> body);
  // Runs every ready task, in the order they became ready, until all wait or have ended. Tasks see
  // `now` as the time. What a task throws, other than TaskEnded, ends it and comes out here.
  void run(Instant now);
  // When a sleeping task must next be run; never() if all wait for something else.
  [[nodiscard]] Instant next_deadline() const;
  [[nodiscard]] bool has_ready() const;
  [[nodiscard]] std::size_t alive() const;

  // From outside or inside a task: makes a waiting task ready; nothing if it is ready or has ended.
  void wake(Task* task);
  // Makes a task's next (or present) wait throw TaskEnded, so that it unwinds.
  void end(Task* task);
  // Held back, a task does not run; what woke it meanwhile, or a deadline that has come, counts
  // when it is let go. Not from inside it. One that is being ended is let go.
  void hold(Task* task);
  void let_go(Task* task);
  [[nodiscard]] bool has_ended(const Task* task) const;
  // Frees the tasks that have ended; their handles are invalid from here on.
  void drop_ended();

  // From inside a task only.
  [[nodiscard]] Task* current() const;
  [[nodiscard]] Instant now() const;
  // Waits for wake() or until `deadline`, whichever is first; false if the deadline came first.
  bool wait(Instant deadline = Instant::never());
  void sleep(Duration duration);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Thrown out of a wait when the task is being ended; do not catch it for good.
struct TaskEnded {};

}  // namespace lanyard
