// SPDX-License-Identifier: Apache-2.0
#include "conversation.hh"

#include <algorithm>

namespace model {

namespace {

bool has(std::uint8_t flags, Flag flag) {
  return (flags & flag) != 0;
}

bool is_synchronized(State state) {
  return state > State::syn_sent;
}

bool takes_text(State state) {
  return state == State::established || state == State::fin_wait_1 || state == State::fin_wait_2;
}

State after_fin(State state, bool is_fin_acked) {
  if (state == State::established) return State::close_wait;
  if (state == State::fin_wait_1) return is_fin_acked ? State::time_wait : State::closing;
  return state == State::fin_wait_2 ? State::time_wait : state;
}

}  // namespace

Conversation::Conversation(const Block& start, std::optional<std::uint32_t> ts_recent)
    : block_(start),
      queued_end_(start.is_fin_sent ? start.nxt - 1 : start.nxt),
      is_shut_(start.is_fin_sent),
      edge_(start.rcv_nxt + start.rcv_wnd),
      ts_recent_(ts_recent),
      last_ack_sent_(start.rcv_nxt) {}

std::vector<Next> Conversation::arrives(const Segment& segment) const {
  const bool is_opening = block_.state == State::syn_sent || answers_our_syn(block_, segment);
  const bool is_stamped = ts_recent_ && !is_opening && is_synchronized(block_.state);
  std::vector<Next> allowed;
  if (is_stamped && !has(segment.flags, rst)) {
    if (!segment.tsval) {
      // RFC 7323 3.2: "SHOULD silently drop"; deployed stacks take it for what it is.
      allowed.push_back({{block_.state, Reply::none, 0, 0, 0, "no timestamps"}, *this});
    } else if (distance(*ts_recent_, *segment.tsval) < 0) {
      // R1 of 5.3. A TIME-WAIT kept as a record may be silent where nothing takes sequence space.
      allowed.push_back(
          {{block_.state, Reply::must_ack, 0, block_.rcv_nxt, 0, "an old timestamp"}, *this});
      if (block_.state == State::time_wait && segment.span() == 0)
        allowed.push_back({{block_.state, Reply::none, 0, 0, 0, "an old timestamp"}, *this});
      return allowed;
    }
  }
  for (const Outcome& outcome : model::arrives(block_, segment)) {
    Next next{outcome, *this};
    Conversation& after = next.after;
    after.block_.state = outcome.state;
    if (is_opening) {
      if (outcome.state != State::syn_sent) after.open(segment, outcome);
    } else if (outcome.state == State::syn_received && block_.state != State::syn_received) {
      after.block_.rcv_nxt = outcome.rcv_nxt;  // the end of what is followed: a new conversation
    } else if (is_synchronized(block_.state) && is_acceptable(block_, segment)) {
      if (is_stamped && segment.tsval && distance(segment.seq, last_ack_sent_) >= 0 &&
          distance(*ts_recent_, *segment.tsval) >= 0) {
        after.ts_recent_ = segment.tsval;  // R3
      }
      const bool is_taken = has(segment.flags, ack) && !has(segment.flags, rst) &&
                            !has(segment.flags, syn) &&
                            outcome.step.find("ACK of what") == std::string::npos &&
                            outcome.step.find("too old") == std::string::npos &&
                            outcome.step.find("bad ACK") == std::string::npos;
      if (is_taken && outcome.state != State::closed) {
        after.take_ack(segment);
        next.may_send = true;
        take_text(segment, next);
      }
    }
    after.block_.rcv_wnd = after.edge_ - after.block_.rcv_nxt;
    allowed.push_back(std::move(next));
  }
  return allowed;
}

// A SYN reached SYN-SENT (3.10.7.3).
void Conversation::open(const Segment& segment, const Outcome& outcome) {
  if (outcome.state != State::closed && has(segment.flags, ack)) block_.una = segment.ack;
  block_.is_active = true;
  block_.irs = segment.seq;
  block_.rcv_nxt = edge_ = outcome.rcv_nxt;
  readable_ += outcome.readable;
  if (!segment.tsval) ts_recent_.reset();
  if (ts_recent_) ts_recent_ = segment.tsval;
}

bool Conversation::fits_stream(const Segment& segment) const {
  const std::uint32_t end = segment.seq + segment.length;
  if (held_fin_) {
    const int after = distance(*held_fin_, end);
    return has(segment.flags, fin) ? after == 0 : after <= 0;
  }
  const auto is_before = [&](const auto& held) {
    return distance(held.second + block_.irs, end) >= 0;
  };
  return !has(segment.flags, fin) || std::ranges::all_of(held_, is_before);
}

void Conversation::take_ack(const Segment& segment) {
  if (distance(block_.una, segment.ack) > 0 && distance(segment.ack, block_.nxt) >= 0)
    block_.una = segment.ack;
}

// Text in order advances RCV.NXT, through what was held as well; text beyond a gap is held.
void Conversation::take_text(const Segment& segment, Next& next) const {
  Conversation& after = next.after;
  Outcome& outcome = next.outcome;
  // In the state the acknowledgement made, since it is looked at first.
  const bool fin_was_acked = block_.is_fin_sent && segment.ack == block_.nxt;
  const bool takes = takes_text(block_.state) || block_.state == State::syn_received;
  if (distance(block_.rcv_nxt, segment.seq) <= 0) {
    after.block_.rcv_nxt = outcome.rcv_nxt;
    after.readable_ += outcome.readable;
    const bool had_held = !held_.empty() || held_fin_;
    if (outcome.readable > 0 && had_held) outcome.reply = Reply::must_ack;  // RFC 5681 4.2
    if (outcome.readable > 0 || had_held) after.take_held(outcome);
    if (fin_was_acked && outcome.state == State::closing) outcome.state = State::time_wait;
    after.block_.state = outcome.state;
    return;
  }
  if (!takes) return;
  const std::uint32_t edge = block_.rcv_nxt + block_.rcv_wnd;
  std::uint32_t end = segment.seq + segment.length;
  if (distance(edge, end) > 0)
    end = edge;
  else if (has(segment.flags, fin) && distance(edge, end + 1) <= 0)
    after.held_fin_ = end;
  if (distance(segment.seq, end) > 0) {
    auto& held = after.held_[segment.seq - block_.irs];
    held = std::max(held, end - block_.irs);
  }
}

// What was held and is in order now.
void Conversation::take_held(Outcome& outcome) {
  while (!held_.empty() && held_.begin()->first <= block_.rcv_nxt - block_.irs) {
    const std::uint32_t end = held_.begin()->second + block_.irs;
    held_.erase(held_.begin());
    if (distance(block_.rcv_nxt, end) <= 0) continue;
    const auto more = static_cast<std::uint32_t>(distance(block_.rcv_nxt, end));
    outcome.readable += more;
    readable_ += more;
    block_.rcv_nxt = end;
  }
  if (held_fin_ && *held_fin_ == block_.rcv_nxt && takes_text(outcome.state)) {
    ++block_.rcv_nxt;
    const bool is_fin_acked = block_.is_fin_sent && block_.una == block_.nxt;
    outcome.state = after_fin(outcome.state, is_fin_acked);
    outcome.reply = Reply::must_ack;
    held_fin_.reset();
    held_.clear();
  }
  outcome.rcv_nxt = block_.rcv_nxt;
}

bool Conversation::send(std::uint32_t bytes) {
  if (block_.state != State::established && block_.state != State::close_wait) return false;
  queued_end_ += bytes;
  return true;
}

bool Conversation::shutdown() {
  is_shut_ = true;
  if (block_.state == State::established) {
    block_.state = State::fin_wait_1;
  } else if (block_.state == State::close_wait) {
    block_.state = State::last_ack;
  } else {
    return false;
  }
  return true;
}

std::string Conversation::sent(const Seen& seen) {
  if (has(seen.flags, rst)) return "";
  if (has(seen.flags, ack)) {
    if (seen.ack != block_.rcv_nxt && !has(seen.flags, syn)) return "acknowledges another number";
    const std::uint32_t edge = seen.ack + seen.window;
    if (distance(edge_, edge) < 0 && !has(seen.flags, syn)) return "the window's edge falls";
    edge_ = edge;
    block_.rcv_wnd = edge - block_.rcv_nxt;
    last_ack_sent_ = seen.ack;
  }
  if (ts_recent_) {
    if (!seen.tsval) return "no timestamps";
    if (has(seen.flags, ack) && seen.tsecr != ts_recent_) return "echoes another timestamp";
  }
  return sent_text(seen);
}

std::string Conversation::sent_text(const Seen& seen) {
  if (has(seen.flags, syn)) return "";
  const std::uint32_t end = seen.seq + seen.span();
  if (seen.span() == 0) {
    return distance(seen.seq, block_.nxt) == 0 ? "" : "a bare segment not at SND.NXT";
  }
  if (distance(block_.una, seen.seq) < 0) return "sends what was acknowledged";
  if (distance(queued_end_, seen.seq + seen.length) > 0) return "sends what nobody wrote";
  if (has(seen.flags, fin)) {
    if (!is_shut_) return "a FIN nobody asked for";
    if (seen.seq + seen.length != queued_end_) return "a FIN in the middle";
    block_.is_fin_sent = true;
  }
  if (distance(block_.una + block_.max_snd_wnd, end) > 1) return "beyond the peer's window";
  if (distance(block_.nxt, end) > 0) {
    if (distance(block_.nxt, seen.seq) > 0) return "leaves octets out";
    block_.nxt = end;
  }
  return "";
}

bool reply_fits(const Next& next, const Block& before, const std::vector<Seen>& sent) {
  const Outcome& outcome = next.outcome;
  const auto acknowledges = [&](const Seen& seen) {
    return (seen.flags & (rst | syn)) == 0 && has(seen.flags, ack) && seen.ack == outcome.rcv_nxt;
  };
  const auto carries = [](const Seen& seen) { return seen.span() > 0 && (seen.flags & rst) == 0; };
  switch (outcome.reply) {
    case Reply::none:
      return next.may_send ? std::ranges::all_of(sent, carries) : sent.empty();
    case Reply::must_ack:
      return !sent.empty() && acknowledges(sent.back());
    case Reply::may_ack:
      return sent.empty() || acknowledges(sent.back());
    case Reply::reset:
      return sent.size() == 1 && sent[0].flags == rst && sent[0].seq == outcome.number;
    case Reply::reset_ack:
      return sent.size() == 1 && sent[0].flags == (rst | ack) && sent[0].seq == 0 &&
             sent[0].ack == outcome.number;
    case Reply::syn_ack:
      return sent.size() == 1 && sent[0].flags == (syn | ack) &&
             (before.state == State::syn_received || sent[0].ack == outcome.rcv_nxt);
  }
  return false;
}

}  // namespace model
