// SPDX-License-Identifier: Apache-2.0
#include "core/fiber_switch.hh"

#include <cxxabi.h>

#include <cstring>

#if defined(__SANITIZE_ADDRESS__)
#define LANYARD_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LANYARD_ADDRESS_SANITIZER 1
#endif
#endif
// LANYARD_THREAD_SANITIZER comes from cmake/compile.cmake: ThreadSanitizer keeps a stack of calls
// for each fiber, so what switches between them must not be instrumented itself.

#if defined(LANYARD_ADDRESS_SANITIZER)
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(LANYARD_THREAD_SANITIZER)
#include <sanitizer/tsan_interface.h>
#endif

namespace lanyard {

void before_switch([[maybe_unused]] FiberStack* from, [[maybe_unused]] FiberStack& to) {
#if defined(LANYARD_ADDRESS_SANITIZER)
  __sanitizer_start_switch_fiber(from == nullptr ? nullptr : &from->address_sanitizer, to.bottom,
                                 to.size);
#endif
#if defined(LANYARD_THREAD_SANITIZER)
  if (from != nullptr) from->thread_sanitizer = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(to.thread_sanitizer, 0);
#endif
}

void after_switch([[maybe_unused]] FiberStack& self, [[maybe_unused]] FiberStack* before) {
#if defined(LANYARD_ADDRESS_SANITIZER)
  __sanitizer_finish_switch_fiber(self.address_sanitizer,
                                  before == nullptr ? nullptr : &before->bottom,
                                  before == nullptr ? nullptr : &before->size);
#endif
}

void fiber_created([[maybe_unused]] FiberStack& stack) {
#if defined(LANYARD_THREAD_SANITIZER)
  stack.thread_sanitizer = __tsan_create_fiber(0);
#endif
}

void fiber_destroyed([[maybe_unused]] FiberStack& stack) {
#if defined(LANYARD_THREAD_SANITIZER)
  __tsan_destroy_fiber(stack.thread_sanitizer);
#endif
}

HandledExceptions exchange_handled(const HandledExceptions& next) {
  void* globals = abi::__cxa_get_globals();
  HandledExceptions before;
  std::memcpy(&before, globals, sizeof before);
  std::memcpy(globals, &next, sizeof next);
  return before;
}

}  // namespace lanyard
