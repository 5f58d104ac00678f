// SPDX-License-Identifier: Apache-2.0
#include "model.hh"

namespace model {

namespace {

bool has(const Segment& segment, Flag flag) {
  return (segment.flags & flag) != 0;
}

// 3.10.7.1
std::vector<Outcome> closed(const Segment& segment) {
  if (has(segment, rst)) return {{State::closed, Reply::none, 0, 0, 0, "closed: RST"}};
  if (has(segment, ack)) return {{State::closed, Reply::reset, segment.ack, 0, 0, "closed: ACK"}};
  return {{State::closed, Reply::reset_ack, segment.seq + segment.span(), 0, 0, "closed: no ACK"}};
}

// 3.10.7.2
std::vector<Outcome> listening(const Segment& segment) {
  if (has(segment, rst)) return {{State::listen, Reply::none, 0, 0, 0, "listen: RST"}};
  if (has(segment, ack)) return {{State::listen, Reply::reset, segment.ack, 0, 0, "listen: ACK"}};
  if (!has(segment, syn)) return {{State::listen, Reply::none, 0, 0, 0, "listen: nothing of use"}};
  std::vector<Outcome> allowed = {
      {State::syn_received, Reply::syn_ack, 0, segment.seq + 1, 0, "listen: SYN"}};
  // "Any other incoming control or data (combined with SYN) will be processed in the SYN-RECEIVED
  // state"; a SYN,FIN is taken by deployed stacks for what it is, a probe, and dropped.
  if (has(segment, fin))
    allowed.push_back({State::listen, Reply::none, 0, 0, 0, "listen: SYN,FIN"});
  return allowed;
}

// 3.10.7.3
std::vector<Outcome> syn_sent(const Block& block, const Segment& segment) {
  const State stays = State::syn_sent;
  bool is_acceptable = false;
  if (has(segment, ack)) {
    if (distance(block.iss, segment.ack) <= 0 || distance(block.nxt, segment.ack) > 0) {
      if (has(segment, rst)) return {{stays, Reply::none, 0, 0, 0, "syn-sent: bad ACK, RST"}};
      return {{stays, Reply::reset, segment.ack, 0, 0, "syn-sent: bad ACK"}};
    }
    is_acceptable = true;
  }
  if (has(segment, rst)) {
    if (is_acceptable) return {{State::closed, Reply::none, 0, 0, 0, "syn-sent: refused"}};
    return {{stays, Reply::none, 0, 0, 0, "syn-sent: RST without ACK"}};
  }
  if (!has(segment, syn)) return {{stays, Reply::none, 0, 0, 0, "syn-sent: neither SYN nor RST"}};
  const std::uint32_t after_syn = segment.seq + 1;
  if (!is_acceptable) {
    return {{State::syn_received, Reply::syn_ack, 0, after_syn, 0, "syn-sent: simultaneous open"}};
  }
  // The sixth step takes text and FIN that came with the SYN,ACK; they may also be left to be sent
  // again.
  std::vector<Outcome> allowed;
  const std::uint32_t after_text = after_syn + segment.length;
  if (has(segment, fin)) {
    allowed.push_back({State::close_wait, Reply::must_ack, 0, after_text + 1, segment.length,
                       "syn-sent: SYN,ACK,FIN"});
  }
  allowed.push_back(
      {State::established, Reply::must_ack, 0, after_text, segment.length, "syn-sent: SYN,ACK"});
  allowed.push_back(
      {State::established, Reply::must_ack, 0, after_syn, 0, "syn-sent: SYN,ACK, the rest left"});
  return allowed;
}

Outcome acknowledge(const Block& block, const char* step) {
  return {block.state, Reply::must_ack, 0, block.rcv_nxt, 0, step};
}

Outcome silence(const Block& block, const char* step) {
  return {block.state, Reply::none, 0, block.rcv_nxt, 0, step};
}

// Second: RST (RFC 5961 3.2).
std::vector<Outcome> reset(const Block& block, const Segment& segment) {
  if (segment.seq != block.rcv_nxt) return {acknowledge(block, "RST in window: challenge")};
  const State after = block.state == State::syn_received ? State::listen : State::closed;
  std::vector<Outcome> allowed = {{after, Reply::none, 0, 0, 0, "RST"}};
  // RFC 1337 3: a TIME-WAIT may refuse to be assassinated.
  if (block.state == State::time_wait) allowed.push_back(silence(block, "RST in TIME-WAIT"));
  return allowed;
}

// Sixth to eighth: text and FIN of a segment whose ACK has been taken; `block` is as the ACK left
// it.
std::vector<Outcome> text_and_fin(const Block& block, const Segment& segment, bool fin_is_acked) {
  const bool takes_text = block.state == State::established || block.state == State::fin_wait_1 ||
                          block.state == State::fin_wait_2;
  // Trimmed to the window.
  const std::uint32_t skipped =
      distance(segment.seq, block.rcv_nxt) > 0
          ? static_cast<std::uint32_t>(distance(segment.seq, block.rcv_nxt))
          : 0;
  const bool is_in_order = distance(block.rcv_nxt, segment.seq) <= 0;
  std::uint32_t text_end = segment.seq + segment.length;
  bool has_fin = has(segment, fin);
  const std::uint32_t edge = block.rcv_nxt + block.rcv_wnd;
  if (distance(edge, text_end) > 0) {
    text_end = edge;
    has_fin = false;
  } else if (has_fin && distance(edge, text_end + 1) > 0) {
    has_fin = false;  // the FIN itself lies beyond the edge
  }
  Outcome outcome{block.state, Reply::none, 0, block.rcv_nxt, 0, "ACK"};
  const bool has_new_text = segment.length > 0 && skipped < segment.length && takes_text;
  if (segment.length > 0 || has(segment, fin)) outcome.reply = Reply::must_ack;
  if (!is_in_order) {
    // Kept for later and acknowledged at once (RFC 5681 4.2); after the peer's FIN it is ignored.
    if (!takes_text) outcome.reply = Reply::may_ack;
    return {outcome};
  }
  if (has_new_text) {
    outcome.readable = static_cast<std::uint32_t>(distance(block.rcv_nxt, text_end));
    outcome.rcv_nxt = text_end;
    outcome.step = "text";
    if (!has_fin) outcome.reply = Reply::may_ack;
  } else if (!takes_text && segment.length > 0) {
    // Text after the peer's FIN is ignored; an acknowledgement may tell where we stand.
    outcome.reply = Reply::may_ack;
  }
  if (!has_fin) return {outcome};
  outcome.reply = Reply::must_ack;
  const bool fin_fits = takes_text && text_end == outcome.rcv_nxt;
  if (fin_fits) {
    ++outcome.rcv_nxt;
    outcome.step = "FIN";
    if (block.state == State::established) outcome.state = State::close_wait;
    if (block.state == State::fin_wait_1)
      outcome.state = fin_is_acked ? State::time_wait : State::closing;
    if (block.state == State::fin_wait_2) outcome.state = State::time_wait;
    return {outcome};
  }
  // A second FIN, or one behind text that is ignored.
  outcome.reply = Reply::may_ack;
  return {outcome};
}

// Fifth: ACK. The rest follows where the RFC goes on.
std::vector<Outcome> acknowledged(Block block, const Segment& segment) {
  if (block.state == State::syn_received) {
    if (distance(block.una, segment.ack) <= 0 || distance(block.nxt, segment.ack) > 0) {
      std::vector<Outcome> allowed = {
          {block.state, Reply::reset, segment.ack, 0, 0, "syn-received: bad ACK"}};
      // RFC 5961 5.2 comes first in the text and answers a far-off ACK with one of ours.
      allowed.push_back(acknowledge(block, "syn-received: bad ACK, challenged"));
      return allowed;
    }
    block.state = State::established;
    block.una = segment.ack;
    return text_and_fin(block, segment, false);
  }
  // RFC 5961 5.2
  if (distance(block.nxt, segment.ack) > 0) return {acknowledge(block, "ACK of what was not sent")};
  if (distance(block.una - block.max_snd_wnd, segment.ack) < 0)
    return {acknowledge(block, "ACK too old")};
  const bool fin_is_acked = block.is_fin_sent && segment.ack == block.nxt;
  if (fin_is_acked && block.state == State::fin_wait_1) block.state = State::fin_wait_2;
  if (fin_is_acked && block.state == State::closing) block.state = State::time_wait;
  if (fin_is_acked && block.state == State::last_ack)
    return {{State::closed, Reply::none, 0, 0, 0, "last ACK"}};
  auto outcomes = text_and_fin(block, segment, fin_is_acked);
  return outcomes;
}

// "The only thing that can arrive in this state is a retransmission of the remote FIN": deployed
// stacks keep a TIME-WAIT as a small record without a window. Whatever takes sequence space is
// acknowledged, all else is met with silence (RFC 1337 for RST).
Outcome time_wait_record(const Block& block, const Segment& segment) {
  const bool is_answered = segment.span() > 0 && !has(segment, rst);
  return is_answered ? acknowledge(block, "TIME-WAIT record") : silence(block, "TIME-WAIT record");
}

std::vector<Outcome> synchronized(const Block& block, const Segment& segment) {
  std::vector<Outcome> allowed;
  if (block.state == State::time_wait && has(segment, syn) && !has(segment, rst) &&
      !has(segment, ack) && segment.seq - block.rcv_nxt - 1 < 0x80000000U) {
    // MAY-2, RFC 6191: a new incarnation, if somebody listens.
    allowed.push_back(
        {State::syn_received, Reply::syn_ack, 0, segment.seq + 1, 0, "TIME-WAIT: a new SYN"});
  }
  if (!is_acceptable(block, segment)) {
    if (has(segment, rst)) return {silence(block, "unacceptable RST")};
    allowed.push_back(acknowledge(block, "unacceptable"));
    if (block.state == State::syn_received && segment.seq == block.irs && has(segment, syn) &&
        !has(segment, ack)) {
      // The peer's SYN again: deployed stacks send the SYN,ACK again rather than a bare ACK.
      allowed.push_back({block.state, Reply::syn_ack, 0, block.rcv_nxt, 0, "SYN again"});
    }
    return allowed;
  }
  if (has(segment, rst)) return reset(block, segment);
  if (has(segment, syn)) {
    if (block.state == State::syn_received) {
      allowed.push_back({State::listen, Reply::none, 0, 0, 0, "syn-received: SYN"});
    }
    allowed.push_back(acknowledge(block, "SYN: challenge"));
    return allowed;
  }
  if (!has(segment, ack)) return {silence(block, "no ACK")};
  return acknowledged(block, segment);
}

}  // namespace

std::string name(State state) {
  constexpr const char* names[] = {"CLOSED",      "LISTEN",     "SYN-SENT",   "SYN-RECEIVED",
                                   "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT",
                                   "CLOSING",     "LAST-ACK",   "TIME-WAIT"};
  return names[static_cast<int>(state)];
}

bool is_acceptable(const Block& block, const Segment& segment) {
  const std::uint32_t length = segment.span();
  const auto in_window = [&](std::uint32_t number) {
    return number - block.rcv_nxt < block.rcv_wnd;
  };
  if (length == 0)
    return block.rcv_wnd == 0 ? segment.seq == block.rcv_nxt : in_window(segment.seq);
  if (block.rcv_wnd == 0) return false;
  return in_window(segment.seq) || in_window(segment.seq + length - 1);
}

bool answers_our_syn(const Block& block, const Segment& segment) {
  return block.state == State::syn_received && block.is_active && has(segment, syn) &&
         has(segment, ack) && !has(segment, rst) && segment.seq != block.irs &&
         distance(block.iss, segment.ack) > 0 && distance(segment.ack, block.nxt) >= 0;
}

std::vector<Outcome> arrives(const Block& block, const Segment& segment) {
  if (block.state == State::time_wait) {
    auto allowed = synchronized(block, segment);
    allowed.push_back(time_wait_record(block, segment));
    return allowed;
  }
  if (block.state == State::closed) return closed(segment);
  if (block.state == State::listen) return listening(segment);
  if (block.state == State::syn_sent || answers_our_syn(block, segment))
    return syn_sent(block, segment);
  return synchronized(block, segment);
}

}  // namespace model
