// SPDX-License-Identifier: Apache-2.0
// CUBIC (RFC 9438), with HyStart++ (RFC 9406): the window grows as a cubic function of the time
// since it was last reduced, flat around the size at which that happened. Whole numbers only:
// octets and milliseconds.
#pragma once

#include "transport/congestion/control.hh"
#include "transport/congestion/slow_start.hh"

namespace lanyard::tcp {
struct CongestionFields;  // fold_congestion.hh
}

namespace lanyard::congestion {

class Cubic final : public Control {
 public:
  Cubic(std::uint32_t segment_bytes, bool syn_was_lost);
  [[nodiscard]] std::uint32_t window() const override { return state_.window; }
  [[nodiscard]] std::uint32_t threshold() const override { return state_.threshold; }
  void on_acknowledged(const Acknowledged& acknowledged) override;
  void on_loss(Instant now, std::uint32_t flight) override;
  void on_recovered(Instant now) override;
  void on_timeout(Instant now, std::uint32_t flight) override;
  void remember() override { before_ = state_; }
  void restore() override;
  void on_idle() override;
  void start_at(std::uint32_t window, std::uint32_t threshold) override {
    state_.window = window, state_.threshold = threshold;
  }
  void set_segment(std::uint32_t bytes) override;

  // W_cubic(t) (RFC 9438 4.2, figure 1): the window `since` the epoch began.
  [[nodiscard]] std::uint32_t cubic_window(Duration since) const;

 private:
  friend struct tcp::CongestionFields;
  struct State {
    std::uint32_t window = 0;
    std::uint32_t threshold = UINT32_MAX;
    std::uint32_t most = 0;      // W_max
    std::uint32_t prior = 0;     // cwnd_prior: before the last reduction
    std::uint32_t estimate = 0;  // W_est
    std::int64_t rise_ms = 0;    // K
    bool has_epoch = false;
    bool is_after_timeout = false;
    Instant epoch;
  };
  void begin_epoch(Instant now);
  void reduce();
  void avoid(const Acknowledged& acknowledged);
  std::uint32_t segment_;
  std::uint64_t part_ = 0;           // of an octet's growth, in octets times the window
  std::uint64_t estimate_part_ = 0;  // the same of the estimate
  Instant unused_since_ = Instant::never();
  State state_, before_;
  SlowStart slow_start_;
};

}  // namespace lanyard::congestion
