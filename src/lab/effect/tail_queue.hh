// SPDX-License-Identifier: Apache-2.0
// First come, first sent; what does not fit is dropped at the tail. Bounded in bytes or in packets.
// Used where a queue must be asked for its next frame; DropTail is the same for a link of one
// steady rate, where that is known beforehand.
#pragma once

#include <limits>

#include "lab/effect/queue.hh"

namespace lanyard::lab {

class TailQueue final : public Queue {
 public:
  TailQueue(std::uint64_t bytes_max, std::size_t packets_max)
      : bytes_max_(bytes_max), packets_max_(packets_max) {}
  void push(Instant now, Packet frame, Wire& book) override {
    if (fifo_.bytes() + frame.size() > bytes_max_ || fifo_.packets() >= packets_max_)
      return book.drop(now, std::move(frame), DropReason::queue_full);
    fifo_.push(now, std::move(frame));
  }
  std::optional<Packet> pull(Instant, Wire&) override {
    if (fifo_.is_empty()) return {};
    return fifo_.pull().frame;
  }
  [[nodiscard]] std::size_t packets() const override { return fifo_.packets(); }
  [[nodiscard]] std::uint64_t bytes() const override { return fifo_.bytes(); }

 private:
  Fifo fifo_;
  std::uint64_t bytes_max_;
  std::size_t packets_max_;
};

}  // namespace lanyard::lab
