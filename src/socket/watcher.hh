// SPDX-License-Identifier: Apache-2.0
// Every call that changes something on a host's sockets, seen from outside: what it was given and
// what came of it. What enters a host from its programs enters here and nowhere else.
#pragma once

#include <array>
#include <cstdint>

#include "core/bytes.hh"
#include "socket/sockets.hh"

namespace lanyard::socket {

enum class CallKind : std::uint8_t {
  open,  // numbers: family (4 or 6), type, protocol; result: the handle
  bind,
  listen,  // numbers: backlog
  accept,  // result: the new handle
  connect,
  disconnect,
  shutdown,  // numbers: how
  close,
  send,     // numbers: flags; result: bytes taken
  receive,  // numbers: flags, room; result: bytes given
  send_to,
  receive_from,
  take_error,
  set_option,  // numbers: option
  get_option,
};

struct Call {
  CallKind kind = CallKind::open;
  Instant at{};  // of those that are told the time
  Handle socket = Handle::none;
  std::int64_t result = 0;  // as a system call's: negative is an errno
  std::array<std::int64_t, 3> numbers{};
  Bytes bytes{};                         // sent, or received with a copy
  const Endpoint* endpoint = nullptr;    // bind's, connect's, or accept's peer
  const DatagramFacts* facts = nullptr;  // of send_to and receive_from
  const OptionValue* value = nullptr;    // given or got
};

// Flags as bits, in the order of SendFlags and ReceiveFlags.
[[nodiscard]] constexpr std::int64_t bits_of(const SendFlags& flags) {
  return (flags.out_of_band ? 1 : 0) | (flags.more ? 2 : 0) | (flags.end_of_record ? 4 : 0);
}
[[nodiscard]] constexpr std::int64_t bits_of(const ReceiveFlags& flags) {
  return (flags.peek ? 1 : 0) | (flags.out_of_band ? 2 : 0) | (flags.truncate ? 4 : 0);
}

// And back.
[[nodiscard]] constexpr SendFlags send_flags_of(std::int64_t bits) {
  return {(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0};
}
[[nodiscard]] constexpr ReceiveFlags receive_flags_of(std::int64_t bits) {
  return {(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0};
}

// Give it to Sockets::set_waker as the waker of Handle::none: it is then told of every call after
// it was made. Without one that costs a test.
class CallWatcher : public Waker {
 public:
  // What it points to is valid during the call only. Calls no socket function from inside.
  virtual void on_call(const Call& call) = 0;

 protected:
  ~CallWatcher() = default;

 private:
  void on_readiness(Handle) final {}
};

}  // namespace lanyard::socket
