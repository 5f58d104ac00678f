// SPDX-License-Identifier: Apache-2.0
#include "transport/tcp/sender.hh"

#include <algorithm>

#include "core/check.hh"

namespace lanyard::tcp {

namespace {

constexpr std::uint16_t duplicates_needed = 3;  // RFC 5681 3.2, DupThresh

SequenceNumber later(SequenceNumber a, SequenceNumber b) {
  return before(a, b) ? b : a;
}
SequenceNumber earlier(SequenceNumber a, SequenceNumber b) {
  return before(a, b) ? a : b;
}

}  // namespace

void Sender::start(SequenceNumber iss) {
  iss_ = una_ = next_ = recover_ = high_rxt_ = small_end_ = iss;
  data_start_ = iss + 1;
}

void Sender::append(Bytes bytes) {
  if (!queue_) queue_ = std::make_unique<ByteQueue>();
  queue_->append(bytes);
}

std::size_t Sender::unsent() const {
  const std::int32_t ahead = end_of_data() - later(next_, data_start_);
  return ahead > 0 ? static_cast<std::size_t>(ahead) : 0;
}

void Sender::share_with(Packet& packet, SequenceNumber from, std::uint32_t size) const {
  if (size > 0) queue_->share_with(packet, static_cast<std::size_t>(from - data_start_), size);
}

std::optional<std::uint16_t> Sender::urgent_pointer(SequenceNumber sequence) const {
  if (!is_urgent_ || !after(urgent_end_, sequence)) return std::nullopt;
  return static_cast<std::uint16_t>(std::min<std::int32_t>(urgent_end_ - sequence, 65535));
}

void Sender::flush() {
  queue_.reset();
  board_.reset();
  is_urgent_ = false;
}

Sender::Acknowledged Sender::acknowledge(SequenceNumber ack, std::uint32_t mss) {
  Acknowledged result;
  result.octets = static_cast<std::uint32_t>(ack - una_);
  const SequenceNumber acked_data = earlier(ack, end_of_data());
  if (after(acked_data, data_start_)) {
    result.bytes = static_cast<std::uint32_t>(acked_data - data_start_);
    queue_->pop_front(result.bytes);
    data_start_ = acked_data;
    if (queue_->is_empty()) queue_.reset();
  }
  una_ = ack;
  if (is_urgent_ && before_or_at(urgent_end_, una_)) is_urgent_ = false;
  if (has_small_ && before_or_at(small_end_, una_)) has_small_ = false;
  if (board_) board_->advance(una_);
  if (board_ && board_->is_empty()) board_.reset();
  high_rxt_ = later(high_rxt_, una_);
  if (recovery_ == Recovery::none) {
    duplicates_ = 0;
  } else if (after_or_at(una_, recover_)) {
    recovery_ = Recovery::none;
    duplicates_ = 0;
    result.has_recovered = true;
  } else {
    // RFC 6582 3.2 step 5: a partial ACK. Each duplicate stood for a segment that has left.
    const auto left =
        static_cast<std::uint16_t>(std::min<std::uint32_t>(result.octets / mss, 65535));
    duplicates_ = static_cast<std::uint16_t>(duplicates_ > left ? duplicates_ - left + 1 : 0);
  }
  return result;
}

bool Sender::update_window(SequenceNumber sequence, SequenceNumber ack, std::uint32_t window) {
  const bool is_newer = before(wl1_, sequence) || (wl1_ == sequence && before_or_at(wl2_, ack));
  if (!is_newer) return false;
  const bool is_changed = window != window_;
  set_window(sequence, ack, window);
  return is_changed;
}

void Sender::set_window(SequenceNumber sequence, SequenceNumber ack, std::uint32_t window) {
  wl1_ = sequence;
  wl2_ = ack;
  window_ = window;
  window_max_ = std::max(window_max_, window);
}

std::uint32_t Sender::take_sack(std::span<const SackBlock> blocks) {
  if (!is_selective_ || blocks.empty() || una_ == next_) return 0;
  if (!board_) board_ = std::make_unique<Scoreboard>();
  const std::uint32_t fresh = board_->add(blocks, una_, next_);
  if (board_->is_empty()) board_.reset();
  return fresh;
}

bool Sender::should_enter_recovery(std::uint32_t mss) const {
  if (recovery_ != Recovery::none || una_ == next_) return false;
  if (board_ && after(board_->lost_edge(una_, mss), una_)) return true;
  if (duplicates_ < duplicates_needed) return false;
  // RFC 6582 3.2 step 1: duplicates of what a time-out resent are no sign of loss.
  return is_selective_ || after(una_, recover_);
}

void Sender::enter_fast_recovery() {
  recovery_ = Recovery::fast;
  recover_ = next_;
  high_rxt_ = una_;
}

void Sender::enter_timeout_recovery() {
  recovery_ = Recovery::timeout;
  recover_ = next_;
  high_rxt_ = una_;
  duplicates_ = 0;
  board_.reset();
}

SequenceNumber Sender::lost_edge(std::uint32_t mss) const {
  switch (recovery_) {
    case Recovery::none:
      return una_;
    case Recovery::timeout:
      return earlier(recover_, next_);
    case Recovery::fast:
      break;
  }
  // The first segment is lost whatever the scoreboard says: that is why we are here.
  const SequenceNumber first = earlier(una_ + mss, next_);
  return board_ ? later(board_->lost_edge(una_, mss), first) : first;
}

// Without SACK each duplicate says that one segment, nobody knows which, has arrived.
std::uint32_t Sender::held_by_peer(SequenceNumber from, SequenceNumber to,
                                   std::uint32_t mss) const {
  if (!before(from, to)) return 0;
  if (is_selective_) return board_ ? board_->bytes_in(from, to) : 0;
  return std::min(duplicates_ * mss, static_cast<std::uint32_t>(to - from));
}

std::uint32_t Sender::pipe(std::uint32_t mss) const {
  const SequenceNumber lost = lost_edge(mss);
  std::uint32_t octets = static_cast<std::uint32_t>(next_ - lost) - held_by_peer(lost, next_, mss);
  if (after(high_rxt_, una_) && recovery_ != Recovery::none) {
    const auto resent = static_cast<std::uint32_t>(high_rxt_ - una_);
    octets += resent - (board_ ? board_->bytes_in(una_, high_rxt_) : 0);
  }
  return octets;
}

std::uint32_t Sender::lost_bytes(std::uint32_t mss) const {
  const SequenceNumber lost = lost_edge(mss);
  const SequenceNumber from = later(una_, high_rxt_);
  if (!before(from, lost)) return 0;
  return static_cast<std::uint32_t>(lost - from) - (board_ ? board_->bytes_in(from, lost) : 0);
}

std::uint32_t Sender::usable_window() const {
  const SequenceNumber edge = una_ + window_;
  return after(edge, next_) ? static_cast<std::uint32_t>(edge - next_) : 0;
}

// The octets [from, from + size), the FIN counted among them if they reach it.
Outgoing Sender::run(SequenceNumber from, std::uint32_t size) const {
  Outgoing out{.sequence = from, .size = size};
  const SequenceNumber data_end = end_of_data();
  if (after(from + size, data_end)) {
    out.has_fin = true;
    out.size = size - 1;
  }
  // RFC 9293 3.9.1.2 [MUST-61]: the last of what is queued carries PSH.
  out.has_push = out.size > 0 && from + out.size == data_end;
  return out;
}

std::optional<Outgoing> Sender::next_outgoing(const SendLimits& limits, Held& held) const {
  held = Held::nothing_to_send;
  if (recovery_ != Recovery::none) {
    if (auto again = next_retransmission(limits)) return again;
  }
  if (unsent() > 0) return next_new(limits, held);
  return next_fin(held);
}

// RFC 6675 4 NextSeg rule 1; the first one of a recovery goes out whatever the pipe holds.
std::optional<Outgoing> Sender::next_retransmission(const SendLimits& limits) const {
  const auto hole = board_
                        ? board_->hole(later(una_, high_rxt_), lost_edge(limits.mss))
                        : std::optional(SackBlock{later(una_, high_rxt_), lost_edge(limits.mss)});
  if (!hole || !before(hole->left, hole->right)) return std::nullopt;
  const std::uint32_t in_pipe = pipe(limits.mss);
  const bool is_first = high_rxt_ == una_;
  std::uint32_t room = limits.congestion_window > in_pipe ? limits.congestion_window - in_pipe : 0;
  if (is_first) room = std::max(room, limits.mss);
  if (room < limits.mss) return std::nullopt;
  const auto size = static_cast<std::uint32_t>(hole->right - hole->left);
  const std::uint32_t largest = std::max(limits.mss, limits.super_segment_max);
  std::uint32_t fitting = std::min({size, room, largest});
  if (fitting > limits.mss && fitting < size) fitting -= fitting % limits.mss;
  Outgoing out = run(hole->left, fitting);
  out.is_retransmission = true;
  return out;
}

std::optional<Outgoing> Sender::next_new(const SendLimits& limits, Held& held) const {
  const auto available = static_cast<std::uint32_t>(unsent());
  const std::uint32_t usable = usable_window();
  const std::uint32_t in_pipe = pipe(limits.mss);
  const std::uint32_t room =
      limits.congestion_window > in_pipe ? limits.congestion_window - in_pipe : 0;
  const std::uint32_t largest = std::max(limits.mss, limits.super_segment_max);
  std::uint32_t size = std::min({available, usable, room, largest});
  // RFC 9293 3.9.1.2 [SHLD-28]: full segments first; the rest is a decision of its own.
  if (size > limits.mss) size -= size % limits.mss;
  if (size < limits.mss) {
    if (size < available && room < std::min(usable, limits.mss) && in_pipe > 0) {
      held = Held::by_congestion;
      return std::nullopt;
    }
    if (!may_send_small(size, limits, held)) return std::nullopt;
  }
  Outgoing out = run(next_, size);
  const bool is_last = size == available;
  if (is_last && is_fin_asked_ && usable > size) out.has_fin = true;
  return out;
}

// RFC 9293 3.8.6.2.1 [MUST-38] (9293-3.8-a) and Nagle's rule in Minshall's form, as Linux has it:
// a small segment waits for an earlier small one, not for full ones.
bool Sender::may_send_small(std::uint32_t size, const SendLimits& limits, Held& held) const {
  if (size == 0 || size < unsent()) {
    held = Held::by_window;
    return size > 0 && size >= std::max(window_max_ / 2, 1U);
  }
  held = Held::by_nagle;
  if (is_fin_asked_) return true;
  if (limits.is_corked) return false;
  return limits.no_delay || !has_small_;
}

std::optional<Outgoing> Sender::next_fin(Held& held) const {
  if (!is_fin_asked_ || is_fin_sent_) return std::nullopt;
  // Waits for the window as data does, but not for the congestion window: it is nearly nothing.
  if (usable_window() == 0) {
    held = Held::by_window;
    return std::nullopt;
  }
  return Outgoing{.sequence = next_, .has_fin = true};
}

void Sender::sent(const Outgoing& outgoing, std::uint32_t mss) {
  const SequenceNumber end = outgoing.sequence + outgoing.size + (outgoing.has_fin ? 1 : 0);
  if (outgoing.has_fin) is_fin_sent_ = true;
  if (before(outgoing.sequence, next_)) {
    high_rxt_ = later(high_rxt_, end);
  } else if (outgoing.size > 0 && outgoing.size % mss != 0) {
    small_end_ = end;
    has_small_ = true;
  }
  next_ = later(next_, end);
}

Outgoing Sender::head(std::uint32_t mss) const {
  Outgoing out = run(una_, std::min(flight(), mss));
  out.is_retransmission = true;
  return out;
}

std::optional<Outgoing> Sender::squeezed(std::uint32_t mss) const {
  const std::uint32_t usable = usable_window();
  if (usable == 0 || !has_unsent()) return std::nullopt;
  const auto size = std::min({static_cast<std::uint32_t>(unsent()), usable, mss});
  Outgoing out = run(next_, size);
  if (size == unsent() && is_fin_asked_ && usable > size) out.has_fin = true;
  return out;
}

}  // namespace lanyard::tcp
