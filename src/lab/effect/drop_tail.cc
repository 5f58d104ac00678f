// SPDX-License-Identifier: Apache-2.0
#include "lab/effect/drop_tail.hh"

namespace lanyard::lab {

// When each frame will be begun is known as it comes, so the queue needs no events of its own.
bool DropTail::takes(Instant at, std::size_t bytes) {
  while (!waiting_.empty() && waiting_.front().begins <= at) {
    bytes_ -= waiting_.front().bytes;
    waiting_.pop_front();
  }
  const Instant begins = rate_.begins(at);
  if (begins <= at) return true;
  if (bytes_ + bytes > bytes_max_) return false;
  bytes_ += bytes;
  waiting_.push_back({begins, bytes});
  return true;
}

void DropTail::carry(Instant at, Packet frame) {
  if (!takes(at, frame.size())) return drop(at, std::move(frame), DropReason::queue_full);
  next().carry(at, std::move(frame));
}

}  // namespace lanyard::lab
