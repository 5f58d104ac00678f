// SPDX-License-Identifier: Apache-2.0
// The short way of the segments that nearly all are, and what it shares with the long one.
#pragma once

#include "transport/tcp/machine.hh"

namespace lanyard::tcp {

// Deals with a segment that nothing is to be said about but what it brings and acknowledges; its
// checksum is right. False: it is another, and nothing was done.
[[nodiscard]] bool arrives_plain(Machine& m, Instant now, Connection& c, const View& view,
                                 const Packet& packet);

// arrives.cc: the timestamp of a segment in the window is the one to be echoed.
void note_timestamp(Instant now, Connection& c, SequenceNumber sequence, std::uint32_t value);
// A segment in the window has come.
void note_heard(const Machine& m, Instant now, Connection& c, std::uint32_t payload_size);
// Of a segment with so much payload the receiver has taken what it wanted.
void note_text(Machine& m, Instant now, Connection& c, const Packet& packet,
               std::uint32_t payload_size, const Receiver::Taken& taken);
// recover.cc: an acknowledgment where nothing is repaired, probed or doubted.
void recover_plain(Machine& m, Instant now, Connection& c, const Delivery& delivery,
                   std::uint32_t flight);

}  // namespace lanyard::tcp
