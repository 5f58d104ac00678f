// SPDX-License-Identifier: Apache-2.0
#include "core/task.hh"

#include <deque>
#include <exception>
#include <utility>
#include <vector>

#include <boost/context/fiber.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>

#include "core/check.hh"
#include "core/fiber_switch.hh"

namespace lanyard {
namespace {

namespace context = boost::context;

constexpr std::size_t stack_bytes = 128 * 1024;
constexpr std::size_t kept_stacks_max = 256;

// Stacks with a guard page, kept for the next task of this thread: mapping one costs more than a
// short task.
class StackCache {
 public:
  StackCache() = default;
  StackCache(const StackCache&) = delete;
  StackCache& operator=(const StackCache&) = delete;
  ~StackCache();

  context::stack_context take() {
    if (kept_.empty()) return context::protected_fixedsize_stack(stack_bytes).allocate();
    context::stack_context stack = kept_.back();
    kept_.pop_back();
    return stack;
  }
  void give_back(context::stack_context& stack) {
    if (kept_.size() < kept_stacks_max) {
      kept_.push_back(stack);
    } else {
      release(stack);
    }
  }
  static void release(context::stack_context& stack) {
    context::protected_fixedsize_stack(stack_bytes).deallocate(stack);
  }

 private:
  std::vector<context::stack_context> kept_;
};

constinit thread_local bool cache_is_gone = false;
thread_local StackCache stack_cache;

StackCache::~StackCache() {
  cache_is_gone = true;
  for (context::stack_context& stack : kept_) release(stack);
}

// The allocator Boost.Context wants to see. Notes the stack's place.
struct CachedStack {
  FiberStack* place;

  context::stack_context allocate() {
    const context::stack_context stack =
        cache_is_gone ? context::protected_fixedsize_stack(stack_bytes).allocate()
                      : stack_cache.take();
    place->bottom = static_cast<const std::uint8_t*>(stack.sp) - stack.size;
    place->size = stack.size;
    return stack;
  }
  void deallocate(context::stack_context& stack) {
    if (cache_is_gone) {
      StackCache::release(stack);
    } else {
      stack_cache.give_back(stack);
    }
  }
};

}  // namespace

class Task {
 public:
  struct Alarm : Timer {
    explicit Alarm(Task* owner) : task(owner) {}
    Task* task;
  };

  enum class Phase : std::uint8_t { ready, running, waiting, ended };

  explicit Task(std::function<void()> to_do) : body(std::move(to_do)) {}

  std::function<void()> body;
  context::fiber fiber;   // where to go on, while the task does not run
  context::fiber caller;  // who runs it, while it does
  FiberStack stack;
  HandledExceptions handled;
  std::exception_ptr failure;
  Alarm timer{this};
  Phase phase = Phase::ready;
  bool is_started = false;
  bool is_being_ended = false;
  bool is_late = false;  // the deadline of its wait came first
  bool is_held = false;
  bool is_due = false;  // held back, it would be ready
};

struct Tasks::State {
  std::vector<std::unique_ptr<Task>> tasks;
  std::deque<Task*> ready;
  Timers timers;
  Task* current = nullptr;
  Instant now;
  std::size_t alive = 0;
  FiberStack main_stack;

