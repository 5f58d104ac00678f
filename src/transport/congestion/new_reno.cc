// SPDX-License-Identifier: Apache-2.0
#include "transport/congestion/new_reno.hh"

#include <algorithm>

namespace lanyard::congestion {

namespace {
constexpr std::uint32_t window_max = 1U << 30;
}

std::uint32_t initial_window(std::uint32_t segment_bytes) {
  return std::min(10 * segment_bytes, std::max(2 * segment_bytes, 14600U));
}

NewReno::NewReno(std::uint32_t segment_bytes, bool syn_was_lost)
    : segment_(segment_bytes),
      window_(syn_was_lost ? segment_bytes : initial_window(segment_bytes)) {}

// RFC 5681 3.1 [MUST-19] [RFC5681-3.1-a]. BI-81: growth is by bytes that were outstanding, so
// dividing ACKs gains nothing; and only when the window was in use (RFC 7661's concern).
void NewReno::on_acknowledged(const Acknowledged& acknowledged) {
  if (acknowledged.in_recovery || !acknowledged.was_limited) return;
  if (window_ < threshold_) {
    // RFC 3465 2.2 bounds the step by two segments per ACK; a super-segment's ACK stands for many.
    const std::uint32_t room = threshold_ - window_;
    window_ = std::min(window_ + std::min(acknowledged.bytes, room), window_max);
    return;
  }
  counted_ += acknowledged.bytes;
  if (counted_ < window_) return;
  counted_ -= window_;
  window_ = std::min(window_ + segment_, window_max);
}

void NewReno::halve(std::uint32_t flight) {
  threshold_ = std::max(flight / 2, 2 * segment_);
  counted_ = 0;
}

void NewReno::on_loss(Instant, std::uint32_t flight) {
  halve(flight);
  window_ = threshold_;
}

void NewReno::on_recovered(Instant) {
  window_ = std::max(threshold_, segment_);
}

void NewReno::on_timeout(Instant, std::uint32_t flight) {
  halve(flight);
  window_ = segment_;
}

void NewReno::restore() {
  window_ = std::max(window_, before_.window);
  threshold_ = std::max(threshold_, before_.threshold);
}

// [RFC5681-4.1-a]: the restart window is min(IW, cwnd).
void NewReno::on_idle() {
  window_ = std::min(initial_window(segment_), window_);
}

void NewReno::set_segment(std::uint32_t bytes) {
  // RFC 5681 3.1: the window keeps its number of segments when the path MTU falls.
  if (bytes < segment_) window_ = std::max(bytes, window_ / segment_ * bytes);
  segment_ = bytes;
}

}  // namespace lanyard::congestion
