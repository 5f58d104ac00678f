// SPDX-License-Identifier: Apache-2.0
// Whether the contiguous front of a packet holds its headers, so that they can be read in place.
#pragma once

#include "core/bytes.hh"
#include "core/packet.hh"

namespace lanyard {

// The packet begins with its IP header, and that and the TCP or UDP header behind it lie in its
// front: so it is with every packet of ours. False: they do not, or are of another kind.
[[nodiscard]] bool holds_headers(Bytes front);

// Makes a packet that begins at `network` with its IP header contiguous as far as headers go.
void gather_headers(Packet& packet, std::size_t network);
// The same; most packets are contiguous.
inline void make_headers_contiguous(Packet& packet, std::size_t network = 0) {
  if (!packet.slices().empty()) gather_headers(packet, network);
}

}  // namespace lanyard
