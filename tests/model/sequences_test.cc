// SPDX-License-Identifier: Apache-2.0
// Random packet-and-call sequences, the stack against the model: segments anywhere around the
// windows, with and without text, timestamps and sense, between the calls of a program and the
// passing of time (RFC 9293 3.10, RFC 5961, RFC 7323 5). SEQUENCES=N plays N of them.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <sstream>

#include "conversation.hh"
#include "core/random.hh"
#include "machine.hh"

namespace model {
namespace {

enum class Act : std::uint8_t { segment, send, receive, shutdown, wait };

// Positions are relative to the state of the moment, so that a sequence stays one when a step is
// taken out of it.
struct Step {
  Act act = Act::segment;
  std::uint8_t flags = 0;
  int seq = 0, ack = 0, clock = 0;  // indexes below; clock 3: no option
  std::uint32_t amount = 0;         // bytes of text, or milliseconds
};

struct Sequence {
  State start = State::listen;
  std::uint32_t isn = 0;
  bool has_data_in_flight = false, has_timestamps = false;
  std::vector<Step> steps;
};

constexpr std::array<std::uint32_t, 6> lengths = {0, 0, 1, 10, 100, 1000};
constexpr int in_order = 0, all_seqs = 10, all_acks = 7, all_clocks = 4;

std::uint32_t seq_at(int position, const Block& block, std::uint32_t length) {
  switch (position) {
    case in_order:
      return block.rcv_nxt;
    case 1:
      return block.rcv_nxt - 1;
    case 2:
      return block.rcv_nxt - length;
    case 3:
      return block.rcv_nxt - length - 1;
    case 4:
      return block.rcv_nxt + 1;
    case 5:
      return block.rcv_nxt + 10;
    case 6:
      return block.rcv_nxt + 100;
    case 7:
      return block.rcv_nxt + block.rcv_wnd - 1;
    case 8:
      return block.rcv_nxt + block.rcv_wnd;
    default:
      return block.rcv_nxt + 0x80000000U;
  }
}

std::uint32_t ack_at(int position, const Block& block) {
  switch (position) {
    case 0:
      return block.nxt;
    case 1:
      return block.una;
    case 2:
      return block.una + (block.nxt - block.una) / 2;
    case 3:
      return block.una - 1;
    case 4:
      return block.nxt + 1;
    case 5:
      return block.una - block.max_snd_wnd - 1;
    default:
      return block.una - 0x70000000U;
  }
}

Step random_step(lanyard::RandomStream& dice) {
  Step step;
  const auto kind = dice.below(100);
  if (kind < 8) return {.act = Act::send, .amount = static_cast<std::uint32_t>(dice.below(700))};
  if (kind < 14) return {.act = Act::receive};
  if (kind < 17) return {.act = Act::shutdown};
  if (kind < 27) return {.act = Act::wait, .amount = static_cast<std::uint32_t>(dice.below(400))};
  // Most segments make sense, or no sequence would come far.
  const bool is_wild = dice.below(4) == 0;
  step.flags = is_wild ? static_cast<std::uint8_t>(dice.below(32)) : std::uint8_t{ack};
  if (!is_wild && dice.below(8) == 0) step.flags |= fin;
  if (!is_wild && dice.below(3) == 0) step.flags |= psh;
  step.seq = dice.below(2) == 0 ? in_order : static_cast<int>(dice.below(all_seqs));
  step.ack =
      dice.below(3) != 0 ? static_cast<int>(dice.below(3)) : static_cast<int>(dice.below(all_acks));
  step.amount = lengths[dice.below(lengths.size())];
  step.clock = dice.below(2) == 0 ? 0 : static_cast<int>(dice.below(all_clocks));
  return step;
}

Sequence random_sequence(lanyard::RandomStream& dice) {
  Sequence sequence;
  sequence.start = static_cast<State>(dice.below(states));
  sequence.isn = dice.below(2) == 0 ? static_cast<std::uint32_t>(dice.next()) : 0xffffff00U;
  sequence.has_data_in_flight = dice.below(2) == 0;
  sequence.has_timestamps = dice.below(2) == 0;
  const auto steps = 1 + dice.below(20);
  for (std::uint64_t i = 0; i < steps; ++i) sequence.steps.push_back(random_step(dice));
  return sequence;
}

// The segment of a step, here and now.
Segment segment_of(const Step& step, const Conversation& model) {
  const Block& block = model.block();
  Segment segment{.flags = step.flags, .length = step.amount};
  segment.seq = seq_at(step.seq, block, segment.length);
  segment.ack = ack_at(step.ack, block);
  if (!model.fits_stream(segment)) segment.flags &= static_cast<std::uint8_t>(~fin);
  if (!model.fits_stream(segment)) segment.length = 0;
  if (!model.fits_stream(segment)) segment.seq = block.rcv_nxt;
  const auto recent = model.ts_recent();
  // What RFC 7323 leaves open does not move the clock: a SYN, a segment whose ACK is refused.
  const bool is_plain = (step.flags & (syn | rst)) == 0 && (step.flags & ack) != 0 &&
                        step.ack < 3 && block.state != State::time_wait;
  if (recent && (step.flags & rst) == 0 && step.clock != 3) {
    const std::uint32_t forward = is_plain ? 5 : 0;
    segment.tsval = *recent + (step.clock == 0 ? 0 : step.clock == 1 ? forward : -7U);
  }
  return segment;
}

std::string text_of(const Step& step) {
  std::ostringstream text;
  constexpr std::array<const char*, 5> acts = {"segment", "send", "receive", "shutdown", "wait"};
  text << acts[static_cast<std::size_t>(step.act)];
  if (step.act == Act::segment) {
    text << " flags=" << int{step.flags} << " seq=" << step.seq << " ack=" << step.ack
         << " clock=" << step.clock;
  }
  text << " amount=" << step.amount;
  return text.str();
}

std::string text_of(const Seen& seen, const Block& block) {
  std::ostringstream text;
  text << " [flags=" << int{seen.flags} << " seq=nxt" << std::showpos
       << distance(block.nxt, seen.seq) << " ack=rcv_nxt" << distance(block.rcv_nxt, seen.ack)
       << std::noshowpos << " win=" << seen.window << " len=" << seen.length;
  if (seen.tsecr) text << " ecr=" << *seen.tsecr;
  return text.str() + "]";
}

bool state_fits(State expected, State seen) {
  return seen == expected || (expected == State::listen && seen == State::closed);
}

class Play {
 public:
  explicit Play(const Sequence& sequence)
      : machine_(sequence.start, sequence.isn, sequence.has_data_in_flight,
                 sequence.has_timestamps),
        model_(machine_.block(), sequence.has_timestamps && sequence.start > State::listen
                                     ? std::optional(machine_.peer_clock())
                                     : std::nullopt) {}

