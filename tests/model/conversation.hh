// SPDX-License-Identifier: Apache-2.0
// The model over a whole conversation: arrives() says what one segment does, and here is what lasts
// from one to the next - text held out of order, what the program sent and has not read, TS.Recent
// (RFC 7323), the edge of the window that was offered. It shares no code with the stack either.
#pragma once

#include <map>

#include "model.hh"

namespace model {

struct Next;

class Conversation {
 public:
  // As `start` says; `readable` bytes wait for the program. With `ts_recent`, timestamps are on.
  Conversation(const Block& start, std::optional<std::uint32_t> ts_recent);

  [[nodiscard]] const Block& block() const { return block_; }
  [[nodiscard]] std::uint32_t readable() const { return readable_; }
  [[nodiscard]] std::optional<std::uint32_t> ts_recent() const { return ts_recent_; }
  [[nodiscard]] bool is_over() const {
    return block_.state == State::closed || block_.state == State::listen;
  }

  // Whether a peer that knows its stream could send this: a FIN has one place, with nothing behind
  // it. What a contradiction makes of held text is nobody's rule.
  [[nodiscard]] bool fits_stream(const Segment& segment) const;

  // Everything the RFCs allow a segment to do.
  [[nodiscard]] std::vector<Next> arrives(const Segment& segment) const;

  // The calls (RFC 9293 3.10.2 to 3.10.4): whether the state permits it.
  bool send(std::uint32_t bytes);
  bool shutdown();
  void receive() { readable_ = 0; }

  // Takes note of a segment the stack sent; the rule it breaks, or nothing.
  std::string sent(const Seen& seen);

 private:
  void open(const Segment& segment, const Outcome& outcome);
  void take_ack(const Segment& segment);
  void take_text(const Segment& segment, Next& next) const;
  void take_held(Outcome& outcome);
  std::string sent_text(const Seen& seen);
  Block block_;
  std::uint32_t queued_end_ = 0;  // one behind the last byte the program sent
  bool is_shut_ = false;          // the program closed its direction
  std::uint32_t edge_ = 0;        // the highest RCV.NXT+RCV.WND ever offered
  std::uint32_t readable_ = 0;
  std::map<std::uint32_t, std::uint32_t> held_;  // distance from IRS: begin and end of held text
  std::optional<std::uint32_t> held_fin_;        // where a held FIN stands
  std::optional<std::uint32_t> ts_recent_;
  std::uint32_t last_ack_sent_ = 0;
};

struct Next {
  Outcome outcome;
  Conversation after;
  bool may_send = false;  // the acknowledgement may have made room for text
};

// Whether what was sent is the reply `next` allows; `before`: the block when the segment came.
bool reply_fits(const Next& next, const Block& before, const std::vector<Seen>& sent);

}  // namespace model
