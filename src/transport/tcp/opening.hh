// SPDX-License-Identifier: Apache-2.0
// What an opening connection does besides the three steps: Fast Open (RFC 7413) and asking for ECN.
#pragma once

#include "transport/tcp/machine.hh"

namespace lanyard::tcp {

// RFC 3168 6.1.1, 6.1.1.1: unless a SYN that asked went unanswered.
[[nodiscard]] inline bool asks_for_ecn(const Machine& m, const Connection& c) {
  return m.config.ecn == transport::Ecn::ask && !c.was_syn_resent;
}
// What the SYN,ACK of our SYN says, once take_syn has read it.
void take_syn_ack(Machine& m, Instant now, Connection& c, const Segment& segment, Cause cause);
// The window and the memory of losses, which exist from the first data on.
void begin_sending(Connection& c);

// fast_open.cc, server: may the text of the SYN be taken? If not, what the SYN,ACK grants is noted.
bool may_open_fast(Machine& m, Instant now, Listener& listener, Connection& c, const Segment& syn);
// Takes it, and gives the connection to the program.
void take_early(Machine& m, Listener& listener, Connection& c, const Segment& syn);
// Its handshake has ended, well or not.
void end_early(Machine& m, Instant now, Connection& c, bool was_reset);
// Client: what the SYN asks with, and carries.
void begin_early(Machine& m, Instant now, Connection& c, Bytes early);
// What the SYN,ACK said to that.
void learn_early(Machine& m, Instant now, Connection& c, const Segment& syn_ack);

}  // namespace lanyard::tcp
