// SPDX-License-Identifier: Apache-2.0
// What waits for a link, and which of it goes next. A discipline may drop a frame as it comes, as
// it is its turn, or one that waits; `book` is told. Time never goes back from call to call.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "lab/effect/wire.hh"

namespace lanyard::lab {

class Queue {
 public:
  Queue() = default;
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;
  virtual ~Queue() = default;
  virtual void push(Instant now, Packet frame, Wire& book) = 0;
  // The next to be sent, or nothing.
  virtual std::optional<Packet> pull(Instant now, Wire& book) = 0;
  [[nodiscard]] virtual std::size_t packets() const = 0;
  [[nodiscard]] virtual std::uint64_t bytes() const = 0;
};

// Frames in the order they came, with the time they came.
class Fifo {
 public:
  struct Held {
    Instant since;
    Packet frame;
  };
  void push(Instant now, Packet frame) {
    bytes_ += frame.size();
    held_.push_back({now, std::move(frame)});
  }
  Held pull() {
    Held first = std::move(held_[head_++]);
    bytes_ -= first.frame.size();
    if (head_ * 2 > held_.size()) {
      held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(head_));
      head_ = 0;
    }
    return first;
  }
  [[nodiscard]] bool is_empty() const { return head_ == held_.size(); }
  [[nodiscard]] std::size_t packets() const { return held_.size() - head_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  std::vector<Held> held_;  // from head_ on; an empty one costs nothing
  std::size_t head_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace lanyard::lab
