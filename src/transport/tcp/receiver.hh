// SPDX-License-Identifier: Apache-2.0
// The receiving half of a connection: what has come in order and waits to be read, what came ahead
// of a gap, and the window the peer is offered. RFC 9293 3.3.1:
//
//                       1          2          3
//                   ----------|----------|----------
//                          RCV.NXT    RCV.NXT
//                                    +RCV.WND
//
//        1 - old sequence numbers that have been acknowledged
//        2 - sequence numbers allowed for new reception
//        3 - future sequence numbers that are not yet allowed
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/packet.hh"
#include "transport/tcp/byte_queue.hh"
#include "wire/sequence.hh"
#include "wire/tcp_options.hh"

namespace lanyard::tcp {

class Receiver {
 public:
  // The peer's SYN was taken: RCV.NXT is the number after it.
  void start(SequenceNumber irs, std::uint32_t buffer_bytes, std::uint8_t scale);
  void set_buffer(std::uint32_t bytes) { buffer_max_ = bytes; }
  // SYN windows are not scaled (RFC 7323 2.2); what follows the handshake is.
  void set_scale(std::uint8_t scale) { scale_ = scale; }

  [[nodiscard]] SequenceNumber irs() const { return irs_; }
  [[nodiscard]] SequenceNumber next() const { return next_; }  // RCV.NXT
  [[nodiscard]] std::uint32_t window() const {                 // RCV.WND
    return static_cast<std::uint32_t>(edge_ - next_);
  }
  [[nodiscard]] std::uint8_t scale() const { return scale_; }
  [[nodiscard]] std::uint32_t buffer() const { return buffer_; }
  struct Taken {
    std::uint32_t bytes = 0;        // RCV.NXT moved on by
    bool was_out_of_order = false;  // ahead of a gap, or filled one, or a duplicate
  };
  // Takes the payload [offset, offset + size) of a packet, which begins at `sequence` and lies in
  // the window. What was received first stays (BI-67). `pieces_max` bounds what is kept out of
  // order.
  Taken take(SequenceNumber sequence, const Packet& packet, std::size_t offset, std::size_t size,
             std::size_t pieces_max);
  void take_fin() { ++next_; }
  // Octets that were taken before have come again.
  void note_old(SequenceNumber from, SequenceNumber to) {
    if (!after(to, next_)) note_duplicate({from, to});
  }
  // RFC 9293 3.8.6.2.2 [MUST-39]: moves the right edge if it may, and returns the header's window.
  // The edge never moves left ([SHLD-14], 9293-3.10.7.4-p).
  std::uint16_t offer(std::uint32_t mss);
  // Reading made so much room that the peer should hear of it.
  [[nodiscard]] bool should_offer_more(std::uint32_t mss) const;
  // Reading. Bytes are counted without the urgent byte kept out of line.
  [[nodiscard]] std::size_t readable() const;
  std::size_t read(MutableBytes out, bool peek);
  // What a read of at most `size` bytes would give, appended to `out` as shared slices.
  std::size_t share(std::size_t size, std::vector<Slice>& out) const;
  // The same read with its bytes thrown away.
  std::size_t skip(std::size_t size);
  [[nodiscard]] std::size_t queued() const { return queue_ ? queue_->size() : 0; }
  void discard();
  void drop_ahead();
  // Urgent data (RFC 6093: one octet, the one before the pointer).
  bool set_urgent(SequenceNumber end);  // true: the mark is new or has moved on
  [[nodiscard]] bool has_urgent() const { return has_mark_; }
  [[nodiscard]] bool is_urgent_read() const { return is_mark_read_; }
  [[nodiscard]] bool has_urgent_byte() const;
  [[nodiscard]] std::optional<std::uint8_t> read_urgent(bool peek);
  [[nodiscard]] bool is_at_mark() const;
  void set_inline(bool is_inline) { is_inline_ = is_inline; }
  // RFC 2018 4: blocks to report, the newest first; a duplicate comes before them (RFC 2883).
  [[nodiscard]] std::span<const SackBlock> sack_blocks() const {
    return {blocks_.data(), blocks_used_};
  }
  void sack_reported();
  [[nodiscard]] std::size_t pieces() const { return ahead_ ? ahead_->pieces.size() : 0; }
  [[nodiscard]] std::size_t ahead_bytes() const { return ahead_ ? ahead_->bytes : 0; }

 private:
  friend struct Fields;  // folded.cc
  struct Ahead {
    std::map<std::uint64_t, Slice> pieces;  // by position in the stream; they do not overlap
    std::size_t bytes = 0;
  };
  [[nodiscard]] std::uint64_t position_of(SequenceNumber sequence) const {
    return position_ + static_cast<std::uint64_t>(static_cast<std::int64_t>(sequence - next_));
  }
  void append(const Packet& packet, std::size_t offset, std::size_t size);
  std::optional<SackBlock> keep(std::uint64_t from, const Packet& packet, std::size_t offset,
                                std::size_t size, std::size_t pieces_max);
  void take_what_follows();
  void note_block(SackBlock block);
  [[nodiscard]] SackBlock whole(SackBlock block) const;
  [[nodiscard]] SackBlock take_known(SackBlock block);
  void note_duplicate(SackBlock block);
  void drop_old_blocks();
  void grow();
  [[nodiscard]] std::uint64_t read_position() const { return position_ - queued(); }
  [[nodiscard]] std::size_t until_mark() const;
  [[nodiscard]] std::pair<std::size_t, std::size_t> next_read(std::size_t size_max) const;
  void pop(std::size_t size);
  SequenceNumber irs_, next_, edge_;
  std::uint64_t position_ = 0;  // of RCV.NXT in the stream, which does not wrap
  std::uint64_t round_end_ = 0;
  std::uint64_t mark_ = 0;  // position of the urgent octet
  std::uint32_t buffer_ = 0, buffer_max_ = 0;
  std::uint8_t scale_ = 0, blocks_used_ = 0;
  bool has_duplicate_ = false, has_mark_ = false;
  bool is_mark_read_ = false;  // the urgent octet was given out of line
  bool is_inline_ = false;
  std::unique_ptr<ByteQueue> queue_;
  std::unique_ptr<Ahead> ahead_;
  std::array<SackBlock, sack_blocks_max> blocks_{};
};

}  // namespace lanyard::tcp
