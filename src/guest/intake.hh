// SPDX-License-Identifier: Apache-2.0
// Bytes between a stream descriptor and the stack's slices, without a copy of our own: read(2)
// fills blocks that become slices of the send queue, write(2) takes slices of the receive queue.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "core/slice.hh"

namespace lanyard::guest {

class Intake {
 public:
  Intake() = default;
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;
  ~Intake();

  // Most that one read takes.
  static constexpr std::size_t bytes_max = 256 * 1024;
  // Appends at most `room` bytes, at most bytes_max, to `out`; the answer is recv(2)'s, -1 with
  // errno. Never waits.
  ssize_t read(int descriptor, std::size_t room, std::vector<Slice>& out);

 private:
  static constexpr std::size_t block_bytes = 64 * 1024;
  std::array<Block*, bytes_max / block_bytes> blocks_{};  // ours to fill
};

// send(2) of as many of them as one call takes, without waiting and without a signal; `offered` is
// how many bytes those have.
ssize_t write_slices(int descriptor, std::span<const Slice> slices, std::size_t& offered);

}  // namespace lanyard::guest
