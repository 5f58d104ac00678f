// SPDX-License-Identifier: Apache-2.0
// CoDel (RFC 8289): drops at the head of the queue as long as the least time a frame waited within
// an interval is above the target, more and more often.
#pragma once

#include "lab/effect/queue.hh"

namespace lanyard::lab {

struct CodelNumbers {
  Duration target, interval;
  std::uint32_t frame_max = 1514;  // a queue of one such frame is never too long
  bool marks = false;
};

// The control of one queue; FQ-CoDel has one for each flow.
class CodelControl {
 public:
  // The next frame of `fifo`; those that CoDel drops before it are told to `book`.
  std::optional<Packet> pull(Instant now, Fifo& fifo, const CodelNumbers& numbers, Wire& book);
  [[nodiscard]] bool is_dropping() const { return is_dropping_; }

 private:
  std::optional<Packet> take(Instant now, Fifo& fifo, const CodelNumbers& numbers);
  [[nodiscard]] Instant control_law(Instant since, const CodelNumbers& numbers) const;
  // True if the frame was marked and is to be sent; otherwise it is dropped.
  bool strike(Instant now, std::optional<Packet>& frame, const CodelNumbers& numbers, Wire& book);

  Instant first_above_;  // start(): the wait is below the target
  Instant drop_next_;
  std::uint32_t count_ = 0, last_count_ = 0;
  bool is_dropping_ = false, may_drop_ = false;
};

class Codel final : public Queue {
 public:
  Codel(const CodelNumbers& numbers, std::size_t packets_max)
      : numbers_(numbers), packets_max_(packets_max) {}
  void push(Instant now, Packet frame, Wire& book) override {
    if (fifo_.packets() >= packets_max_)
      return book.drop(now, std::move(frame), DropReason::queue_full);
    fifo_.push(now, std::move(frame));
  }
  std::optional<Packet> pull(Instant now, Wire& book) override {
    return control_.pull(now, fifo_, numbers_, book);
  }
  [[nodiscard]] std::size_t packets() const override { return fifo_.packets(); }
  [[nodiscard]] std::uint64_t bytes() const override { return fifo_.bytes(); }

 private:
  Fifo fifo_;
  CodelControl control_;
  CodelNumbers numbers_;
  std::size_t packets_max_;
};

}  // namespace lanyard::lab
