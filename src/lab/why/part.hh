// SPDX-License-Identifier: Apache-2.0
// An answer to "why did this take so long": the whole, cut into parts that lie end to end. Each
// nanosecond has exactly one cause.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.hh"

namespace lanyard::lab::why {

enum class Cause : std::uint8_t {
  program,            // it computed, slept, or had other things to do
  neighbour,          // a packet waited until a neighbour's MAC was known (ARP, NDP)
  queue,              // behind other frames, in front of a link with a rate
  transmission,       // bit after bit onto a link
  propagation,        // along the link
  extra_delay,        // on a link, beyond what its delay and rate explain
  send_buffer,        // the program waited for room: the sender window
  congestion_window,  // data waited for acknowledgments of what was under way
  receiver_window,    // data waited for room at the receiver
  nagle,              // a small segment waited for the acknowledgment of the one before
  delayed_ack,        // the receiver held its acknowledgment back
  lost_packet,        // until a lost packet was known to be lost, and sent again
  time_out,           // the same, and only the timer found out
  host,               // inside a machine: between its input and its output
  before,             // not explained by the run file
};
[[nodiscard]] std::string_view to_text(Cause cause);  // "congestion window"

// What was going on, in the program's own terms.
enum class Phase : std::uint8_t { data, look_up, handshake };
[[nodiscard]] std::string_view to_text(Phase phase);  // "name look-up"; data: "data"

struct Part {
  Instant from{}, to{};
  Cause cause = Cause::before;
  Phase phase = Phase::data;
  std::string where{};         // "r1:eth1", "alice"
  std::string what{};          // "packet 12 was lost on r1 -- dc"
  std::uint64_t packet = 0;    // its number as a frame of the file, from 1; 0: none
  std::vector<Part> inside{};  // what a wait was spent on, end to end again

  [[nodiscard]] Duration length() const { return to - from; }
};

struct Answer {
  std::string subject;      // "program alice (http get http://bob/)"
  Instant from, to;         // the whole
  std::vector<Part> parts;  // by time; they begin at `from`, end at `to`, and have no gaps
  std::string outcome;      // "exited 0", "dropped at r1:eth1: queue full"; may be empty
};

}  // namespace lanyard::lab::why
