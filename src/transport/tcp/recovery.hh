// SPDX-License-Identifier: Apache-2.0
// What a connection remembers about its losses, from the first data it sends: RACK's memory of the
// path, the rate during recovery, the tail probe, and what it takes to undo a reduction that turns
// out to have been for nothing.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

#include "core/pool.hh"
#include "core/time.hh"
#include "transport/tcp/busy.hh"
#include "transport/tcp/delivery_rate.hh"
#include "transport/tcp/pacer.hh"
#include "transport/tcp/rack.hh"
#include "transport/tcp/sender.hh"

namespace lanyard::tcp {

// Proportional rate reduction (RFC 6937): during fast recovery as much is sent as is delivered, in
// the proportion of the new window to the old one.
class RateReduction {
 public:
  void start(std::uint32_t pipe, std::uint32_t target) {
    *this = {};
    before_ = std::max(pipe, 1U);
    target_ = target;
    window_ = pipe;
  }
  struct Ack {
    std::uint32_t delivered = 0;
    std::uint32_t pipe = 0;
    std::uint32_t mss = 0;
    bool is_good = false;  // SND.UNA moved on and nothing more was found lost
  };
  void take(const Ack& ack);
  void sent(std::uint32_t octets) { out_ += octets; }
  [[nodiscard]] std::uint32_t window() const { return window_; }

 private:
  friend struct SendingFields;   // fold_sending.hh
  std::uint64_t delivered_ = 0;  // prr_delivered
  std::uint64_t out_ = 0;        // prr_out
  std::uint32_t before_ = 1;     // RecoverFS
  std::uint32_t target_ = 0;     // ssthresh
  std::uint32_t window_ = 0;
};

// An acknowledgment, for those who look for loss.
struct Acked {
  const Delivery& delivery;
  std::uint32_t flight = 0;  // before it
  bool is_new = false;       // SND.UNA moved on
  bool is_duplicate = false;
  bool has_congestion_echo = false;  // RFC 3168 6.1.2
  std::uint32_t lost = 0;            // octets, before it
  std::uint32_t duplicates = 0;      // before it
};

// How fast it sends, and could.
struct Rates : Pooled {
  DeliveryRate delivery;
  Pacer pacer;
};

struct Recovery : Pooled {
  void start(SequenceNumber una) { rack.start(una), answered = late_end = usage_end = una; }
  void note_sent(Instant now, const Outgoing& outgoing, const Sender& sender);
  // RFC 7661, as Linux: how much of the congestion window is in use, seen over a window of data.
  void note_usage(const Sender& sender, bool limited);
  // No reduction may yet be undone, no probe is out, no mark is being answered.
  [[nodiscard]] bool is_settled() const { return !may_undo && !is_probing && !is_slowing; }
  // A reduction begins: nothing has been sent again yet.
  void begin(SequenceNumber una) {
    undo_from = una;
    resent = 0;
    first_resent_at = Instant::never();
    may_undo = true;
    is_echo_awaited = is_watching_timeout = is_probing = false;
  }

  Rack rack;
  RateReduction rate;
  std::unique_ptr<Rates> rates = std::make_unique<Rates>();
  Busy busy;

  // The last reduction (RFC 4015, RFC 2883): where it began, and what was sent again since.
  SequenceNumber undo_from;
  std::uint32_t resent = 0;  // octets that no D-SACK has yet reported
  Instant first_resent_at = Instant::never();
  bool may_undo = false;
  bool is_echo_awaited = false;      // RFC 3522: by which the first ACK that moves on decides
  bool is_reduced = false;           // the recovery under way has made the window smaller
  bool is_watching_timeout = false;  // F-RTO (RFC 5682): was the time-out spurious?

  // The tail probe (RFC 8985 7).
  bool is_probing = false;
  bool probe_was_resent = false;
  SequenceNumber probe_end;

  bool is_slowing = false;     // after a mark, until answered: the rate goes down as for a loss
  bool is_limited = false;     // the congestion window has held back what was to be sent
  std::uint32_t most_out = 0;  // octets in flight, of the window of data that ends at:
  SequenceNumber usage_end;

  // One reduction for each window (RFC 6582 3.2, RFC 3168 6.1.2): up to here the last one answers
  // for what is lost or marked; and where ends what was lost last by its age.
  SequenceNumber answered, late_end;
  Instant last_sent;   // of new data
  Instant timer_from;  // the retransmission time-out counts from here
  std::uint32_t undone = 0, probes = 0;
  std::uint32_t duplicates_reported = 0;
  std::uint32_t delivered = 0;     // segments
  std::uint32_t segments_out = 0;  // with data
};
// A block of the next size would be eight times as large.
static_assert(sizeof(Recovery) <= pool::small_bytes && sizeof(Rates) <= pool::small_bytes);

}  // namespace lanyard::tcp