  // The difference it shows, or nothing.
  std::string run(const Sequence& sequence) {
    for (const Step& step : sequence.steps) {
      if (model_.is_over() || is_new_conversation_) return "";
      std::string difference = play(step);
      if (!difference.empty()) return text_of(step) + ": " + difference;
    }
    return "";
  }

 private:
  std::string play(const Step& step) {
    std::vector<Seen> sent;
    switch (step.act) {
      case Act::segment:
        return segment(step);
      case Act::send: {
        const bool is_ready = model_.send(step.amount);
        if (!is_ready) return "";
        if (!machine_.send(step.amount, sent) && step.amount > 0) return "send fails";
        break;
      }
      case Act::receive: {
        const auto waiting = model_.readable();
        model_.receive();
        if (machine_.receive(sent) != waiting) return "receive gives another number of bytes";
        break;
      }
      case Act::shutdown:
        if (!is_open()) return "";
        model_.shutdown();
        if (!machine_.shutdown(sent)) return "shutdown fails";
        break;
      case Act::wait:
        sent = machine_.wait(lanyard::Duration::milliseconds(step.amount));
        break;
    }
    return check_sent(model_, sent) + check_state(model_);
  }

  [[nodiscard]] bool is_open() const {
    return model_.block().state == State::established || model_.block().state == State::close_wait;
  }

