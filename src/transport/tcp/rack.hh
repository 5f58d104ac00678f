// SPDX-License-Identifier: Apache-2.0
// RACK (RFC 8985 6): what was sent long enough before something that has been delivered is lost,
// where long enough adapts to the reordering of the path.
#pragma once

#include <cstdint>

#include "core/time.hh"
#include "transport/tcp/flight.hh"
#include "wire/sequence.hh"

namespace lanyard::tcp {

class Rack {
 public:
  void start(SequenceNumber una) { high_ = una; }
  // 6.2 steps 2 and 3: the newest delivery, and whether anything came out of order.
  void take(const Delivery& delivery);
  // 6.2 step 4: something was sent again for nothing; counted once a round trip.
  void take_duplicate(SequenceNumber una, SequenceNumber next);
  void recovered();
  void note_late(Duration age);  // an original came after what was sent behind it
  void note_reordering() { has_seen_reordering_ = true; }
  // What seemed to be the ACK of a retransmission was that of the original.
  void forget_delivery() { has_delivery_ = false; }

  struct Path {
    Duration least_round_trip;
    Duration smoothed_round_trip;
    Duration variation{};
    bool is_recovering = false;
    bool has_enough_held = false;  // DupThresh segments
  };
  // How long a segment may be late before it counts as lost.
  [[nodiscard]] Duration reordering_window(const Path& path) const;
  [[nodiscard]] LossRule rule(Instant now, const Path& path) const {
    return {now, newest_, usual_round_trip(path) + reordering_window(path), refused_};
  }
  [[nodiscard]] bool has_delivery() const { return has_delivery_; }
  [[nodiscard]] bool has_seen_reordering() const { return has_seen_reordering_; }
  [[nodiscard]] std::uint32_t window_steps() const { return steps_; }
  // How often something came out of order, and by how many octets at most.
  [[nodiscard]] std::uint32_t reorderings() const { return reorderings_; }
  [[nodiscard]] std::uint32_t disorder() const { return disorder_; }

 private:
  [[nodiscard]] Duration usual_round_trip(const Path& path) const;
  friend struct SendingFields;  // fold_sending.hh
  Moment newest_;               // RACK.xmit_ts, RACK.end_seq
  Instant refused_;             // what was sent before and is not there will not be taken
  Duration round_trip_;
  Duration late_;        // by how much something was, at most
  SequenceNumber high_;  // RACK.fack
  SequenceNumber duplicate_round_;
  std::uint32_t reorderings_ = 0;
  std::uint32_t disorder_ = 0;
  bool has_delivery_ = false;
  bool has_seen_reordering_ = false;
  bool has_duplicate_round_ = false;
  std::uint8_t steps_ = 1;    // RACK.reo_wnd_mult
  std::uint8_t persist_ = 0;  // recoveries that keep it
};

}  // namespace lanyard::tcp
