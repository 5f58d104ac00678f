// SPDX-License-Identifier: Apache-2.0
// Valid segments with one or two fields spoiled, to every state: nothing crashes, nothing answers
// at length, and a connection that is still there afterwards still talks (BI-75).
#include <gtest/gtest.h>

#include <time.h>

#include <array>
#include <iostream>

#include "machine.hh"

namespace model {
namespace {

struct Field {
  const char* name;
  std::size_t at;
  int bytes;
  std::uint8_t mask = 0xff;  // of a one-byte field: the bits that are its own
};

// A header with MSS, SACK-permitted, Timestamps, window scale and a SACK block, as no real segment
// has them all at once.
constexpr std::size_t options_at = 20, options_bytes = 32;
constexpr std::array<std::uint8_t, options_bytes> all_options = {
    2, 4, 0x05, 0xb4, 4, 2,  3, 3, 7, 8,  10, 0, 1, 0x11, 0x70,
    0, 0, 0,    1,    5, 10, 0, 0, 0, 10, 0,  0, 0, 20};

constexpr std::array<Field, 30> fields = {{
    {"source port", 0, 2},
    {"destination port", 2, 2},
    {"sequence", 4, 4},
    {"acknowledgment", 8, 4},
    {"data offset", 12, 1, 0xf0},
    {"reserved", 12, 1, 0x0f},
    {"CWR", 13, 1, 0x80},
    {"ECE", 13, 1, 0x40},
    {"URG", 13, 1, 0x20},
    {"ACK", 13, 1, 0x10},
    {"PSH", 13, 1, 0x08},
    {"RST", 13, 1, 0x04},
    {"SYN", 13, 1, 0x02},
    {"FIN", 13, 1, 0x01},
    {"window", 14, 2},
    {"checksum", 16, 2},
    {"urgent pointer", 18, 2},
    {"MSS kind", 20, 1},
    {"MSS length", 21, 1},
    {"MSS", 22, 2},
    {"SACK-permitted length", 25, 1},
    {"window scale length", 27, 1},
    {"window scale", 28, 1},
    {"timestamps length", 30, 1},
    {"TSval", 31, 4},
    {"TSecr", 35, 4},
    {"SACK kind", 39, 1},
    {"SACK length", 40, 1},
    {"SACK left edge", 41, 4},
    {"SACK right edge", 45, 4},
}};

std::uint32_t load(const std::vector<std::uint8_t>& bytes, const Field& field) {
  std::uint32_t value = 0;
  for (int i = 0; i < field.bytes; ++i)
    value = value << 8 | bytes[field.at + static_cast<std::size_t>(i)];
  return value;
}

void store(std::vector<std::uint8_t>& bytes, const Field& field, std::uint32_t value) {
  for (int i = field.bytes; i-- > 0; value >>= 8) {
    auto& byte = bytes[field.at + static_cast<std::size_t>(i)];
    const std::uint8_t mask = field.bytes == 1 ? field.mask : 0xff;
    byte = static_cast<std::uint8_t>((byte & ~mask) | (value & mask));
  }
}

// Zero, all ones, one more, one less, the sign bit turned, all bits turned.
constexpr int spoilings = 6;
std::uint32_t spoiled(std::uint32_t value, const Field& field, int how) {
  const std::uint32_t top = std::uint32_t{1} << (field.bytes * 8 - 1);
  switch (how) {
    case 0:
      return 0;
    case 1:
      return UINT32_MAX;
    case 2:
      return value + (field.mask & -field.mask);
    case 3:
      return value - (field.mask & -field.mask);
    case 4:
      return value ^ top;
    default:
      return ~value;
  }
}

// Of this thread alone, in nanoseconds: what a neighbour takes does not count.
std::int64_t cpu_time() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

class Spoiler {
 public:
  Spoiler(State state, std::uint32_t text_bytes, bool is_summed)
      : state_(state), text_bytes_(text_bytes), is_summed_(is_summed) {}

