// SPDX-License-Identifier: Apache-2.0
// A queue that is asked for its next frame when the link can take one, so that it may decide then
// (CoDel drops at the head). The world wakes it: next_deadline() says when.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "lab/effect/pace.hh"
#include "lab/effect/queue.hh"
#include "lab/effect/wire.hh"

namespace lanyard::lab {

class Queued final : public Effect {
 public:
  // `on_waits` is called for each frame that came and was not dropped there and then, before any
  // other moves.
  Queued(std::unique_ptr<Queue> queue, std::unique_ptr<Pace> pace, std::function<void()> on_waits,
         Wire& next)
      : Effect(next),
        queue_(std::move(queue)),
        pace_(std::move(pace)),
        on_waits_(std::move(on_waits)) {}
  void carry(Instant at, Packet frame) override;
  void poll(Instant now);
  [[nodiscard]] Instant next_deadline() const { return wake_at_; }
  // What waits moves over, in its order; what no longer fits is dropped.
  void set_queue(Instant now, std::unique_ptr<Queue> queue);
  void set_pace(Instant now, std::unique_ptr<Pace> pace);
  // A cut: all that waits is lost.
  void drop_all(Instant now, DropReason reason);
  [[nodiscard]] bool is_empty() const { return !held_ && queue_->packets() == 0; }
  [[nodiscard]] const Queue& queue() const { return *queue_; }

 private:
  std::unique_ptr<Queue> queue_;
  std::unique_ptr<Pace> pace_;
  std::function<void()> on_waits_;
  std::optional<Packet> held_;  // taken from the queue, waiting for tokens
  Instant wake_at_ = Instant::never();
};

}  // namespace lanyard::lab
