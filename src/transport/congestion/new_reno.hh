// SPDX-License-Identifier: Apache-2.0
// Slow start and congestion avoidance of RFC 5681 with appropriate byte counting (RFC 3465) and the
// initial window of RFC 6928.
#pragma once

#include "transport/congestion/control.hh"

namespace lanyard::tcp {
struct CongestionFields;  // fold_congestion.hh
}

namespace lanyard::congestion {

// [RFC6928-2-a]: min(10 * MSS, max(2 * MSS, 14600)).
[[nodiscard]] std::uint32_t initial_window(std::uint32_t segment_bytes);

class NewReno final : public Control {
 public:
  // `syn_was_lost`: RFC 6928 2, RFC 5681 3.1: start with one segment.
  NewReno(std::uint32_t segment_bytes, bool syn_was_lost);
  [[nodiscard]] std::uint32_t window() const override { return window_; }
  [[nodiscard]] std::uint32_t threshold() const override { return threshold_; }
  void on_acknowledged(const Acknowledged& acknowledged) override;
  void on_loss(Instant now, std::uint32_t flight) override;
  void on_recovered(Instant now) override;
  void on_timeout(Instant now, std::uint32_t flight) override;
  void remember() override { before_ = {window_, threshold_}; }
  void restore() override;
  void on_idle() override;
  void start_at(std::uint32_t window, std::uint32_t threshold) override {
    window_ = window, threshold_ = threshold;
  }
  void set_segment(std::uint32_t bytes) override;

 private:
  friend struct tcp::CongestionFields;
  void halve(std::uint32_t flight);
  std::uint32_t segment_;
  std::uint32_t window_;
  std::uint32_t threshold_ = UINT32_MAX;
  struct {
    std::uint32_t window, threshold;
  } before_{};
  std::uint32_t counted_ = 0;  // bytes acknowledged since the window last grew in avoidance
};

}  // namespace lanyard::congestion