  void make_ready(Task& task);
  void start(Task& task);
  void resume(Task& task);
  void finish(Task& task);
  void run_body(Task& task);
};

void Tasks::State::make_ready(Task& task) {
  task.timer.stop();
  if (task.is_held) {
    task.is_due = true;
    return;
  }
  task.phase = Task::Phase::ready;
  ready.push_back(&task);
}

void Tasks::State::run_body(Task& task) {
  try {
    task.body();
  } catch (const TaskEnded&) {
  } catch (const context::detail::forced_unwind&) {
    throw;
  } catch (...) {
    task.failure = std::current_exception();
  }
}

void Tasks::State::start(Task& task) {
  task.is_started = true;
  fiber_created(task.stack);
  task.fiber = context::fiber(std::allocator_arg, CachedStack{&task.stack},
                              [this, &task](context::fiber&& caller) {
                                after_switch(task.stack, &main_stack);
                                task.caller = std::move(caller);
                                run_body(task);
                                task.phase = Task::Phase::ended;
                                before_switch(nullptr, main_stack);
                                return std::move(task.caller);
                              });
}

// Runs the task until it waits or ends.
void Tasks::State::resume(Task& task) {
  if (!task.is_started) start(task);
  task.phase = Task::Phase::running;
  current = &task;
  task.handled = exchange_handled(task.handled);
  before_switch(&main_stack, task.stack);
  task.fiber = std::move(task.fiber).resume();
  after_switch(main_stack, &task.stack);
  task.handled = exchange_handled(task.handled);
  current = nullptr;
  if (task.phase == Task::Phase::ended) finish(task);
}

void Tasks::State::finish(Task& task) {
  if (task.is_started) fiber_destroyed(task.stack);
  task.phase = Task::Phase::ended;
  task.timer.stop();
  task.body = nullptr;
  --alive;
}

Tasks::Tasks() : state_(std::make_unique<State>()) {}

Tasks::~Tasks() {
  // A task that is being unwound may spawn others; they end without having begun.
  for (std::size_t i = 0; i < state_->tasks.size(); ++i) {
    Task& task = *state_->tasks[i];
    task.is_being_ended = true;
    while (task.is_started && task.phase != Task::Phase::ended) state_->resume(task);
  }
}

Task* Tasks::spawn(std::function<void()> body) {
  state_->tasks.push_back(std::make_unique<Task>(std::move(body)));
  Task* task = state_->tasks.back().get();
  state_->ready.push_back(task);
  ++state_->alive;
  return task;
}

void Tasks::run(Instant now) {
  CHECK(state_->current == nullptr);
  state_->now = now;
  while (Timer* timer = state_->timers.pop(now)) {
    Task& task = *static_cast<Task::Alarm*>(timer)->task;
    task.is_late = true;
    state_->make_ready(task);
  }
  while (!state_->ready.empty()) {
    Task& task = *state_->ready.front();
    state_->ready.pop_front();
    if (!task.is_started && task.is_being_ended) {
      state_->finish(task);
      continue;
    }
    state_->resume(task);
    if (task.failure) std::rethrow_exception(std::exchange(task.failure, nullptr));
  }
}

Instant Tasks::next_deadline() const {
  return has_ready() ? state_->now : state_->timers.next_deadline();
}

bool Tasks::has_ready() const {
  return !state_->ready.empty();
}

std::size_t Tasks::alive() const {
  return state_->alive;
}

void Tasks::wake(Task* task) {
  if (task->phase == Task::Phase::waiting) state_->make_ready(*task);
}

void Tasks::hold(Task* task) {
  CHECK(task != state_->current);
  if (task->phase == Task::Phase::ended || task->is_held) return;
  task->is_held = true;
  if (task->phase != Task::Phase::ready) return;
  task->is_due = true;
  task->phase = Task::Phase::waiting;
  std::erase(state_->ready, task);
}

void Tasks::let_go(Task* task) {
  if (!task->is_held) return;
  task->is_held = false;
  if (std::exchange(task->is_due, false)) state_->make_ready(*task);
}

void Tasks::end(Task* task) {
  if (task->phase == Task::Phase::ended) return;
  task->is_being_ended = true;
  let_go(task);
  wake(task);
}

bool Tasks::has_ended(const Task* task) const {
  return task->phase == Task::Phase::ended;
}

void Tasks::drop_ended() {
  std::erase_if(state_->tasks, [](const auto& task) { return task->phase == Task::Phase::ended; });
}

Task* Tasks::current() const {
  return state_->current;
}

Instant Tasks::now() const {
  return state_->now;
}

bool Tasks::wait(Instant deadline) {
  Task* task = state_->current;
  CHECK(task != nullptr);
  if (task->is_being_ended) throw TaskEnded{};
  task->is_late = false;
  task->phase = Task::Phase::waiting;
  state_->timers.arm(task->timer, deadline);
  before_switch(&task->stack, state_->main_stack);
  task->caller = std::move(task->caller).resume();
  after_switch(task->stack, &state_->main_stack);
  if (task->is_being_ended) throw TaskEnded{};
  return !task->is_late;
}

void Tasks::sleep(Duration duration) {
  const Instant deadline = now() + duration;
  while (wait(deadline)) {
  }
}

}  // namespace lanyard
