// SPDX-License-Identifier: Apache-2.0
#include "transport/tcp/receiver.hh"

#include <algorithm>
#include <utility>
#include <vector>

namespace lanyard::tcp {

namespace {

// What a connection is offered before it has shown that it reads quickly (as Linux's tcp_rmem[1]).
constexpr std::uint32_t buffer_initial_bytes = 64 * 1024;
constexpr std::uint32_t field_max = 65535;
// A piece as small as this is copied rather than keep the block it lies in.
constexpr std::size_t copied_bytes_max = 512;

Slice slice_of(const Packet& packet, std::size_t offset, std::size_t size) {
  std::vector<Slice> slices;
  packet.slices_of(offset, size, slices);
  if (slices.size() == 1 && size > copied_bytes_max) return slices.front();
  std::vector<std::uint8_t> linear(size);
  packet.copy_to(offset, linear);
  return Slice::copy_of(linear);
}

}  // namespace

void Receiver::start(SequenceNumber irs, std::uint32_t buffer_bytes, std::uint8_t scale) {
  irs_ = irs;
  next_ = irs + 1;
  edge_ = next_;
  buffer_max_ = buffer_bytes;
  buffer_ = std::min(buffer_initial_bytes, buffer_bytes);
  scale_ = scale;
  round_end_ = buffer_;
}

void Receiver::append(const Packet& packet, std::size_t offset, std::size_t size) {
  if (!queue_) queue_ = std::make_unique<ByteQueue>();
  queue_->append(packet, offset, size);
  next_ += static_cast<std::uint32_t>(size);
  position_ += size;
}

Receiver::Taken Receiver::take(SequenceNumber sequence, const Packet& packet, std::size_t offset,
                               std::size_t size, std::size_t pieces_max) {
  if (sequence == next_ && !ahead_ && size > 0) {
    append(packet, offset, size);
    grow();
    return {.bytes = static_cast<std::uint32_t>(size), .was_out_of_order = false};
  }
  const SequenceNumber before_it = next_;
  const SequenceNumber end = sequence + static_cast<std::uint32_t>(size);
  Taken taken;
  if (!after(end, next_)) {
    note_duplicate({sequence, end});
    return {.bytes = 0, .was_out_of_order = true};
  }
  SackBlock again{next_, next_};  // the first of what this segment brings a second time
  if (before(sequence, next_)) {
    // 9293-3.10.7.4-c: only the new part is used.
    again.left = sequence;
    const auto old = static_cast<std::size_t>(next_ - sequence);
    offset += old;
    size -= old;
    sequence = next_;
    taken.was_out_of_order = true;
  }
  if (sequence != next_) {
    // RFC 9293 3.10.7.4 [SHLD-31]: kept until the gap is filled.
    if (const auto known = keep(position_of(sequence), packet, offset, size, pieces_max)) {
      note_block({sequence, end});
      note_duplicate(*known);  // [RFC2883-4-a]: told before the block that holds it
    }
    return {.bytes = 0, .was_out_of_order = true};
  }
  if (!ahead_) {
    append(packet, offset, size);
  } else {
    // Bytes that came before, ahead of the gap, were received first and stay.
    taken.was_out_of_order = true;
    const std::uint64_t first = ahead_->pieces.begin()->first;
    const std::size_t fresh =
        std::min<std::size_t>(size, static_cast<std::size_t>(first - position_));
    append(packet, offset, fresh);
    if (fresh < size) {
      const auto known = keep(position_, packet, offset + fresh, size - fresh, SIZE_MAX);
      if (again.left == again.right) again = *known;
    }
    take_what_follows();
  }
  note_duplicate(again);  // [RFC2883-4-a], 4.2: of several parts the first
  grow();
  taken.bytes = static_cast<std::uint32_t>(next_ - before_it);
  return taken;
}

// Stores those parts of [from, from + size) that are not there yet. What comes back is the first of
// those that are, which may be empty; nothing if there is no room.
std::optional<SackBlock> Receiver::keep(std::uint64_t from, const Packet& packet,
                                        std::size_t offset, std::size_t size,
                                        std::size_t pieces_max) {
  if (!ahead_) ahead_ = std::make_unique<Ahead>();
  auto& pieces = ahead_->pieces;
  const std::uint64_t end = from + size;
  const std::uint64_t begin = from;
  std::uint64_t again_from = end, again_to = end;  // the first run of octets that are there
  auto next = pieces.upper_bound(from);
  if (next != pieces.begin()) {
    const auto previous = std::prev(next);
    const std::uint64_t known = previous->first + previous->second.size();
    if (known > from) {
      again_from = from;
      again_to = std::min(known, end);
    }
    from = std::max(from, known);
  }
  while (from < end) {
    const std::uint64_t to = next == pieces.end() ? end : std::min(end, next->first);
    if (from < to) {
      // BI-57: a full store drops; the peer sends again what is missing.
      if (pieces.size() >= pieces_max) return std::nullopt;
      const auto bytes = static_cast<std::size_t>(to - from);
      pieces.emplace_hint(next, from,
                          slice_of(packet, offset + static_cast<std::size_t>(from - begin), bytes));
      ahead_->bytes += bytes;
    }
    if (next == pieces.end()) break;
    const std::uint64_t known = next->first + next->second.size();
    if (to < again_from) again_from = again_to = to;
    if (to == again_to) again_to = std::min(known, end);
    from = std::max(from, known);
    ++next;
  }
  const SequenceNumber left = next_ + static_cast<std::uint32_t>(again_from - position_);
  return SackBlock{left, left + static_cast<std::uint32_t>(again_to - again_from)};
}

void Receiver::take_what_follows() {
  auto& pieces = ahead_->pieces;
  while (!pieces.empty() && pieces.begin()->first == position_) {
    Slice slice = std::move(pieces.begin()->second);
    pieces.erase(pieces.begin());
    ahead_->bytes -= slice.size();
    next_ += static_cast<std::uint32_t>(slice.size());
    position_ += slice.size();
    queue_->append(std::move(slice));
  }
  if (pieces.empty()) ahead_.reset();
  drop_old_blocks();
}

void Receiver::drop_old_blocks() {
  std::uint8_t kept = 0;
  for (std::uint8_t i = 0; i < blocks_used_; ++i)
    if (after(blocks_[i].right, next_)) blocks_[kept++] = blocks_[i];
  blocks_used_ = kept;
  has_duplicate_ = false;
}

// [RFC2018-3-a]: the first block is all there is around the segment that triggered the ACK; older
// ones follow.
void Receiver::note_block(SackBlock block) {
  if (has_duplicate_) sack_reported();
  block = take_known(whole(take_known(block)));
  std::copy_backward(blocks_.begin(), blocks_.end() - 1, blocks_.end());
  blocks_[0] = block;
  if (blocks_used_ < sack_blocks_max) ++blocks_used_;
}

// The block and those of the reported ones that touch it, which are no longer for themselves.
SackBlock Receiver::take_known(SackBlock block) {
  std::uint8_t kept = 0;
  for (std::uint8_t i = 0; i < blocks_used_; ++i) {
    const SackBlock other = blocks_[i];
    if (before(other.right, block.left) || after(other.left, block.right)) {
      blocks_[kept++] = other;
      continue;
    }
    if (before(other.left, block.left)) block.left = other.left;
    if (after(other.right, block.right)) block.right = other.right;
  }
  blocks_used_ = kept;
  return block;
}

// The block with what is kept right before and behind it.
SackBlock Receiver::whole(SackBlock block) const {
  const auto& pieces = ahead_->pieces;
  auto piece = pieces.lower_bound(position_of(block.left));
  while (piece != pieces.begin()) {
    const auto& [from, slice] = *--piece;
    if (from + slice.size() < position_of(block.left)) break;
    block.left = block.left - static_cast<std::uint32_t>(position_of(block.left) - from);
  }
  while (true) {
    const auto& [from, slice] = *std::prev(pieces.upper_bound(position_of(block.right)));
    if (from + slice.size() <= position_of(block.right)) return block;
    block.right += static_cast<std::uint32_t>(from + slice.size() - position_of(block.right));
  }
}

// [RFC2883-4-a]: what came twice is reported once, first.
void Receiver::note_duplicate(SackBlock block) {
  if (!before(block.left, block.right)) return;
  if (has_duplicate_) sack_reported();
  for (std::size_t i = sack_blocks_max - 1; i > 0; --i) blocks_[i] = blocks_[i - 1];
  blocks_[0] = block;
  blocks_used_ =
      static_cast<std::uint8_t>(std::min<std::size_t>(blocks_used_ + 1, sack_blocks_max));
  has_duplicate_ = true;
}

void Receiver::sack_reported() {
  if (!has_duplicate_) return;
  has_duplicate_ = false;
  for (std::uint8_t i = 1; i < blocks_used_; ++i) blocks_[i - 1] = blocks_[i];
  --blocks_used_;
}

// The buffer doubles whenever a bufferful has come and the program has kept up with it.
void Receiver::grow() {
  if (position_ < round_end_) return;
  if (buffer_ < buffer_max_ && queued() <= buffer_ / 2)
    buffer_ = std::min(buffer_max_, buffer_ * 2);
  round_end_ = position_ + buffer_;
}

std::uint16_t Receiver::offer(std::uint32_t mss) {
  const std::size_t used = queued() + ahead_bytes();
  const std::uint32_t room = used < buffer_ ? buffer_ - static_cast<std::uint32_t>(used) : 0;
  const std::uint32_t offered = window();
  const std::uint32_t step = std::min(buffer_ / 2, mss);
  std::uint32_t wanted = offered;
  if (room >= offered + step) wanted = room;
  // Rounded up, so that the scaled value never takes back what was offered.
  const std::uint32_t unit = 1U << scale_;
  std::uint32_t field = std::min((wanted + unit - 1) >> scale_, field_max);
  // Rounding gives a little each time; a peer that sends single octets must not live on it (BI-79).
  const std::size_t reach = queued() + (std::size_t{field} << scale_);
  if (reach > buffer_ + buffer_ / 8) field = std::min(wanted >> scale_, field_max);
  const std::uint32_t said = field << scale_;
  if (said > offered) edge_ = next_ + said;
  return static_cast<std::uint16_t>(field);
}

bool Receiver::should_offer_more(std::uint32_t mss) const {
  const std::size_t used = queued() + ahead_bytes();
  const std::uint32_t room = used < buffer_ ? buffer_ - static_cast<std::uint32_t>(used) : 0;
  const std::uint32_t offered = window();
  return offered <= buffer_ / 2 && room >= offered + std::min(buffer_ / 2, mss) &&
         room >= offered * 2;
}

bool Receiver::set_urgent(SequenceNumber end) {
  const SequenceNumber unread = next_ - static_cast<std::uint32_t>(queued());
  if (!after(end, unread)) return false;  // read past already
  const std::uint64_t mark = position_of(end) - 1;
  if (has_mark_ && mark <= mark_) return false;
  has_mark_ = true;
  is_mark_read_ = false;
  mark_ = mark;
  return true;
}

bool Receiver::has_urgent_byte() const {
  return has_mark_ && !is_inline_ && !is_mark_read_ && mark_ < position_;
}

std::optional<std::uint8_t> Receiver::read_urgent(bool peek) {
  if (!has_urgent_byte()) return std::nullopt;
  std::uint8_t octet = 0;
  queue_->copy_to(static_cast<std::size_t>(mark_ - read_position()), {&octet, 1});
  if (!peek) is_mark_read_ = true;
  return octet;
}

bool Receiver::is_at_mark() const {
  return has_mark_ && read_position() == mark_;
}

// Bytes in the queue before the mark; one that was read past is none any more (pop).
std::size_t Receiver::until_mark() const {
  if (!has_mark_) return SIZE_MAX;
  return static_cast<std::size_t>(mark_ - read_position());
}

std::size_t Receiver::readable() const {
  const std::size_t size = queued();
  const bool has_hidden = has_mark_ && !is_inline_ && until_mark() < size;
  return has_hidden ? size - 1 : size;
}

void Receiver::pop(std::size_t size) {
  queue_->pop_front(size);
  if (has_mark_ && mark_ < read_position()) has_mark_ = false;
}

// A read stops at the mark, as it does on Linux, so that SIOCATMARK can find it. At the mark, the
// urgent octet is skipped unless it is in line. Where in the queue the next one begins, and its
// size.
std::pair<std::size_t, std::size_t> Receiver::next_read(std::size_t size_max) const {
  const std::size_t mark = until_mark();
  const std::size_t skipped = !is_inline_ && mark == 0 && queued() > 0 ? 1 : 0;
  std::size_t size = std::min(size_max, queued() - skipped);
  if (mark > 0 && mark != SIZE_MAX) size = std::min(size, mark);
  return {skipped, size};
}

std::size_t Receiver::read(MutableBytes out, bool peek) {
  if (out.empty()) return 0;
  const auto [offset, size] = next_read(out.size());
  if (size > 0) queue_->copy_to(offset, out.first(size));
  if (!peek && offset + size > 0) pop(offset + size);
  return size;
}

std::size_t Receiver::share(std::size_t size, std::vector<Slice>& out) const {
  const auto [offset, found] = next_read(size);
  if (found > 0) queue_->share(offset, found, out);
  return found;
}

std::size_t Receiver::skip(std::size_t size) {
  const auto [offset, found] = next_read(size);
  if (offset + found > 0) pop(offset + found);
  return found;
}

// RFC 2018 8 allows it: what was reported is only promised once it is acknowledged.
void Receiver::drop_ahead() {
  ahead_.reset();
  blocks_used_ = 0;
  has_duplicate_ = false;
}

void Receiver::discard() {
  queue_.reset();
  ahead_.reset();
  has_mark_ = false;
  blocks_used_ = 0;
}

}  // namespace lanyard::tcp
