// SPDX-License-Identifier: Apache-2.0
// What to do about an ARP message (RFC 826, RFC 5227), and the messages of ours. Deciding is pure;
// internet/ performs it on the neighbour table.
#pragma once

#include <cstdint>
#include <optional>

#include "core/drop.hh"
#include "core/packet.hh"
#include "wire/address.hh"
#include "wire/arp.hh"

namespace lanyard::link {

struct ArpDecision {
  // What the message teaches about its sender.
  enum class Lesson : std::uint8_t {
    nothing,
    overheard,   // update the entry if there is one
    spoken_to,   // it asked for us: make or update an entry
    advertised,  // it answered us
  };
  DropReason reason = DropReason::none;  // the whole message is ignored
  Lesson lesson = Lesson::nothing;
  bool answers = false;      // a reply is due
  bool is_conflict = false;  // somebody else uses, or probes for, an address of ours
};

// Facts about the receiving interface that the decision needs.
struct ArpSituation {
  MacAddress own_mac;
  bool sender_is_ours = false;  // its protocol address is assigned to this interface
  bool target_is_ours = false;
  bool target_is_tentative = false;  // we are probing for it ourselves
  bool sender_is_tentative = false;
};

[[nodiscard]] ArpDecision decide(const arp::View& message, const ArpSituation& situation);

// Whole Ethernet frames. A probe (RFC 5227 2.1.1) is a request whose sender is 0.0.0.0; an
// announcement one whose sender and target are alike.
[[nodiscard]] Packet arp_request(const MacAddress& own_mac, const IpAddress& sender,
                                 const IpAddress& target, const std::optional<MacAddress>& to);
// RFC 826: the pairs swapped, to the asker alone; a link-local sender answers everybody (RFC 3927
// 2.5).
[[nodiscard]] Packet arp_reply(const MacAddress& own_mac, const arp::Message& request);

}  // namespace lanyard::link
