// SPDX-License-Identifier: Apache-2.0
// The states of RFC 9293 3.3.2 and the transitions between them as a table that can be printed.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace lanyard::tcp {

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

// What moves a connection from one state to another.
enum class Cause : std::uint8_t {
  passive_open,
  active_open,
  syn,         // a SYN came without an ACK of ours
  syn_ack,     // our SYN was acknowledged by a SYN,ACK
  ack_of_syn,  // our SYN (or SYN,ACK) was acknowledged
  close,       // the program closed
  fin,         // the peer's FIN was taken
  ack_of_fin,  // our FIN was acknowledged
  fin_and_ack_of_fin,
  reset,     // a valid RST
  abort,     // the program, or a limit of ours
  time_out,  // R2, user timeout, 2 MSL
};

struct Transition {
  State from;
  Cause cause;
  State to;
};

[[nodiscard]] std::span<const Transition> transitions();
// Whether RFC 9293 knows a way from one state to the other for this cause.
[[nodiscard]] bool is_transition(State from, Cause cause, State to);

// "SYN-SENT", "ESTABLISHED": as the RFC writes them.
[[nodiscard]] std::string_view to_text(State state);
[[nodiscard]] std::string_view to_text(Cause cause);
// The whole table, one transition a line.
[[nodiscard]] std::string transition_table();

[[nodiscard]] constexpr bool is_synchronized(State state) {
  return state >= State::established;
}
// The program may still receive what comes: the peer has not sent its FIN.
[[nodiscard]] constexpr bool may_receive(State state) {
  return state == State::established || state == State::fin_wait_1 || state == State::fin_wait_2;
}
// Our FIN has not been asked for: the program may still send.
[[nodiscard]] constexpr bool may_send(State state) {
  return state == State::syn_sent || state == State::syn_received || state == State::established ||
         state == State::close_wait;
}

}  // namespace lanyard::tcp
