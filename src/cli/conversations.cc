// SPDX-License-Identifier: Apache-2.0
#include "cli/conversations.hh"

#include <utility>

namespace lanyard::cli {

Conversations::Ends Conversations::ends_of(const Facts& facts) {
  return {facts.source, facts.source_port, facts.destination, facts.destination_port};
}

std::uint32_t Conversations::number_in(Numbers& numbers, const Facts& facts) {
  const auto& [a, a_port, b, b_port] = ends_of(facts);
  const Ends ends = std::pair{a, a_port} <= std::pair{b, b_port} ? Ends{a, a_port, b, b_port}
                                                                 : Ends{b, b_port, a, a_port};
  const auto next = static_cast<std::uint32_t>(numbers.size() + 1);
  return numbers.try_emplace(ends, next).first->second;
}

std::uint32_t Conversations::number_of_pair(const Facts& facts) {
  constexpr std::uint32_t first = 1'000'000'000;
  return first + number_in(pairs_, facts);
}

SegmentNote Conversations::take(const Facts& facts) {
  const TcpFacts& segment = *facts.tcp;
  SegmentNote note;
  note.conversation = number_in(conversations_, facts);
  Direction& ours = directions_[ends_of(facts)];
  Direction& theirs =
      directions_[Ends{facts.destination, facts.destination_port, facts.source, facts.source_port}];
  const std::uint32_t length = segment.payload_bytes + segment.flags.syn() + segment.flags.fin();
  // A new SYN far from the last one begins a new conversation on the same ports.
  const bool is_anew = segment.flags.syn() && ours.is_seen && segment.sequence != ours.first;
  if (!ours.is_seen || is_anew) {
    ours = Direction{
        .is_seen = true, .first = segment.sequence, .next = segment.sequence, .last_ack = {}};
    if (is_anew && !segment.flags.ack()) theirs = Direction{};
  }
  note.sequence = segment.sequence.value() - ours.first.value();
  const bool is_old = tcp::before(segment.sequence, ours.next);
  const bool is_one_back = segment.sequence + 1 == ours.next;
  note.is_keep_alive = is_old && is_one_back && segment.payload_bytes <= 1 &&
                       !segment.flags.syn() && !segment.flags.fin() && !segment.flags.rst() &&
                       note.sequence != 0;
  note.is_retransmission = is_old && length != 0 && !note.is_keep_alive;
  const tcp::SequenceNumber end = segment.sequence + length;
  if (tcp::after(end, ours.next)) ours.next = end;
  if (segment.flags.ack()) see_ack(segment, ours, theirs, note);
  return note;
}

void Conversations::see_ack(const TcpFacts& segment, Direction& ours, Direction& theirs,
                            SegmentNote& note) {
  if (!theirs.is_seen) {  // the capture begins in the middle
    theirs = Direction{.is_seen = true,
                       .first = segment.acknowledgment,
                       .next = segment.acknowledgment,
                       .last_ack = {}};
  }
  note.acknowledgment = segment.acknowledgment.value() - theirs.first.value();
  // RFC 5681 2: the same acknowledgment and window, no data, while data is outstanding.
  const bool is_duplicate = ours.has_acked && segment.acknowledgment == ours.last_ack &&
                            segment.window == ours.last_window && segment.payload_bytes == 0 &&
                            !segment.flags.syn() && !segment.flags.fin() && !segment.flags.rst() &&
                            tcp::before(segment.acknowledgment, theirs.next) && !note.is_keep_alive;
  ours.duplicate_acks = is_duplicate ? ours.duplicate_acks + 1 : 0;
  note.duplicate_acks = ours.duplicate_acks;
  ours.last_ack = segment.acknowledgment;
  ours.last_window = segment.window;
  ours.has_acked = true;
}

}  // namespace lanyard::cli