  std::string segment(const Step& step) {
    const Block before = model_.block();
    const Segment segment = segment_of(step, model_);
    const auto allowed = model_.arrives(segment);
    const auto sent = machine_.arrives(segment);
    std::string why;
    for (const Next& next : allowed) {
      Conversation after = next.after;
      std::string broken;
      if (!reply_fits(next, before, sent))
        broken = "reply " + std::to_string(int(next.outcome.reply));
      const bool is_new =
          before.state > State::syn_received && next.outcome.state == State::syn_received;
      if (broken.empty() && !is_new) broken = check_sent(after, sent);
      if (broken.empty()) broken = check_state(after);
      if (broken.empty()) {
        is_new_conversation_ = is_new;
        model_ = after;
        return "";
      }
      why += " {" + next.outcome.step + ": " + broken + "}";
    }
    why += " in " + name(before.state) + ", stack " + name(machine_.state()) + ":";
    for (const Seen& seen : sent) why += text_of(seen, before);
    return why;
  }

  static std::string check_sent(Conversation& model, const std::vector<Seen>& sent) {
    if (model.is_over()) return "";
    for (const Seen& seen : sent) {
      std::string broken = model.sent(seen);
      if (!broken.empty()) return broken + text_of(seen, model.block());
    }
    return "";
  }

  std::string check_state(const Conversation& model) const {
    const State expected = model.block().state;
    if (!state_fits(expected, machine_.state())) {
      return "state " + name(expected) + ", not " + name(machine_.state());
    }
    // Text of a connection nobody has accepted cannot be counted from outside.
    const bool can_count = !model.is_over() && expected > State::syn_received;
    if (can_count && machine_.readable() != model.readable()) {
      return std::to_string(model.readable()) + " bytes to read, not " +
             std::to_string(machine_.readable());
    }
    return "";
  }

  Machine machine_;
  Conversation model_;
  bool is_new_conversation_ = false;
};

std::string difference(const Sequence& sequence) {
  return Play(sequence).run(sequence);
}

// The same with every step left out that is not needed for a difference.
Sequence shrunk(Sequence sequence) {
  for (std::size_t i = sequence.steps.size(); i-- > 0;) {
    Sequence shorter = sequence;
    shorter.steps.erase(shorter.steps.begin() + static_cast<std::ptrdiff_t>(i));
    if (!difference(shorter).empty()) sequence = shorter;
  }
  return sequence;
}

std::string report(const Sequence& found) {
  const Sequence sequence = shrunk(found);
  std::ostringstream text;
  text << name(sequence.start) << (sequence.has_data_in_flight ? ", data in flight" : "")
       << (sequence.has_timestamps ? ", timestamps" : "") << ", isn " << sequence.isn;
  for (const Step& step : sequence.steps) text << "\n  " << text_of(step);
  text << "\n  -> " << difference(sequence);
  return text.str();
}

std::uint64_t sequences_to_play() {
  const char* wanted = std::getenv("SEQUENCES");
  return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 40'000;
}

class Sequences : public ::testing::TestWithParam<int> {};

constexpr int parts = 4;

TEST_P(Sequences, TheStackDoesWhatTheModelSays) {
  auto dice = lanyard::Seed(static_cast<std::uint64_t>(GetParam())).branch("sequences").stream();
  int reports_left = 3;
  const std::uint64_t all = sequences_to_play() / parts;
  for (std::uint64_t i = 0; i < all && reports_left > 0; ++i) {
    const Sequence sequence = random_sequence(dice);
    if (difference(sequence).empty()) continue;
    ADD_FAILURE() << "sequence " << i << ": " << report(sequence);
    --reports_left;
  }
}

INSTANTIATE_TEST_SUITE_P(Parts, Sequences, ::testing::Range(0, parts));

}  // namespace
}  // namespace model
