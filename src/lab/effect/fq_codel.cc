// SPDX-License-Identifier: Apache-2.0
#include "lab/effect/fq_codel.hh"

#include <algorithm>

#include "lab/match.hh"

namespace lanyard::lab {
namespace {

constexpr std::size_t batch_max = 64;

}  // namespace

// RFC 8290 4.1: the 5-tuple; what has none shares the queue of its kind.
std::uint32_t FqCodel::flow_of(const Packet& frame) const {
  const FrameFacts facts = facts_of_frame(frame.front(), frame.size());
  std::array<std::uint8_t, 37> key{};
  const auto& from = facts.source.bytes();
  const auto& to = facts.destination.bytes();
  std::copy(from.begin(), from.end(), key.begin());
  std::copy(to.begin(), to.end(), key.begin() + 16);
  key[32] = facts.protocol;
  store16(key.data() + 33, facts.source_port);
  store16(key.data() + 35, facts.destination_port);
  return static_cast<std::uint32_t>(siphash(secret_, key) % flows_.size());
}

void FqCodel::push(Instant now, Packet frame, Wire& book) {
  const std::uint32_t index = flow_of(frame);
  Flow& flow = flows_[index];
  ++packets_;
  bytes_ += frame.size();
  flow.fifo.push(now, std::move(frame));
  if (!flow.is_listed) {
    flow.is_listed = true;
    flow.deficit = numbers_.quantum;
    new_.push_back(index);
  }
  if (packets_ > numbers_.packets_max) drop_from_fattest(now, book);
}

// RFC 8290 4.1: from the head of the queue with the most bytes, half of it at most and no more
// than a batch.
void FqCodel::drop_from_fattest(Instant now, Wire& book) {
  Flow& fattest =
      *std::ranges::max_element(flows_, {}, [](const Flow& flow) { return flow.fifo.bytes(); });
  const std::uint64_t half = fattest.fifo.bytes() / 2;
  std::uint64_t dropped = 0;
  for (std::size_t i = 0; i < batch_max && !fattest.fifo.is_empty(); ++i) {
    Fifo::Held held = fattest.fifo.pull();
    dropped += held.frame.size();
    bytes_ -= held.frame.size();
    --packets_;
    book.drop(now, std::move(held.frame), DropReason::queue_full);
    if (dropped >= half) return;
  }
}

void FqCodel::recount(const Flow& flow, std::size_t packets, std::uint64_t bytes) {
  packets_ -= packets - flow.fifo.packets();
  bytes_ -= bytes - flow.fifo.bytes();
}

// RFC 8290 4.2.
std::optional<Packet> FqCodel::pull(Instant now, Wire& book) {
  while (true) {
    const bool is_new = !new_.empty();
    if (!is_new && old_.empty()) return {};
    std::list<std::uint32_t>& from = is_new ? new_ : old_;
    const std::uint32_t index = from.front();
    Flow& flow = flows_[index];
    if (flow.deficit <= 0) {
      flow.deficit += numbers_.quantum;
      old_.splice(old_.end(), from, from.begin());
      continue;
    }
    const std::size_t packets = flow.fifo.packets();
    const std::uint64_t bytes = flow.fifo.bytes();
    std::optional<Packet> frame = flow.control.pull(now, flow.fifo, numbers_.codel, book);
    recount(flow, packets, bytes);
    if (frame) {
      flow.deficit -= static_cast<std::int64_t>(frame->size());
      return frame;
    }
    // An empty new queue goes to the end of the old ones, so that none can stay new for ever.
    if (is_new && !old_.empty()) {
      old_.splice(old_.end(), from, from.begin());
    } else {
      from.pop_front();
      flow.is_listed = false;
    }
  }
}

}  // namespace lanyard::lab
