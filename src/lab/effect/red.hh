// SPDX-License-Identifier: Apache-2.0
// Random early detection (Floyd and Jacobson, "Random Early Detection Gateways for Congestion
// Avoidance", 1993): drops, or marks, with a chance that grows with the average length of the
// queue. In bytes; the average counts 2^16ths of a byte and moves by 1/512 of the difference at
// each frame.
#pragma once

#include "core/random.hh"
#include "lab/effect/queue.hh"

namespace lanyard::lab {

class Red final : public Queue {
 public:
  struct Numbers {
    std::uint64_t min_bytes = 0, max_bytes = 0, limit_bytes = 0;
    std::uint32_t chance = 0;  // at max, of a thousand million
    Duration frame_time;       // how long a frame of usual size takes: how fast the average sinks
    bool marks = false;
  };
  Red(const Numbers& numbers, const RandomStream& dice) : numbers_(numbers), dice_(dice) {}
  void push(Instant now, Packet frame, Wire& book) override;
  std::optional<Packet> pull(Instant now, Wire& book) override;
  [[nodiscard]] std::size_t packets() const override { return fifo_.packets(); }
  [[nodiscard]] std::uint64_t bytes() const override { return fifo_.bytes(); }
  [[nodiscard]] std::uint64_t average_bytes() const { return average_ >> 16U; }

 private:
  void average_in(Instant now);
  // Whether this frame is struck: never below min, always above max.
  bool strikes();

  Numbers numbers_;
  RandomStream dice_;
  Fifo fifo_;
  std::uint64_t average_ = 0;
  Instant idle_since_;
  std::int64_t count_ = -1;  // frames since the last that was struck
};

}  // namespace lanyard::lab
