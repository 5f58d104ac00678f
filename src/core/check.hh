// SPDX-License-Identifier: Apache-2.0
// CHECK is for our own mistakes and ends the process; nothing that a packet, a file or a person
// brings may reach one.
#pragma once

namespace lanyard {

// Reports a broken invariant on standard error and aborts.
[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace lanyard

#define CHECK(condition) \
  (static_cast<bool>(condition) ? void(0) : ::lanyard::check_failed(#condition, __FILE__, __LINE__))
