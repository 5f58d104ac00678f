// SPDX-License-Identifier: Apache-2.0
// What must be told or kept when the processor goes from one stack to another: the sanitizers'
// notion of the current stack, and the C++ run-time's list of exceptions being handled.
#pragma once

#include <cstddef>

namespace lanyard {

// One stack as the sanitizers see it. `bottom` is its lowest address; unset for a thread's own.
struct FiberStack {
  const void* bottom = nullptr;
  std::size_t size = 0;
  void* address_sanitizer = nullptr;
  void* thread_sanitizer = nullptr;
};

// The exceptions a stack is in the middle of handling (Itanium C++ ABI 2.2.2), so that a task may
// wait inside a catch block.
struct HandledExceptions {
  void* caught = nullptr;
  unsigned int uncaught = 0;
};

// Call on the old stack just before a switch; `from` is null if the old stack ends with it.
void before_switch(FiberStack* from, FiberStack& to);
// Call on the new stack just after a switch. `self` is the stack now run, `before` where it came
// from; its bottom and size are filled in.
void after_switch(FiberStack& self, FiberStack* before);
// A new stack's and an ended one's book-keeping.
void fiber_created(FiberStack& stack);
void fiber_destroyed(FiberStack& stack);

// Replaces the exceptions being handled by `next` and returns those before.
HandledExceptions exchange_handled(const HandledExceptions& next);

}  // namespace lanyard
