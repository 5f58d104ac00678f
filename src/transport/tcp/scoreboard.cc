// SPDX-License-Identifier: Apache-2.0
#include "transport/tcp/scoreboard.hh"

#include <algorithm>

namespace lanyard::tcp {

namespace {

std::uint32_t size_of(const SackBlock& range) {
  return static_cast<std::uint32_t>(range.right - range.left);
}
SequenceNumber later(SequenceNumber a, SequenceNumber b) {
  return before(a, b) ? b : a;
}
SequenceNumber earlier(SequenceNumber a, SequenceNumber b) {
  return before(a, b) ? a : b;
}

}  // namespace

// BI-54: a block that is empty, turned round, or outside what is outstanding says nothing. D-SACK
// blocks (RFC 2883) lie below SND.UNA and end here too.
std::uint32_t Scoreboard::add(std::span<const SackBlock> blocks, SequenceNumber una,
                              SequenceNumber nxt) {
  const std::uint32_t known = bytes_;
  for (const SackBlock& block : blocks) {
    if (!before(block.left, block.right)) continue;
    if (!after(block.left, una) || after(block.right, nxt)) continue;
    add_one(block);
  }
  return bytes_ - known;
}

bool Scoreboard::add_one(SackBlock block) {
  auto first = std::find_if(ranges_.begin(), ranges_.end(), [&](const SackBlock& range) {
    return after_or_at(range.right, block.left);
  });
  if (first == ranges_.end() || before(block.right, first->left)) {
    if (ranges_.size() >= ranges_max) return false;
    ranges_.insert(first, block);
    bytes_ += size_of(block);
    return true;
  }
  if (!before(block.left, first->left) && !after(block.right, first->right)) return false;
  auto last = first;
  while (last != ranges_.end() && after_or_at(block.right, last->left)) {
    bytes_ -= size_of(*last);
    block.left = earlier(block.left, last->left);
    block.right = later(block.right, last->right);
    ++last;
  }
  *first = block;
  bytes_ += size_of(block);
  ranges_.erase(first + 1, last);
  return true;
}

void Scoreboard::advance(SequenceNumber una) {
  auto kept = ranges_.begin();
  for (; kept != ranges_.end() && before_or_at(kept->right, una); ++kept) bytes_ -= size_of(*kept);
  ranges_.erase(ranges_.begin(), kept);
  if (ranges_.empty() || !before(ranges_.front().left, una)) return;
  bytes_ -= static_cast<std::uint32_t>(una - ranges_.front().left);
  ranges_.front().left = una;
}

void Scoreboard::clear() {
  ranges_.clear();
  bytes_ = 0;
}

std::uint32_t Scoreboard::bytes_in(SequenceNumber from, SequenceNumber to) const {
  std::uint32_t sum = 0;
  for (const SackBlock& range : ranges_) {
    const SequenceNumber left = later(range.left, from);
    const SequenceNumber right = earlier(range.right, to);
    if (before(left, right)) sum += static_cast<std::uint32_t>(right - left);
  }
  return sum;
}

SequenceNumber Scoreboard::lost_edge(SequenceNumber una, std::uint32_t mss) const {
  constexpr std::size_t duplicates = 3;  // DupThresh
  std::uint32_t above = 0;
  std::size_t count = 0;
  for (auto range = ranges_.rbegin(); range != ranges_.rend(); ++range) {
    above += size_of(*range);
    if (++count >= duplicates || above > (duplicates - 1) * mss) return range->left;
  }
  return una;
}

std::optional<SackBlock> Scoreboard::hole(SequenceNumber from, SequenceNumber to) const {
  for (const SackBlock& range : ranges_) {
    if (before_or_at(range.right, from)) continue;
    if (before(from, range.left)) {
      to = earlier(to, range.left);
      break;
    }
    from = range.right;
  }
  if (!before(from, to)) return std::nullopt;
  return SackBlock{from, to};
}

}  // namespace lanyard::tcp
