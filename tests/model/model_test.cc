// SPDX-License-Identifier: Apache-2.0
// The whole table: 11 states x 64 flag sets x 8 sequence positions x 6 ACK positions x 2 payloads,
// the stack against the model (BI-75), at two initial sequence numbers, one of them about to wrap
// (BI-55, RFC 9293 [9293-3.4-a]).
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <sstream>

#include "machine.hh"

namespace model {
namespace {

constexpr std::uint32_t text_bytes = 10;

std::uint32_t sequence_at(int position, const Block& block, std::uint32_t length) {
  switch (position) {
    case 0:
      return block.rcv_nxt - length - 1;
    case 1:
      return block.rcv_nxt - 1;
    case 2:
      return block.rcv_nxt;
    case 3:
      return block.rcv_nxt + 1;
    case 4:
      return block.rcv_nxt + block.rcv_wnd / 2;
    case 5:
      return block.rcv_nxt + block.rcv_wnd - 1;
    case 6:
      return block.rcv_nxt + block.rcv_wnd;
    default:
      return block.rcv_nxt + 0x80000000U;
  }
}

std::uint32_t acknowledgement_at(int position, const Block& block) {
  switch (position) {
    case 0:
      return block.una - 1;
    case 1:
      return block.una;
    case 2:
      return block.una + 1;
    case 3:
      return block.nxt;
    case 4:
      return block.nxt + 1;
    default:
      return block.una - 0x70000000U;
  }
}

bool reply_fits(const Outcome& outcome, const Block& before, const std::vector<Seen>& sent) {
  const auto acknowledges = [&](const Seen& seen) {
    return (seen.flags & (rst | syn)) == 0 && (seen.flags & ack) != 0 &&
           seen.ack == outcome.rcv_nxt &&
           (seen.seq == before.nxt || seen.length > 0 || (seen.flags & fin) != 0);
  };
  switch (outcome.reply) {
    case Reply::none:
      return sent.empty();
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
      return sent.size() == 1 && sent[0].flags == (syn | ack) && sent[0].ack == outcome.rcv_nxt;
  }
  return false;
}

// "Only the listener is left" and "nothing is left" look alike from outside.
bool state_fits(State expected, State seen) {
  return seen == expected || (expected == State::listen && seen == State::closed);
}

std::string flags_text(std::uint8_t flags) {
  std::string text;
  constexpr std::array<const char*, 6> names = {"FIN ", "SYN ", "RST ", "PSH ", "ACK ", "URG "};
  for (std::size_t i = 0; i < names.size(); ++i) {
    if ((flags >> i & 1) != 0) text += names[i];
  }
  return text.empty() ? "none " : text;
}

std::string describe(const Block& block, const Segment& segment,
                     const std::vector<Outcome>& allowed, const std::vector<Seen>& sent,
                     State after, std::size_t readable) {
  std::ostringstream text;
  text << name(block.state) << " gets [" << flags_text(segment.flags) << "] seq=rcv_nxt"
       << std::showpos << static_cast<std::int32_t>(segment.seq - block.rcv_nxt) << " ack=una"
       << static_cast<std::int32_t>(segment.ack - block.una) << " (nxt=una"
       << static_cast<std::int32_t>(block.nxt - block.una) << ")" << std::noshowpos
       << " len=" << segment.length << "; model:";
  for (const Outcome& outcome : allowed) {
    text << " {" << outcome.step << " -> " << name(outcome.state) << ", reply "
         << static_cast<int>(outcome.reply) << ", readable " << outcome.readable << "}";
  }
  text << "; stack: " << name(after) << ", readable " << readable << ", sent";
  for (const Seen& seen : sent) {
    text << " [" << flags_text(seen.flags) << "seq=nxt" << std::showpos
         << static_cast<std::int32_t>(seen.seq - block.nxt) << " ack=rcv_nxt"
         << static_cast<std::int32_t>(seen.ack - block.rcv_nxt) << std::noshowpos
         << " len=" << seen.length << "]";
  }
  return text.str();
}

struct Tally {
  int cases = 0, differences = 0;
  // One example of each kind: what the model says and what the stack sent.
  std::map<std::string, std::pair<int, std::string>> kinds;
  [[nodiscard]] std::string text() const;
};

std::string Tally::text() const {
  std::ostringstream text;
  for (const auto& [kind, example] : kinds) {
    text << example.first << " times: " << example.second << '\n';
  }
  return text.str();
}

void compare(State state, bool in_flight, std::uint32_t isn, const Segment& relative,
             int seq_position, int ack_position, Tally& tally) {
  Machine machine(state, isn, in_flight);
  const Block block = machine.block();
  ASSERT_TRUE(state_fits(state, machine.state()))
      << name(state) << " was not reached but " << name(machine.state());
  Segment segment = relative;
  segment.seq = sequence_at(seq_position, block, segment.length);
  segment.ack = acknowledgement_at(ack_position, block);
  const auto allowed = arrives(block, segment);
  const auto sent = machine.arrives(segment);
  const State after = machine.state();
  const std::size_t readable = machine.readable();
  ++tally.cases;
  for (const Outcome& outcome : allowed) {
    // Text of a connection nobody has accepted yet cannot be counted from outside.
    const bool can_count =
        state != State::syn_received && state != State::syn_sent && after != State::closed;
    if (state_fits(outcome.state, after) && reply_fits(outcome, block, sent) &&
        (!can_count || readable == outcome.readable)) {
      return;
    }
  }
  ++tally.differences;
  const std::string kind = allowed.front().step + " -> " + name(after) + " " +
                           (sent.empty() ? "silence" : flags_text(sent.back().flags)) + " " +
                           std::to_string(readable);
  auto& [count, example] = tally.kinds[kind];
  if (++count == 1) example = describe(block, segment, allowed, sent, after, readable);
}

class Table : public ::testing::TestWithParam<int> {};

TEST_P(Table, TheStackDoesWhatTheModelSays) {
  const State state = static_cast<State>(GetParam());
  Tally tally;
  for (const std::uint32_t isn : {0x1000U, 0xfffffff8U}) {
    for (int flags = 0; flags < 64; ++flags) {
      for (int seq = 0; seq < 8; ++seq) {
        for (int acknowledgement = 0; acknowledgement < 6; ++acknowledgement) {
          for (const std::uint32_t length : {0U, text_bytes}) {
            const Segment segment{.flags = static_cast<std::uint8_t>(flags), .length = length};
            compare(state, true, isn, segment, seq, acknowledgement, tally);
          }
        }
      }
    }
  }
  EXPECT_EQ(tally.differences, 0) << "of " << tally.cases << " cases; one of each kind:\n"
                                  << tally.text();
  EXPECT_EQ(tally.cases, 2 * 64 * 8 * 6 * 2);
}

INSTANTIATE_TEST_SUITE_P(EveryState, Table, ::testing::Range(0, states), [](const auto& each) {
  std::string text = name(static_cast<State>(each.param));
  std::erase(text, '-');
  return text;
});

}  // namespace
}  // namespace model
