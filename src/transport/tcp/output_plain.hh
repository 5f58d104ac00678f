// SPDX-License-Identifier: Apache-2.0
// The short way out of what nearly every call of a conversation sends, and what it shares with the
// long one.
#pragma once

#include "transport/tcp/machine.hh"

namespace lanyard::tcp {

// Room for TCP with all options, IPv6 with extension headers, VLAN and Ethernet in front.
inline constexpr std::size_t headroom_bytes = 60 + 40 + 24 + 18 + 50;
// Payloads up to here are copied behind their headers (byte_queue.cc).
inline constexpr std::uint32_t small_payload_bytes = 256;

// Sends all that is queued as one segment, if nothing but data and its acknowledgment is to be
// said, and nothing holds it back or waits beside it. False: output() has to decide, and nothing
// was done.
[[nodiscard]] bool output_plain(Machine& m, Instant now, Connection& c);

// The header of a segment that has no option but the timestamps.
void push_plain_header(Instant now, Connection& c, Flags flags, SequenceNumber sequence,
                       Packet& payload, ChecksumBy by);

// output.cc: a segment with its TCP header goes to the internet layer.
void hand_down(internet::Outbox& out, const Connection& from, Packet&& segment);

}  // namespace lanyard::tcp
