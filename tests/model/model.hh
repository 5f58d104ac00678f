// SPDX-License-Identifier: Apache-2.0
// An executable model of what RFC 9293 3.10.7, with RFC 5961 3 to 5, says about one arriving
// segment. It shares no code with the stack: plain numbers in, what must and what may happen out.
// Written from the RFC's text, step by step.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace model {

enum class State : std::uint8_t {
  closed,
  listen,
  syn_sent,
  syn_received,
  established,
  fin_wait_1,
  fin_wait_2,
  close_wait,
  closing,
  last_ack,
  time_wait
};
inline constexpr int states = 11;
std::string name(State state);

enum Flag : std::uint8_t { fin = 1, syn = 2, rst = 4, psh = 8, ack = 16, urg = 32 };

struct Segment {
  std::uint8_t flags = 0;
  std::uint32_t seq = 0, ack = 0;
  std::uint32_t length = 0;                           // of the text
  std::optional<std::uint32_t> tsval = std::nullopt;  // with a Timestamps option (RFC 7323)
  // Sequence space it takes.
  [[nodiscard]] std::uint32_t span() const {
    return length + ((flags & syn) != 0 ? 1U : 0U) + ((flags & fin) != 0 ? 1U : 0U);
  }
};

struct Seen {  // a segment the stack sent
  std::uint8_t flags = 0;
  std::uint32_t seq = 0, ack = 0, window = 0, length = 0;
  std::optional<std::uint32_t> tsval = std::nullopt, tsecr = std::nullopt;
  [[nodiscard]] std::uint32_t span() const {
    return length + ((flags & syn) != 0 ? 1U : 0U) + ((flags & fin) != 0 ? 1U : 0U);
  }
};

// What the RFC calls the send and receive sequence variables, and how we came here.
struct Block {
  State state = State::closed;
  std::uint32_t iss = 0, una = 0, nxt = 0;
  std::uint32_t irs = 0, rcv_nxt = 0, rcv_wnd = 0;
  std::uint32_t max_snd_wnd = 0;
  bool is_fin_sent = false;  // ours, at nxt - 1
  bool is_active = false;    // SYN-RECEIVED came from SYN-SENT
};

enum class Reply : std::uint8_t {
  none,       // silence
  must_ack,   // exactly <SEQ=nxt><ACK=rcv_nxt>, or text carrying it
  may_ack,    // nothing yet (delayed), or the same
  reset,      // <SEQ=number><CTL=RST>
  reset_ack,  // <SEQ=0><ACK=number><CTL=RST,ACK>
  syn_ack,    // <SEQ=iss><ACK=rcv_nxt><CTL=SYN,ACK>
};

struct Outcome {
  State state = State::closed;  // closed: the block is gone
  Reply reply = Reply::none;
  std::uint32_t number = 0;    // of a reset
  std::uint32_t rcv_nxt = 0;   // what an acknowledgement says
  std::uint32_t readable = 0;  // bytes that became readable
  std::string step;            // which step of 3.10.7 decided
};

// From one number to another in the ring of 2^32, read as signed (RFC 9293 3.4).
inline std::int32_t distance(std::uint32_t from, std::uint32_t to) {
  return static_cast<std::int32_t>(to - from);
}

// RFC 9293 3.10.7.4, first: the four cases of the table.
bool is_acceptable(const Block& block, const Segment& segment);

// A simultaneous open that was none: another SYN made it look like one, and this SYN,ACK, which
// acknowledges our SYN, comes from who has seen it. 3.10.7.3 takes it, as if the other never came.
bool answers_our_syn(const Block& block, const Segment& segment);

// All outcomes the RFCs allow, the plain reading first.
std::vector<Outcome> arrives(const Block& block, const Segment& segment);

}  // namespace model
