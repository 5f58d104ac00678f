// SPDX-License-Identifier: Apache-2.0
#include "lab/effect/drop_tail.hh"

namespace lanyard::lab {

// When each frame will be begun is known as it comes, so the queue needs no events of its own.
void DropTail::carry(Instant at, Packet frame) {
  while (!waiting_.empty() && waiting_.front().begins <= at) {
    bytes_ -= waiting_.front().bytes;
    waiting_.pop_front();
  }
  const Instant begins = rate_.begins(at);
  if (begins > at) {
    if (bytes_ + frame.size() > bytes_max_)
      return drop(at, std::move(frame), DropReason::queue_full);
    bytes_ += frame.size();
    waiting_.push_back({begins, frame.size()});
  }
  next().carry(at, std::move(frame));
}

}  // namespace lanyard::lab
