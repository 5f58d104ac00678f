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
  iss_ = una_ = next_ = recover_ = small_end_ = iss;
  data_start_ = iss + 1;
}

void Sender::append(Bytes bytes) {
  if (!queue_) queue_ = std::make_unique<ByteQueue>();
  queue_->append(bytes);
}

void Sender::append(Slice slice) {
  if (!queue_) queue_ = std::make_unique<ByteQueue>();
  queue_->append(std::move(slice));
}

void Sender::share_with(Packet& packet, SequenceNumber from, std::uint32_t size) const {
  if (size > 0) queue_->share_with(packet, static_cast<std::size_t>(from - data_start_), size);
}

bool Sender::is_fin_acknowledged() const {
  return is_fin_sent_ && una_ == end_of_data() + 1;
}

std::optional<std::uint16_t> Sender::urgent_pointer(SequenceNumber sequence) const {
  if (!is_urgent_ || !after(urgent_end_, sequence)) return std::nullopt;
  return static_cast<std::uint16_t>(std::min<std::int32_t>(urgent_end_ - sequence, 65535));
}

const Flight* Sender::in_flight() const {
  return in_flight_ && !in_flight_->is_empty() ? in_flight_.get() : nullptr;
}

void Sender::flush() {
  queue_.reset();
  in_flight_.reset();
  records_.clear();
  is_urgent_ = false;
}

Acknowledged Sender::acknowledge(SequenceNumber ack, std::uint32_t mss, Delivery& delivery) {
  Acknowledged result;
  result.octets = static_cast<std::uint32_t>(ack - una_);
  const SequenceNumber acked_data = earlier(ack, end_of_data());
  if (after(acked_data, data_start_)) {
    result.bytes = static_cast<std::uint32_t>(acked_data - data_start_);
    queue_->pop_front(result.bytes);
    data_start_ = acked_data;
  }
  una_ = ack;
  records_.acknowledge(una_);
  window_ -= std::min(window_, result.bytes);  // the edge stays until somebody moves it
  if (is_urgent_ && before_or_at(urgent_end_, una_)) is_urgent_ = false;
  if (has_small_ && before_or_at(small_end_, una_)) has_small_ = false;
  if (in_flight_) {
    in_flight_->acknowledge(una_, delivery);
    // [RFC2018-5-a]: the peer has what comes next, and yet does not acknowledge it.
    if (in_flight_->has_reneged()) in_flight_->forget_held();
    if (in_flight_->is_empty() && !in_flight_->begin_again()) in_flight_.reset();
  }
  if (recovery_ == Recovery::none) {
    duplicates_ = 0;
  } else if (before(una_, recover_)) {
    // RFC 6582 3.2 step 5: a partial ACK. Each duplicate stood for a segment that has left.
    const auto left =
        static_cast<std::uint16_t>(std::min<std::uint32_t>(result.octets / mss, 65535));
    duplicates_ = static_cast<std::uint16_t>(duplicates_ > left ? duplicates_ - left + 1 : 0);
    if (!is_selective_ && recovery_ == Recovery::fast) {
      in_flight_->lose_first(mss);
      is_first_due_ = true;
    }
  }
  return result;
}

bool Sender::update_window(SequenceNumber sequence, SequenceNumber ack, std::uint32_t window) {
  // RFC 9293 3.10.7.4, and as Linux: what acknowledges more was sent later, also if its octets are
  // sent again. Without its window the right edge would move on by what it acknowledges.
  // SND.WL2 =< SEG.ACK needs no look: SND.UNA =< SEG.ACK, or this would not have been called.
  const bool is_newer = before_or_at(wl1_, sequence) || after(ack, wl2_);
  // A segment overtaken by a later one says nothing against what that said, but may give more.
  if (!is_newer && !after(ack + window, una_ + window_)) return false;
  const bool is_changed = window != window_;
  set_window(after(wl1_, sequence) ? wl1_ : sequence, ack, window);
  return is_changed;
}

void Sender::set_window(SequenceNumber sequence, SequenceNumber ack, std::uint32_t window) {
  wl1_ = sequence;
  wl2_ = ack;
  window_ = window;
  window_max_ = std::max(window_max_, window);
}

void Sender::take_sack(std::span<const SackBlock> blocks, Delivery& delivery) {
  if (blocks.empty()) return;
  delivery.duplicate = duplicate_in(blocks, una_);
  if (in_flight_) in_flight_->take_sack(blocks, una_, next_, delivery);
}

void Sender::count_duplicate() {
  if (duplicates_ < UINT16_MAX) ++duplicates_;
}

bool Sender::should_enter_recovery() const {
  if (recovery_ != Recovery::none) return false;
  if (is_selective_) return in_flight_->lost() > 0;
  // RFC 6582 3.2 step 1: duplicates of what a time-out resent are no sign of loss.
  return duplicates_ >= duplicates_needed && after(una_, recover_);
}

void Sender::enter_fast_recovery(std::uint32_t mss) {
  recovery_ = Recovery::fast;
  recover_ = next_;
  is_first_due_ = true;
  prefers_new_ = false;
  if (!is_selective_) in_flight_->lose_first(mss);
}

