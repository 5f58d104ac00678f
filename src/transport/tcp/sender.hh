// SPDX-License-Identifier: Apache-2.0
// The sending half of a connection: queued bytes, what of them is in flight, what is lost, and what
// may go next. It decides and counts; who builds the segments is output.cc. RFC 9293 3.3.1:
//                   1         2          3          4
//              ----------|----------|----------|----------
//                     SND.UNA    SND.NXT    SND.UNA
//                                          +SND.WND
//        1 - old sequence numbers that have been acknowledged
//        2 - sequence numbers of unacknowledged data
//        3 - sequence numbers allowed for new data transmission
//        4 - future sequence numbers that are not yet allowed
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "core/packet.hh"
#include "transport/tcp/byte_queue.hh"
#include "transport/tcp/flight.hh"
#include "transport/tcp/outgoing.hh"
#include "transport/tcp/records.hh"
#include "wire/sequence.hh"

namespace lanyard::tcp {

class Sender {
 public:
  enum class Recovery : std::uint8_t { none, fast, timeout };

  void start(SequenceNumber iss);
  void set_selective(bool is_on) { is_selective_ = is_on; }
  void syn_sent() { next_ = iss_ + 1; }

  [[nodiscard]] SequenceNumber iss() const { return iss_; }
  [[nodiscard]] SequenceNumber una() const { return una_; }       // SND.UNA
  [[nodiscard]] SequenceNumber next() const { return next_; }     // SND.NXT
  [[nodiscard]] std::uint32_t window() const { return window_; }  // SND.WND
  [[nodiscard]] std::uint32_t window_max() const { return window_max_; }
  [[nodiscard]] std::uint32_t flight() const { return static_cast<std::uint32_t>(next_ - una_); }

  // The queue.
  void append(Bytes bytes);
  void append(Slice slice);
  [[nodiscard]] std::size_t queued() const { return queue_ ? queue_->size() : 0; }
  [[nodiscard]] std::size_t unsent() const {
    const std::int32_t ahead = end_of_data() - (before(next_, data_start_) ? data_start_ : next_);
    return ahead > 0 ? static_cast<std::size_t>(ahead) : 0;
  }
  void end_record() { records_.add(end_of_data()); }  // MSG_EOR
  void ask_fin() { is_fin_asked_ = true; }
  [[nodiscard]] bool is_fin_asked() const { return is_fin_asked_; }
  [[nodiscard]] bool is_fin_sent() const { return is_fin_sent_; }
  [[nodiscard]] bool is_fin_acknowledged() const;
  [[nodiscard]] bool has_unsent() const { return unsent() > 0 || (is_fin_asked_ && !is_fin_sent_); }
  void share_with(Packet& packet, SequenceNumber from, std::uint32_t size) const;
  [[nodiscard]] bool has_urgent() const { return is_urgent_; }
  void set_urgent() { urgent_end_ = end_of_data(), is_urgent_ = true; }
  // RFC 9293 3.8.5 [MUST-62]: the octet after the last urgent one, seen from a segment.
  [[nodiscard]] std::optional<std::uint16_t> urgent_pointer(SequenceNumber sequence) const;
  void flush();

  // Acknowledgments.
  Acknowledged acknowledge(SequenceNumber ack, std::uint32_t mss, Delivery& delivery);
  // 9293-3.10.7.4-j: the window, if the segment is newer than what set it; true if it changed.
  bool update_window(SequenceNumber sequence, SequenceNumber ack, std::uint32_t window);
  void set_window(SequenceNumber sequence, SequenceNumber ack, std::uint32_t window);
  void take_sack(std::span<const SackBlock> blocks, Delivery& delivery);
  void count_duplicate();
  [[nodiscard]] std::uint32_t duplicates() const { return duplicates_; }

