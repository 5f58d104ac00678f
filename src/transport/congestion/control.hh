// SPDX-License-Identifier: Apache-2.0
// How much may be in flight: the face every congestion control shows to a connection. All in bytes;
// loss detection and recovery are the sender's, a control only says how large the window is.
#pragma once

#include <cstdint>

#include "core/pool.hh"
#include "core/time.hh"

namespace lanyard::congestion {

// An acknowledgment of data that was outstanding.
struct Acknowledged {
  Instant now;
  std::uint32_t bytes = 0;   // newly acknowledged
  std::uint32_t flight = 0;  // outstanding before it
  bool was_limited = false;  // the congestion window was what held the sender back
  bool in_recovery = false;  // fast recovery: the window is not to grow
  Duration round_trip{};     // smoothed
  Duration sample{};         // of this acknowledgment; zero: none
};

class Control : public Pooled {
 public:
  virtual ~Control() = default;
  [[nodiscard]] virtual std::uint32_t window() const = 0;     // cwnd
  [[nodiscard]] virtual std::uint32_t threshold() const = 0;  // ssthresh
  virtual void on_acknowledged(const Acknowledged& acknowledged) = 0;
  // Loss was found by duplicates, with this much in flight: once per window.
  virtual void on_loss(Instant now, std::uint32_t flight) = 0;
  virtual void on_recovered(Instant now) = 0;
  // The retransmission timer fired for the first time.
  virtual void on_timeout(Instant now, std::uint32_t flight) = 0;
  // Before the first reduction of an episode; and when it was for nothing: all as it was then, and
  // no smaller than now (RFC 4015 3.2).
  virtual void remember() = 0;
  virtual void restore() = 0;
  // Nothing was sent for longer than a retransmission time-out.
  virtual void on_idle() = 0;
  // Takes over from another one.
  virtual void start_at(std::uint32_t window, std::uint32_t threshold) = 0;
  virtual void set_segment(std::uint32_t bytes) = 0;  // SMSS changed
};

}  // namespace lanyard::congestion
