// SPDX-License-Identifier: Apache-2.0
// Cutting a super-segment (core/packet.hh, Offload::segment_bytes) into the frames a wire carries,
// as a device with TSO or USO does. Links that want MTU-sized frames and devices that cannot cut
// use it.
//
//   [Ethernet | VLAN | IP | TCP | payload ............................ ]   segment_bytes = s
//   [Ethernet | VLAN | IP | TCP | s bytes] [.. | s bytes] ... [.. | the rest]
#pragma once

#include <vector>

#include "core/packet.hh"
#include "wire/pseudo.hh"

namespace lanyard::link {

// The frames of one frame, in order. A super-segment of TCP or UDP over IPv4 or IPv6 is cut, its
// payload shared; each piece has its lengths, sequence number, flags, IPv4 identification and
// checksums (`by` device: the transport's is left wanted). Any other frame comes out alone, with
// its checksum finished unless left to the device. Empty if the headers are not such as its offload
// facts claim: the frame is to be dropped.
[[nodiscard]] std::vector<Packet> segment(Packet frame, ChecksumBy by = ChecksumBy::us);

// What of a super-segment a wire would carry: so many frames, each with a copy of the headers. Of
// any other frame: itself.
struct Pieces {
  std::size_t count = 1;
  std::size_t header_bytes = 0;  // of each
};
[[nodiscard]] Pieces pieces_of(const Packet& frame);

}  // namespace lanyard::link
