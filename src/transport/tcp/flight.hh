// SPDX-License-Identifier: Apache-2.0
// What is in flight, run by run: when each was last sent, whether the peer holds it (RFC 2018 4),
// whether it is deemed lost, whether it went out more than once. It is the per-segment state of
// RFC 8985 5.1 and the scoreboard of RFC 6675 in one, in the order of sequence numbers, and exists
// only while something is in flight, or was a moment ago. The work for one ACK is bounded.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "core/pool.hh"
#include "transport/tcp/delivery.hh"
#include "transport/tcp/flight_runs.hh"
#include "wire/sequence.hh"
#include "wire/tcp_options.hh"

namespace lanyard::tcp {

// RFC 2883 4: the first block reports a duplicate when it lies below the cumulative acknowledgment
// or in the second block.
[[nodiscard]] std::optional<SackBlock> duplicate_in(std::span<const SackBlock> blocks,
                                                    SequenceNumber una);

class Flight : public Pooled {
 public:
  static constexpr std::size_t splits_max = 1024;  // BI-53

  void sent(SequenceNumber from, SequenceNumber to, Instant now) {
    sent(from, to, UINT32_MAX, now);
  }
  // As segments of `mss` octets, the last one of what is left; each has its own fate.
  void sent(SequenceNumber from, SequenceNumber to, std::uint32_t mss, Instant now);
  // As one segment.
  void sent_one(SequenceNumber from, SequenceNumber to, Instant now) {
    if (is_empty()) lost_from_ = from;
    *runs_.extend(1) = {.from = from, .to = to, .sent_at = now, .order = ++order_};
  }
  // Nothing is in flight any more: as a new one, if that costs nothing; false: it was many.
  [[nodiscard]] bool begin_again() {
    if (runs_.has_own_memory()) return false;
    runs_.clear();
    head_ = splits_ = 0;
    order_ = held_ = held_runs_ = lost_ = 0;
    return true;
  }
  // What was sent last ends there: a FIN went with it.
  void lengthen(SequenceNumber to) { runs_[runs_.size() - 1].to = to; }
  void resent(SequenceNumber from, SequenceNumber to, Instant now);
  void acknowledge(SequenceNumber una, Delivery& delivery);
  // Takes the blocks that lie in (una, nxt]; others are ignored (BI-54).
  void take_sack(std::span<const SackBlock> blocks, SequenceNumber una, SequenceNumber nxt,
                 Delivery& delivery);

  Losses lose(const LossRule& rule);  // marks what the rule says
  void lose_first(std::uint32_t octets);
  void lose_all();                         // that the peer does not hold
  void find_all();                         // nothing is lost
  void forget_held();                      // the peer has taken back what it said [RFC2018-5-a]
  [[nodiscard]] bool has_reneged() const;  // the first octet missing is held

  [[nodiscard]] bool is_empty() const { return head_ == runs_.size(); }
  [[nodiscard]] std::uint32_t held() const { return held_; }  // octets
  [[nodiscard]] std::uint32_t lost() const { return lost_; }  // octets, not sent again yet
  [[nodiscard]] std::uint32_t resent() const;  // octets, sent again and not yet known to be there
  // RFC 8985 6.2: how many segments the peer holds.
  [[nodiscard]] std::uint32_t held_segments(std::uint32_t mss) const;
  // The first octets that are lost and not yet sent again.
  [[nodiscard]] std::optional<SackBlock> first_lost() const;
  // The segment with the highest numbers.
  [[nodiscard]] SackBlock last() const {
    return {runs_[runs_.size() - 1].from, runs_[runs_.size() - 1].to};
  }
  [[nodiscard]] std::size_t runs() const { return runs_.size() - head_; }
  // How many runs have been sent, again or for the first time: the next one's order is one more.
  [[nodiscard]] std::uint32_t order() const { return order_; }

 private:
  using Run = FlightRun;
  [[nodiscard]] std::size_t find(SequenceNumber place) const;
  [[nodiscard]] std::size_t past_held(std::size_t index) const;
  void split(std::size_t index, SequenceNumber place);
  void hold(SackBlock block, Delivery& delivery);
  void lose(Run& run);
  [[nodiscard]] static bool is_plain(const Run& run) {
    return !run.is_held && !run.is_lost && !run.is_resent && !run.is_split;
  }
  void acknowledge_plain(SequenceNumber una, Delivery& delivery);
  static void deliver(const Run& run, SequenceNumber to, Delivery& delivery);
  static std::uint32_t size_of(const Run& run) {
    return static_cast<std::uint32_t>(run.to - run.from);
  }

  FlightRuns runs_;  // ascending, without gaps; those before head_ are gone
  std::size_t head_ = 0;
  std::size_t splits_ = 0;
  std::uint32_t order_ = 0;
  std::uint32_t held_ = 0;
  std::uint32_t held_runs_ = 0;
  std::uint32_t lost_ = 0;
  mutable SequenceNumber lost_from_;  // nothing before it is lost
};

}  // namespace lanyard::tcp
