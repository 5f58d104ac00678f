// SPDX-License-Identifier: Apache-2.0
#include "lab/drill/flow.hh"

#include <algorithm>

#include "wire/tcp.hh"

namespace lanyard::lab::drill {

namespace {

constexpr std::uint16_t window_unsaid = 65'535;
constexpr std::uint32_t timestamps_size = 12;

bool has(std::uint8_t flags, tcp::Flags wanted) {
  return (flags & wanted.bits) == wanted.bits;
}

std::uint8_t ecn_bits(PacketPrefix::Ecn ecn) {
  switch (ecn) {
    case PacketPrefix::Ecn::ect1:
      return 1;
    case PacketPrefix::Ecn::ect0:
    case PacketPrefix::Ecn::ect01:
      return 2;
    case PacketPrefix::Ecn::ce:
      return 3;
    case PacketPrefix::Ecn::unsaid:
    case PacketPrefix::Ecn::none:
      return 0;
  }
  return 0;
}

std::uint8_t flags_on_wire(const PacketEvent& said) {
  std::uint8_t flags = said.flags;
  if (said.ace) {  // three bits: AE, CWR, ECE
    flags = static_cast<std::uint8_t>(flags | ((*said.ace & 1) << 6) | ((*said.ace & 2) << 6));
  }
  return flags;
}

}  // namespace

void Flow::on_sent(const Seen& packet) {
  if (packet.kind != PacketEvent::Kind::tcp) {
    last_sent_ = packet;
    return;
  }
  if (has(packet.flags, tcp::flags::syn)) {
    live_isn_ = packet.sequence;
    for (const TcpOption& option : packet.options) {
      if (option.kind == TcpOption::Kind::mss) own_mss_ = option.value;
    }
  }
  if (has(packet.flags, tcp::flags::rst)) is_dead_ = true;
  last_sent_ = packet;
}

Seen Flow::in_script(const Seen& packet) const {
  Seen seen = packet;
  if (seen.kind != PacketEvent::Kind::tcp) return seen;
  const std::uint32_t remote_base = remote_base_.value_or(0);
  seen.sequence = to_script(packet.sequence);
  const bool is_syn = has(packet.flags, tcp::flags::syn);
  if (has(packet.flags, tcp::flags::ack) && !is_syn) seen.acknowledgment -= remote_base;
  for (TcpOption& option : seen.options) {
    for (auto& [left, right] : option.blocks) {
      left -= remote_base;
      right -= remote_base;
    }
    if (option.kind != TcpOption::Kind::timestamps || !first_timestamp_) continue;
    option.value = option.value - first_timestamp_->second + first_timestamp_->first;
  }
  return seen;
}

void Flow::learn_remote_base(const PacketEvent& said, const Seen& packet) {
  const bool is_about_data =
      has(packet.flags, tcp::flags::ack) && !has(packet.flags, tcp::flags::syn);
  if (remote_base_ || !remote_isn_ || !said.ack || !is_about_data) return;
  const bool is_relative = *said.ack == packet.acknowledgment - *remote_isn_;
  remote_base_ = is_relative ? *remote_isn_ : 0;
}

std::uint32_t Flow::echo_on_wire(std::uint32_t echo) const {
  const auto known = timestamps_.find(echo);
  if (known != timestamps_.end()) return known->second;
  return first_timestamp_ && echo != 0 ? echo - first_timestamp_->first + first_timestamp_->second
                                       : echo;
}

Seen Flow::on_wire(const PacketEvent& said) {
  Seen seen;
  seen.is_inbound = true;
  seen.kind = said.kind;
  seen.source = remote_;
  seen.destination = local_;
  seen.ttl = said.prefix.ttl.value_or(255);
  seen.traffic_class =
      static_cast<std::uint8_t>(said.prefix.tos.value_or(0) | ecn_bits(said.prefix.ecn));
  seen.flags = flags_on_wire(said);
  seen.has_accurate_ecn = said.has_accurate_ecn || (said.ace.value_or(0) & 4) != 0;
  const bool is_syn = has(seen.flags, tcp::flags::syn);
  // Nothing acknowledged yet: a number that lies close behind the SYN's is one of the wire.
  constexpr std::uint32_t close = 1 << 20;
  if (!is_syn && said.ack && *said.ack - script_isn_ >= close) script_isn_ = 0;
  if (!is_syn && !remote_base_ && remote_isn_) {
    remote_base_ = said.range.begin - *remote_isn_ < close ? 0 : *remote_isn_;
  }
  seen.sequence = said.range.begin + (is_syn ? 0 : remote_base_.value_or(0));
  if (has(seen.flags, tcp::flags::ack)) seen.acknowledgment = to_wire(said.ack.value_or(0));
  seen.window = said.window.value_or(window_unsaid);
  seen.urgent = said.urgent.value_or(0);
  seen.bytes = said.range.bytes;
  seen.options = said.options;
  for (TcpOption& option : seen.options) {
    if (option.kind == TcpOption::Kind::timestamps) option.echo = echo_on_wire(option.echo);
    if (option.kind == TcpOption::Kind::mss) peer_mss_ = option.value;
    for (auto& [left, right] : option.blocks) {
      left = to_wire(left);
      right = to_wire(right);
    }
    const auto cookie = cookies_.find(option.bytes);
    if (cookie != cookies_.end()) option.bytes = cookie->second;
  }
  if (is_syn) {
    if (remote_isn_ != seen.sequence) remote_base_.reset();
    remote_isn_ = seen.sequence;
    has_timestamps_ = std::any_of(
        said.options.begin(), said.options.end(),
        [](const TcpOption& option) { return option.kind == TcpOption::Kind::timestamps; });
  } else if (has(seen.flags, tcp::flags::ack)) {
    is_handshake_done_ = true;
  }
  if (has(seen.flags, tcp::flags::rst)) is_dead_ = true;
  return seen;
}

Seen Flow::quoted_on_wire(const PacketEvent& said) const {
  Seen quoted = last_sent_.value_or(Seen{});
  quoted.source = local_;
  quoted.destination = remote_;
  if (quoted.ttl == 0) quoted.ttl = 64;
  if (said.quotes_udp) quoted.kind = PacketEvent::Kind::udp;
  if (!said.quoted) return quoted;
  if (!said.quotes_udp) quoted.sequence = to_wire(said.quoted->begin);
  quoted.bytes = said.quoted->bytes;
  return quoted;
}

bool Flow::takes_syn(std::uint32_t sequence) const {
  if (is_dead_) return false;
  if (is_active_ || !remote_isn_) return true;
  // The handshake is over and the same SYN comes again: another client, as scripts have it. Any
  // other number is a SYN out of place.
  return !is_handshake_done_ || sequence != *remote_isn_;
}

bool Flow::may_be_part(const PacketEvent& said, const Seen& packet, const Strict& strict) const {
  if (strict.segments || said.kind != PacketEvent::Kind::tcp || packet.kind != said.kind) {
    return false;
  }
  const std::uint32_t mss = std::min(peer_mss_, own_mss_) - (has_timestamps_ ? timestamps_size : 0);
  const bool is_retransmission = static_cast<std::int32_t>(packet.sequence - highest_) < 0;
  return packet.bytes > 0 && packet.bytes < said.range.bytes &&
         packet.sequence == said.range.begin && (said.range.bytes > mss || is_retransmission);
}

void Flow::learn(const PacketEvent& said, const Seen& packet) {
  if (has(packet.flags, tcp::flags::syn) && live_isn_) {
    script_isn_ = said.range.begin;
    highest_ = said.range.begin;
    is_isn_named_ = true;
  }
  const std::uint32_t end = said.range.begin + packet.bytes;
  if (static_cast<std::int32_t>(end - highest_) > 0) highest_ = end;
}

}  // namespace lanyard::lab::drill
