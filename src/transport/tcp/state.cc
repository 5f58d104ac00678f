// SPDX-License-Identifier: Apache-2.0
#include "transport/tcp/state.hh"

#include <array>

namespace lanyard::tcp {

namespace {

using enum State;
using enum Cause;

// RFC 9293 figure 5 and the text of 3.10; the reset, abort and time-out rows say how every state
// can end.
constexpr std::array table{
    Transition{closed, active_open, syn_sent},
    Transition{closed, passive_open, syn_received},  // a SYN to a listener makes the connection
    Transition{syn_sent, syn, syn_received},
    Transition{syn_sent, syn_ack, established},
    Transition{syn_sent, close, closed},
    Transition{syn_sent, Cause::reset, closed},
    Transition{syn_sent, Cause::abort, closed},
    Transition{syn_sent, time_out, closed},
    Transition{syn_received, ack_of_syn, established},
    Transition{syn_received, close, fin_wait_1},
    Transition{syn_received, Cause::reset, closed},  // back to LISTEN, if it came from there
    Transition{syn_received, Cause::abort, closed},
    Transition{syn_received, time_out, closed},
    Transition{established, close, fin_wait_1},
    Transition{established, fin, close_wait},
    Transition{established, Cause::reset, closed},
    Transition{established, Cause::abort, closed},
    Transition{established, time_out, closed},
    Transition{fin_wait_1, ack_of_fin, fin_wait_2},
    Transition{fin_wait_1, fin, closing},
    Transition{fin_wait_1, fin_and_ack_of_fin, time_wait},
    Transition{fin_wait_1, Cause::reset, closed},
    Transition{fin_wait_1, Cause::abort, closed},
    Transition{fin_wait_1, time_out, closed},
    Transition{fin_wait_2, fin, time_wait},
    Transition{fin_wait_2, Cause::reset, closed},
    Transition{fin_wait_2, Cause::abort, closed},
    Transition{fin_wait_2, time_out, closed},
    Transition{close_wait, close, last_ack},
    Transition{close_wait, Cause::reset, closed},
    Transition{close_wait, Cause::abort, closed},
    Transition{close_wait, time_out, closed},
    Transition{closing, ack_of_fin, time_wait},
    Transition{closing, Cause::reset, closed},
    Transition{closing, Cause::abort, closed},
    Transition{closing, time_out, closed},
    Transition{last_ack, ack_of_fin, closed},
    Transition{last_ack, Cause::reset, closed},
    Transition{last_ack, Cause::abort, closed},
    Transition{last_ack, time_out, closed},
    Transition{time_wait, Cause::reset, closed},
    Transition{time_wait, Cause::abort, closed},
    Transition{time_wait, time_out, closed},
};

// The same by state and cause: a bit for each state it leads to.
constexpr int causes = 12;
constexpr auto ways = [] {
  std::array<std::array<std::uint16_t, causes>, states> leads{};
  for (const Transition& t : table) {
    auto& bits = leads[static_cast<std::size_t>(t.from)][static_cast<std::size_t>(t.cause)];
    bits = static_cast<std::uint16_t>(bits | 1U << static_cast<unsigned>(t.to));
  }
  return leads;
}();

constexpr std::array<std::string_view, states> state_names{
    "CLOSED",     "LISTEN",     "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1",
    "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING",  "LAST-ACK",     "TIME-WAIT"};
constexpr std::array<std::string_view, causes> cause_names{
    "passive OPEN", "active OPEN",        "SYN", "SYN,ACK", "ACK of SYN", "CLOSE", "FIN",
    "ACK of FIN",   "FIN and ACK of FIN", "RST", "ABORT",   "timeout"};

}  // namespace

std::span<const Transition> transitions() {
  return table;
}

bool is_transition(State from, Cause cause, State to) {
  const unsigned bits = ways[static_cast<std::size_t>(from)][static_cast<std::size_t>(cause)];
  return (bits >> static_cast<unsigned>(to) & 1U) != 0;
}

std::string_view to_text(State state) {
  return state_names[static_cast<std::size_t>(state)];
}

std::string_view to_text(Cause cause) {
  return cause_names[static_cast<std::size_t>(cause)];
}

std::string transition_table() {
  std::string text;
  for (const Transition& t : table) {
    text += to_text(t.from);
    text += " -- ";
    text += to_text(t.cause);
    text += " -> ";
    text += to_text(t.to);
    text += '\n';
  }
  return text;
}

}  // namespace lanyard::tcp
