// SPDX-License-Identifier: Apache-2.0
// HyStart++ (RFC 9406): leaves the first slow start when the round trip grows, before the queue on
// the path overflows, by way of a conservative slow start that can turn back.
#pragma once

#include <cstdint>

#include "transport/congestion/control.hh"

namespace lanyard::tcp {
struct CongestionFields;  // fold_congestion.hh
}

namespace lanyard::congestion {

class SlowStart {
 public:
  // By how much the window grows for this acknowledgment.
  [[nodiscard]] std::uint32_t growth(const Acknowledged& acknowledged);
  // The conservative rounds are over: the window is to be the threshold.
  [[nodiscard]] bool is_over() const { return rounds_left_ == 0; }
  // Loss: what follows is no first slow start.
  void stop() { is_first_ = false, is_conservative_ = false; }
  [[nodiscard]] bool is_conservative() const { return is_conservative_; }

 private:
  friend struct tcp::CongestionFields;
  void begin_round(std::uint32_t flight);
  void sample(Duration round_trip);
  Duration last_least_ = Duration::infinite();  // lastRoundMinRTT
  Duration least_ = Duration::infinite();       // currentRoundMinRTT
  Duration baseline_ = Duration::infinite();    // cssBaselineMinRtt
  std::uint32_t round_left_ = 0;                // octets that were in flight when the round began
  std::uint8_t samples_ = 0;
  std::uint8_t rounds_left_ = UINT8_MAX;
  bool is_first_ = true;
  bool is_conservative_ = false;
};

}  // namespace lanyard::congestion