void Sender::enter_timeout_recovery(const LossRule& rule) {
  const bool is_again = recovery_ == Recovery::timeout;
  recovery_ = Recovery::timeout;
  recover_ = next_;
  is_first_due_ = true;
  prefers_new_ = false;
  duplicates_ = 0;
  // [RFC2018-5-a]: a peer whose word does not help is not believed for ever.
  if (is_again) in_flight_->forget_held();
  if (!is_selective_ || is_again) return in_flight_->lose_all();
  in_flight_->lose(rule);
  in_flight_->lose_first(UINT32_MAX);
}

void Sender::lose_all() {
  recovery_ = Recovery::timeout;
  recover_ = next_;
  is_first_due_ = true;
  prefers_new_ = false;
  duplicates_ = 0;
  in_flight_->forget_held();
  in_flight_->lose_all();
}

void Sender::end_recovery() {
  recovery_ = Recovery::none;
  duplicates_ = 0;
  prefers_new_ = is_first_due_ = false;
}

void Sender::undo_recovery() {
  if (in_flight_) in_flight_->find_all();
  end_recovery();
}

// Without SACK each duplicate says that one segment, nobody knows which, has arrived.
std::uint32_t Sender::pipe(std::uint32_t mss) const {
  if (!in_flight_) return flight();
  const std::uint32_t there = flight() - in_flight_->held() - in_flight_->lost();
  return is_selective_ ? there : there - std::min(duplicates_ * mss, there);
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
    if (prefers_new_ && unsent() > 0) {
      if (auto fresh = next_new(limits, held)) return fresh;
    }
    if (auto again = next_retransmission(limits)) return again;
  }
  if (unsent() > 0) return next_new(limits, held);
  return next_fin(held);
}

// RFC 6675 4 NextSeg rule 1; the first one of a recovery goes out whatever the pipe holds.
std::optional<Outgoing> Sender::next_retransmission(const SendLimits& limits) const {
  const auto hole = in_flight_->first_lost();
  if (!hole) return std::nullopt;
  const std::uint32_t in_pipe = pipe(limits.mss);
  std::uint32_t room = limits.congestion_window > in_pipe ? limits.congestion_window - in_pipe : 0;
  if (is_first_due_) room = std::max(room, limits.mss);
  if (room < limits.mss) return std::nullopt;
  const auto size = static_cast<std::uint32_t>(hole->right - hole->left);
  const std::uint32_t fitting = std::min({size, room, limits.mss});
  Outgoing out = run(hole->left, records_.left(hole->left, fitting));
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
  const std::uint32_t whole = records_.left(next_, size);
  const bool is_cut = whole < size;
  size = whole;
  if (size < limits.mss && !is_cut) {
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

void Sender::sent(Instant now, const Outgoing& outgoing, std::uint32_t mss) {
  const SequenceNumber end = outgoing.sequence + outgoing.size + (outgoing.has_fin ? 1 : 0);
  if (outgoing.has_fin) is_fin_sent_ = true;
  if (before(outgoing.sequence, next_)) {
    is_first_due_ = false;
    in_flight_->resent(outgoing.sequence, end, now);
  } else {
    if (!in_flight_) in_flight_ = std::make_unique<Flight>();
    // A super-segment is cut into as many; the FIN goes with the last.
    const bool has_both = outgoing.has_fin && outgoing.size > 0;
    in_flight_->sent(next_, has_both ? end - 1 : end, mss, now);
    if (has_both) in_flight_->lengthen(end);
    if (outgoing.size > 0 && (outgoing.size < mss || outgoing.size % mss != 0)) {
      small_end_ = end;
      has_small_ = true;
    }
  }
  next_ = later(next_, end);
}

std::uint32_t Sender::whole_rest(const SendLimits& limits) const {
  const bool is_plain = recovery_ == Recovery::none && duplicates_ == 0 && !is_fin_asked_ &&
                        !is_urgent_ && records_.is_empty() && !limits.is_corked &&
                        (limits.no_delay || !has_small_) &&
                        lost_bytes() + selectively_acknowledged() == 0;
  if (!is_plain) return 0;
  const std::size_t size = unsent();
  const bool is_one = size <= limits.mss && size <= usable_window() &&
                      flight() + size <= std::size_t{limits.congestion_window};
  return is_one ? static_cast<std::uint32_t>(size) : 0;
}

std::uint32_t Sender::sent_rest(Instant now, std::uint32_t size, std::uint32_t mss) {
  const SequenceNumber end = next_ + size;
  if (!in_flight_) in_flight_ = std::make_unique<Flight>();
  in_flight_->sent_one(next_, end, now);
  if (size < mss) {
    small_end_ = end;
    has_small_ = true;
  }
  next_ = end;
  return in_flight_->order();
}

std::optional<Outgoing> Sender::tail_probe(std::uint32_t mss) const {
  if (unsent() > 0 && usable_window() > 0) return squeezed(mss);
  // 7.3: the segment with the highest numbers; a FIN that went by itself is one.
  const SackBlock last = in_flight_->last();
  const std::uint32_t size = std::min(static_cast<std::uint32_t>(last.right - last.left), mss);
  Outgoing out = run(next_ - size, size);
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
