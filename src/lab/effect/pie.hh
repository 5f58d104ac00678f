// SPDX-License-Identifier: Apache-2.0
// PIE (RFC 8033): drops as frames come, with a chance that a controller holds so that they wait as
// long as the target says. The wait is taken from the frames' own times (RFC 8033 4.3). Chances are
// 64-bit fractions of 2^48.
#pragma once

#include "core/random.hh"
#include "lab/effect/queue.hh"

namespace lanyard::lab {

class Pie final : public Queue {
 public:
  struct Numbers {
    Duration target;
    std::size_t packets_max = 1000;
    std::uint32_t frame_max = 1514;
    bool marks = false;
  };
  Pie(const Numbers& numbers, const RandomStream& dice) : numbers_(numbers), dice_(dice) {}
  void push(Instant now, Packet frame, Wire& book) override;
  std::optional<Packet> pull(Instant now, Wire& book) override;
  [[nodiscard]] std::size_t packets() const override { return fifo_.packets(); }
  [[nodiscard]] std::uint64_t bytes() const override { return fifo_.bytes(); }
  // The present chance of a drop, of a thousand million.
  [[nodiscard]] std::uint64_t chance() const;

 private:
  void catch_up(Instant now);
  void update();
  bool early_drop();

  Numbers numbers_;
  RandomStream dice_;
  Fifo fifo_;
  Instant next_update_;
  std::int64_t chance_ = 0, accumulated_ = 0;
  Duration burst_allowance_;
  Duration waited_, waited_before_;
  bool is_active_ = false;
};

}  // namespace lanyard::lab
