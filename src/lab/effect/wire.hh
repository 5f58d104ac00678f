// SPDX-License-Identifier: Apache-2.0
// One direction of a link is a chain of effects, each with the face of what it wraps: a frame goes
// in at an instant and comes out of the next wire later, or not. The last wire is the far port.
#pragma once

#include <utility>

#include "core/drop.hh"
#include "core/packet.hh"
#include "core/time.hh"

namespace lanyard::lab {

class Wire {
 public:
  Wire() = default;
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  virtual ~Wire() = default;
  // The frame reaches this wire at `at`, which never goes back from call to call unless an effect
  // before reorders.
  virtual void carry(Instant at, Packet frame) = 0;
  // The frame ends here. Passed along, so that the end of the chain keeps the book.
  virtual void drop(Instant at, Packet frame, DropReason reason) = 0;
};

// What every effect is: it hands on to the next.
class Effect : public Wire {
 public:
  explicit Effect(Wire& next) : next_(&next) {}
  void drop(Instant at, Packet frame, DropReason reason) override {
    next_->drop(at, std::move(frame), reason);
  }
  // A chain grows while it is in use: an effect may come between this one and the next.
  void set_next(Wire& next) { next_ = &next; }

 protected:
  Wire& next() { return *next_; }

 private:
  Wire* next_;
};

}  // namespace lanyard::lab
