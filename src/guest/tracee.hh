// SPDX-License-Identifier: Apache-2.0
// The memory and the descriptors of a program whose call waits.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>

#include "core/bytes.hh"
#include "guest/descriptor.hh"

namespace lanyard::guest {

// False where the program has no such memory (EFAULT).
[[nodiscard]] bool read_memory(pid_t thread, std::uint64_t from, void* to, std::size_t size);
[[nodiscard]] bool write_memory(pid_t thread, std::uint64_t to, const void* from, std::size_t size);
// A text of at most 4095 bytes with its end; empty if there is none.
[[nodiscard]] std::string read_text(pid_t thread, std::uint64_t from);

template <typename T>
[[nodiscard]] bool read_value(pid_t thread, std::uint64_t from, T& value) {
  return read_memory(thread, from, &value, sizeof value);
}
template <typename T>
[[nodiscard]] bool write_value(pid_t thread, std::uint64_t to, const T& value) {
  return write_memory(thread, to, &value, sizeof value);
}

// Whether a signal waits that the thread neither blocks nor ignores.
[[nodiscard]] bool has_signal_waiting(pid_t thread);
// Whether the thread sleeps in poll(2) or one of its kin; also true if that is not to be known.
[[nodiscard]] bool is_polling(pid_t thread);

// Duplicates descriptors out of programs. Handles to threads are kept while they live: a number
// that comes to mean another thread makes the kept handle fail, and it is made anew.
class DescriptorFetcher {
 public:
  // A duplicate of the thread's descriptor `number`; not open where there is none. To be closed
  // before the program runs on, or its last close would go unnoticed.
  [[nodiscard]] Descriptor fetch(pid_t thread, int number);

 private:
  [[nodiscard]] int handle_of(pid_t thread);
  std::map<pid_t, Descriptor> handles_;
};

}  // namespace lanyard::guest