  // Spoils field `a`, and `b` unless it is negative. What went wrong, or nothing.
  std::string play(int a, int how_a, int b, int how_b) {
    Machine machine(state_, 0x1000, true, true);
    std::vector<std::uint8_t> bytes = valid(machine);
    spoil(bytes, a, how_a);
    if (b >= 0) spoil(bytes, b, how_b);
    if (is_summed_ && a != checksum_field && b != checksum_field) Machine::sum(bytes);
    const std::int64_t start = cpu_time();
    const auto sent = machine.arrive(bytes);
    slowest_ = std::max(slowest_, cpu_time() - start);
    ++cases_;
    if (sent.size() > most_answers) return "answers " + std::to_string(sent.size()) + " times";
    return talk(machine);
  }

  [[nodiscard]] std::int64_t slowest() const { return slowest_; }
  [[nodiscard]] int cases() const { return cases_; }

 private:
  static constexpr int checksum_field = 15;
  static constexpr std::size_t most_answers = 3;

  std::vector<std::uint8_t> valid(const Machine& machine) const {
    const Block& block = machine.block();
    const bool is_syn =
        state_ == State::listen || state_ == State::closed || state_ == State::syn_sent;
    Segment segment{.flags = is_syn ? std::uint8_t{syn} : std::uint8_t{ack},
                    .seq = block.rcv_nxt,
                    .ack = block.nxt,
                    .length = text_bytes_};
    if (state_ == State::syn_sent) segment.flags |= ack;
    auto bytes = machine.bytes_of(segment);
    bytes.insert(bytes.begin() + options_at, all_options.begin(), all_options.end());
    bytes[12] = static_cast<std::uint8_t>((options_at + options_bytes) / 4 << 4);
    Machine::sum(bytes);
    return bytes;
  }

  static void spoil(std::vector<std::uint8_t>& bytes, int which, int how) {
    const Field& field = fields[static_cast<std::size_t>(which)];
    store(bytes, field, spoiled(load(bytes, field), field, how));
  }

  // Where text can still be taken, the next segment of an honest peer is acknowledged.
  static std::string talk(Machine& machine) {
    const State state = machine.state();
    if (state != State::established && state != State::fin_wait_1 && state != State::fin_wait_2) {
      return "";
    }
    const Block& block = machine.block();
    Segment segment{.flags = ack | psh, .seq = block.rcv_nxt - 1, .ack = block.nxt, .length = 2};
    segment.tsval = machine.peer_clock();
    const auto sent = machine.arrives(segment);
    if (sent.empty() && machine.wait(lanyard::Duration::seconds(1)).empty()) return "is silent";
    return "";
  }

  State state_;
  std::uint32_t text_bytes_;
  bool is_summed_;
  int cases_ = 0;
  std::int64_t slowest_ = 0;
};

class Mutations : public ::testing::TestWithParam<int> {};

TEST_P(Mutations, OneOrTwoFieldsSpoiledHarmNothing) {
  const auto all = static_cast<int>(fields.size());
  std::int64_t slowest = 0;
  int cases = 0;
  for (const std::uint32_t text : {0U, 100U}) {
    Spoiler spoiler(static_cast<State>(GetParam()), text, true);
    for (int a = 0; a < all; ++a) {
      for (int how_a = 0; how_a < spoilings; ++how_a) {
        EXPECT_EQ(spoiler.play(a, how_a, -1, 0), "") << fields[static_cast<std::size_t>(a)].name;
        for (int b = a + 1; b < all; ++b) {
          for (int how_b = 0; how_b < spoilings; ++how_b) {
            const std::string wrong = spoiler.play(a, how_a, b, how_b);
            ASSERT_EQ(wrong, "") << fields[static_cast<std::size_t>(a)].name << " (" << how_a
                                 << ") and " << fields[static_cast<std::size_t>(b)].name << " ("
                                 << how_b << "), " << text << " bytes of text";
          }
        }
      }
    }
    slowest = std::max(slowest, spoiler.slowest());
    cases += spoiler.cases();
  }
  std::cout << cases << " segments, the slowest " << slowest / 1000 << " us of processor time\n";
}

INSTANTIATE_TEST_SUITE_P(EveryState, Mutations, ::testing::Range(0, states), [](const auto& each) {
  std::string text = name(static_cast<State>(each.param));
  std::erase(text, '-');
  return text;
});

}  // namespace
}  // namespace model
