// SPDX-License-Identifier: Apache-2.0
// A seccomp listener: one program's calls that wait for an answer.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>

#include "core/error.hh"
#include "guest/descriptor.hh"

namespace lanyard::guest {

class Listener;

// One call that waits.
struct Call {
  Listener* listener = nullptr;
  std::uint64_t id = 0;
  pid_t thread = 0;
  int number = 0;
  std::array<std::uint64_t, 6> arguments{};

  [[nodiscard]] int int_argument(std::size_t index) const {
    return static_cast<int>(arguments.at(index));
  }
};

class Listener {
 public:
  explicit Listener(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

  [[nodiscard]] int descriptor() const { return descriptor_.get(); }
  // The next call. Only when the descriptor polls as readable, or it waits for one; false if that
  // call has vanished since.
  [[nodiscard]] bool receive(Call& call);
  // Whether the call still waits: its thread may have been killed, or a signal taken it away.
  [[nodiscard]] bool is_waiting(const Call& call) const;
  // Each answers the call and says whether it was still there to be answered.
  bool reply(const Call& call, std::int64_t value);  // negative: an errno
  bool reply(const Call& call, Errno error) { return reply(call, -static_cast<int>(error)); }
  bool reply(const Call& call, const Result<void>& result) {
    return reply(call, result ? 0 : -static_cast<std::int64_t>(result.error()));
  }
  bool let_run(const Call& call);
  // Puts a copy of `descriptor` into the program and answers with its number there.
  bool reply_descriptor(const Call& call, int descriptor, bool closes_on_exec);
  // The same under the number it has there already, before the answer; false: as it was.
  bool replace_descriptor(const Call& call, int number, int descriptor, bool closes_on_exec);

 private:
  Descriptor descriptor_;
};

}  // namespace lanyard::guest
