// SPDX-License-Identifier: Apache-2.0
#include "transport/congestion/cubic.hh"

#include <algorithm>

#include "transport/congestion/new_reno.hh"

namespace lanyard::congestion {

namespace {

constexpr std::uint32_t window_max = 1U << 30;
// beta = 0.7; fast convergence (1 + beta) / 2 = 0.85.
constexpr std::uint64_t beta_10 = 7;
constexpr std::uint64_t converge_20 = 17;
// C = 0.4 segments per second cubed.
constexpr std::int64_t rate_10 = 4;
// Farther from K the window is beyond any bound, and the arithmetic would be.
constexpr std::int64_t away_ms_max = 100'000;

// The largest whole number whose cube is not above `value`.
std::uint64_t cube_root(std::uint64_t value) {
  std::uint64_t root = 0;
  for (int bit = 21; bit >= 0; --bit) {
    const std::uint64_t wider = root | 1ULL << bit;
    if (wider * wider * wider <= value) root = wider;
  }
  return root;
}

// a * b / c, keeping what the division loses for the next time.
std::uint32_t share(std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t& rest) {
  const std::uint64_t product = a * b + rest;
  rest = product % c;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(product / c, window_max));
}

}  // namespace

Cubic::Cubic(std::uint32_t segment_bytes, bool syn_was_lost) : segment_(segment_bytes) {
  state_.window = syn_was_lost ? segment_bytes : initial_window(segment_bytes);
}

// [RFC9438-4-a] 4.2: K = cbrt((W_max - cwnd_epoch) / C) seconds.
void Cubic::begin_epoch(Instant now) {
  state_.has_epoch = true;
  state_.epoch = now;
  state_.estimate = state_.window;
  part_ = estimate_part_ = 0;
  unused_since_ = Instant::never();
  // 4.8, 4.10: after a time-out, or where there was no reduction, the curve begins at its flat
  // part.
  if (state_.is_after_timeout || state_.most <= state_.window) {
    state_.most = state_.window;
    state_.rise_ms = 0;
    state_.is_after_timeout = false;
    return;
  }
  constexpr std::uint64_t cubic_ms_per_segment = 1'000'000'000ULL * 10 / rate_10;
  const std::uint64_t gap = state_.most - state_.window;
  state_.rise_ms = static_cast<std::int64_t>(cube_root(gap * cubic_ms_per_segment / segment_));
}

// Figure 1: C * (t - K)^3 + W_max.
std::uint32_t Cubic::cubic_window(Duration since) const {
  const std::int64_t away =
      std::clamp(since.count_ms() - state_.rise_ms, -away_ms_max, away_ms_max);
  const std::int64_t cube = away * away * away / 1000;
  const std::int64_t grown = cube * rate_10 * std::int64_t{segment_} / 10'000'000;
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(
      std::int64_t{state_.most} + grown, std::int64_t{segment_}, std::int64_t{window_max}));
}

void Cubic::on_acknowledged(const Acknowledged& acknowledged) {
  if (acknowledged.in_recovery) return;
  if (state_.window < state_.threshold) {
    const std::uint32_t growth = slow_start_.growth(acknowledged);
    if (acknowledged.was_limited) {
      const std::uint32_t room = state_.threshold - state_.window;
      state_.window = std::min(state_.window + std::min(growth, room), window_max);
    }
    if (slow_start_.is_over()) {
      state_.threshold = state_.window;
      slow_start_.stop();
    }
    return;
  }
  // 4.2: the time in which the window was not in use does not count (RFC 7661).
  if (!acknowledged.was_limited) {
    if (unused_since_ == Instant::never()) unused_since_ = acknowledged.now;
    return;
  }
  if (unused_since_ != Instant::never()) {
    state_.epoch += acknowledged.now - unused_since_;
    unused_since_ = Instant::never();
  }
  avoid(acknowledged);
}

// 4.2 to 4.5.
void Cubic::avoid(const Acknowledged& acknowledged) {
  if (!state_.has_epoch) begin_epoch(acknowledged.now);
  const Duration since = acknowledged.now - state_.epoch;
  // 4.3: as Reno with the same average window would; alpha = 3 * (1 - beta) / (1 + beta) = 9 / 17.
  const bool has_caught_up = state_.estimate >= state_.prior;
  const std::uint64_t step =
      has_caught_up ? std::uint64_t{segment_} * 17 : std::uint64_t{segment_} * 9;
  state_.estimate = std::min(
      window_max, state_.estimate + share(step, acknowledged.bytes,
                                          std::uint64_t{state_.window} * 17, estimate_part_));
  if (cubic_window(since) < state_.estimate) {
    state_.window = std::max(state_.window, state_.estimate);
    return;
  }
  // 4.4, 4.5: towards where the curve will be in a round trip, by half the window at most.
  const std::uint32_t window = state_.window;
  const std::uint32_t target =
      std::clamp(cubic_window(since + acknowledged.round_trip), window, window + window / 2);
  state_.window =
      std::min(window + share(target - window, acknowledged.bytes, window, part_), window_max);
}

// 4.6, 4.7; from the window rather than from what is in flight, as 4.6 lets those do who do not let
// an unused window grow.
void Cubic::reduce() {
  slow_start_.stop();
  state_.prior = state_.window;
  state_.most = state_.window < state_.most
                    ? static_cast<std::uint32_t>(state_.window * converge_20 / 20)
                    : state_.window;
  // Whole segments, as those who count in them have it.
  const auto left = static_cast<std::uint32_t>(state_.window * beta_10 / 10);
  state_.threshold = std::max(left - left % segment_, 2 * segment_);
  state_.has_epoch = false;
}

void Cubic::on_loss(Instant, std::uint32_t) {
  reduce();
  state_.window = state_.threshold;
}

void Cubic::on_recovered(Instant) {
  state_.window = std::max(state_.threshold, segment_);
}

void Cubic::on_timeout(Instant, std::uint32_t) {
  reduce();
  state_.window = segment_;
  state_.is_after_timeout = true;
}

// 4.9: the epoch goes on as if nothing had happened.
void Cubic::restore() {
  const State now = state_;
  state_ = before_;
  state_.window = std::max(state_.window, now.window);
  if (now.threshold != UINT32_MAX) state_.threshold = std::max(state_.threshold, now.threshold);
}

// [RFC5681-4.1-a]; RFC 9438 4.2: what follows is a new epoch.
void Cubic::on_idle() {
  state_.window = std::min(initial_window(segment_), state_.window);
  state_.has_epoch = false;
}

void Cubic::set_segment(std::uint32_t bytes) {
  if (bytes < segment_) state_.window = std::max(bytes, state_.window / segment_ * bytes);
  segment_ = bytes;
}

}  // namespace lanyard::congestion