  // Loss.
  [[nodiscard]] Recovery recovery() const { return recovery_; }
  // RFC 5681 3.2, RFC 8985 6: three duplicates, or something is found lost.
  [[nodiscard]] bool should_enter_recovery() const;
  void enter_fast_recovery(std::uint32_t mss);
  // RFC 6298 5.4 ff., RFC 8985 6.3: the first octets, and what the rule says, are lost.
  void enter_timeout_recovery(const LossRule& rule);
  void lose_all();  // as one that is too big for the path, or went with a SYN for nothing
  Losses lose(const LossRule& rule) { return in_flight_ ? in_flight_->lose(rule) : Losses(); }
  // The reduction was for nothing: what was deemed lost is only late.
  void undo_recovery();
  // F-RTO (RFC 5682 2): new data goes before what is to be sent again.
  void prefer_new(bool is_on) { prefers_new_ = is_on; }
  [[nodiscard]] bool prefers_new() const { return prefers_new_; }
  [[nodiscard]] SequenceNumber recovery_point() const { return recover_; }
  [[nodiscard]] bool has_recovered() const {
    return recovery_ != Recovery::none && after_or_at(una_, recover_);
  }
  void end_recovery();
  [[nodiscard]] std::uint32_t pipe(std::uint32_t mss) const;  // RFC 6675 4
  [[nodiscard]] std::uint32_t lost_bytes() const { return in_flight_ ? in_flight_->lost() : 0; }
  [[nodiscard]] std::uint32_t selectively_acknowledged() const {
    return in_flight_ ? in_flight_->held() : 0;
  }
  [[nodiscard]] const Flight* in_flight() const;  // null if nothing is

  // What may go next; pure. sent() performs it.
  [[nodiscard]] std::optional<Outgoing> next_outgoing(const SendLimits& limits, Held& held) const;
  void sent(Instant now, const Outgoing& outgoing, std::uint32_t mss);
  // All that is unsent, if next_outgoing() would say that it goes now as one segment and nothing
  // goes with it; 0: ask. sent_rest() performs it, and returns its Moment::order.
  [[nodiscard]] std::uint32_t whole_rest(const SendLimits& limits) const;
  std::uint32_t sent_rest(Instant now, std::uint32_t size, std::uint32_t mss);
  // RFC 8985 7.3: new data if there is any and it may go, else the last segment once more.
  [[nodiscard]] std::optional<Outgoing> tail_probe(std::uint32_t mss) const;
  // Unsent octets that fit the window, for the override timer of 9293-3.8-a.
  [[nodiscard]] std::optional<Outgoing> squeezed(std::uint32_t mss) const;
  // Octets the window still allows; 0 when it was shrunk below what is in flight [MUST-34].
  [[nodiscard]] std::uint32_t usable_window() const;

 private:
  friend struct Fields;  // folded.cc
  [[nodiscard]] SequenceNumber end_of_data() const {
    return data_start_ + static_cast<std::uint32_t>(queued());
  }
  [[nodiscard]] std::optional<Outgoing> next_retransmission(const SendLimits& limits) const;
  [[nodiscard]] std::optional<Outgoing> next_new(const SendLimits& limits, Held& held) const;
  [[nodiscard]] std::optional<Outgoing> next_fin(Held& held) const;
  [[nodiscard]] Outgoing run(SequenceNumber from, std::uint32_t size) const;
  [[nodiscard]] bool may_send_small(std::uint32_t size, const SendLimits& limits, Held& held) const;
  SequenceNumber iss_, una_, next_, wl1_, wl2_;  // ISS, SND.UNA, SND.NXT, SND.WL1, SND.WL2
  SequenceNumber data_start_;                    // of the queue's first byte
  SequenceNumber recover_;                       // RFC 6582; RFC 6675 RecoveryPoint
  SequenceNumber small_end_;  // one past the last segment shorter than MSS (Minshall)
  SequenceNumber urgent_end_;
  std::uint32_t window_ = 0;
  std::uint32_t window_max_ = 0;
  std::uint16_t duplicates_ = 0;
  Recovery recovery_ = Recovery::none;
  bool is_fin_asked_ = false;
  bool is_fin_sent_ = false;
  bool is_selective_ = false;
  bool is_urgent_ = false;
  bool has_small_ = false;
  bool is_first_due_ = false;  // the first retransmission of a recovery waits for nothing
  bool prefers_new_ = false;
  std::unique_ptr<ByteQueue> queue_;
  std::unique_ptr<Flight> in_flight_;
  Records records_;
};

}  // namespace lanyard::tcp
