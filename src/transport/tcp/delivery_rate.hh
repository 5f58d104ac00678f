// SPDX-License-Identifier: Apache-2.0
// How fast the path delivers (draft-cheng-iccrg-delivery-rate-estimation-02): from one send to its
// acknowledgment, what was delivered meanwhile over the longer of the time in which it was sent and
// the time in which it was acknowledged. What the draft notes with each segment is noted here of
// one send in a round trip: nobody lives by the samples, TCP_INFO shows them.
#pragma once

#include <cstdint>

#include "core/time.hh"
#include "transport/tcp/delivery.hh"

namespace lanyard::tcp {

class DeliveryRate {
 public:
  // A send goes out, whose runs are numbered (Moment::order) from `order` on; `is_first`: nothing
  // was in flight before it.
  void sent(Instant now, std::uint32_t order, bool is_first);
  // 3.3: what an acknowledgment delivers; `flight_left` is still in flight after it.
  void take(const Delivery& delivery, std::uint32_t flight_left);
  // 3.4: nothing waits to be sent and more could be in flight, which is this much.
  void note_application_limited(std::uint32_t flight) { limited_until_ = delivered_ + flight + 1; }

  // Octets per second, of the last sample that says something; 0: none has.
  [[nodiscard]] std::uint64_t rate() const { return rate_; }
  // Whether the program sent less than the path would have taken.
  [[nodiscard]] bool is_application_limited() const { return is_rate_limited_; }

 private:
  friend struct SendingFields;       // fold_sending.hh
  std::uint64_t delivered_ = 0;      // C.delivered, octets
  Instant delivered_at_;             // C.delivered_time
  Instant first_sent_at_;            // C.first_sent_time
  std::uint64_t limited_until_ = 0;  // C.app_limited; 0: is not
  std::uint64_t rate_ = 0;
  // P.delivered, P.delivered_time, P.first_sent_time, P.is_app_limited of the send that is timed.
  std::uint64_t timed_delivered_ = 0;
  Instant timed_delivered_at_, timed_first_sent_at_;
  std::uint32_t timed_order_ = 0;
  bool is_timing_ = false;
  bool is_timed_limited_ = false;
  bool is_rate_limited_ = false;
};

}  // namespace lanyard::tcp
