// SPDX-License-Identifier: Apache-2.0
// Explicit congestion notification (RFC 3168): a queue that would drop marks instead, where both
// ends of the conversation said that they understand.
#pragma once

#include "core/packet.hh"

namespace lanyard::lab {

// RFC 3168 5: true if the packet says ECT, or CE already; it says CE from now on.
bool mark_congestion(Packet& frame);
// The traffic class of an IP packet, DSCP and ECN; nothing of another frame.
[[nodiscard]] std::uint8_t traffic_class_of(const Packet& frame, bool& is_ip);

}  // namespace lanyard::lab
