// SPDX-License-Identifier: Apache-2.0
#include "link/arp.hh"

#include "wire/ethernet.hh"

namespace lanyard::link {

namespace {

constexpr std::size_t frame_headroom = 16;

// BI-05: nobody is reached at these, so nothing is learned from who claims them.
bool is_impossible_sender(const arp::View& message) {
  const IpAddress ip = message.sender_ip();
  const MacAddress mac = message.sender_mac();
  return ip.is_multicast() || ip.is_limited_broadcast() || ip.is_loopback() ||
         ip.is_reserved_v4() || mac.is_group() || mac.is_zero();
}

Packet framed(const arp::Message& message, const MacAddress& destination) {
  Packet frame(frame_headroom + arp::message_size, 0);
  message.push_onto(frame);
  ethernet::Header{destination, message.sender_mac, ethernet::Type::arp}.push_onto(frame);
  return frame;
}

}  // namespace

ArpDecision decide(const arp::View& message, const ArpSituation& situation) {
  ArpDecision decision;
  const bool is_request = message.operation() == arp::Operation::request;
  const bool is_reply = message.operation() == arp::Operation::reply;
  if ((!is_request && !is_reply) || is_impossible_sender(message)) {
    decision.reason = DropReason::bad_arp;
    return decision;
  }
  const bool is_from_us = message.sender_mac() == situation.own_mac;
  const bool is_probe = message.sender_ip().is_unspecified();
  // RFC 5227 2.1.1 [RFC5227-2.1.1-a], 2.4 [RFC5227-2.4-a], BI-05: our own address in another's
  // mouth is a conflict and never an entry.
  if (situation.sender_is_ours || situation.sender_is_tentative ||
      (situation.target_is_tentative && is_probe)) {
    decision.is_conflict = !is_from_us;
    return decision;
  }
  // RFC 826 [RFC826-b]: update who is known; only whoever speaks to us becomes known.
  decision.answers = is_request && situation.target_is_ours;
  if (is_probe) return decision;
  decision.lesson = ArpDecision::Lesson::overheard;
  if (situation.target_is_ours) {
    // BI-05: an unsolicited reply makes no entry: on_advertisement knows whom we asked.
    decision.lesson = is_request ? ArpDecision::Lesson::spoken_to : ArpDecision::Lesson::advertised;
  }
  return decision;
}

Packet arp_request(const MacAddress& own_mac, const IpAddress& sender, const IpAddress& target,
                   const std::optional<MacAddress>& to) {
  const arp::Message message{arp::Operation::request, own_mac, sender, {}, target};
  return framed(message, to.value_or(MacAddress::broadcast()));
}

Packet arp_reply(const MacAddress& own_mac, const arp::Message& request) {
  const arp::Message message{arp::Operation::reply, own_mac, request.target_ip, request.sender_mac,
                             request.sender_ip};
  // RFC 3927 2.5 [RFC3927-2.5-a]: so that a conflict of link-local addresses is heard by all.
  const bool to_all = request.target_ip.is_link_local();
  return framed(message, to_all ? MacAddress::broadcast() : request.sender_mac);
}

}  // namespace lanyard::link
