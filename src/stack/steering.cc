// SPDX-License-Identifier: Apache-2.0
#include "stack/steering.hh"

#include <algorithm>
#include <array>

#include "core/check.hh"
#include "wire/arp.hh"
#include "wire/ethernet.hh"
#include "wire/icmp.hh"
#include "wire/ipv4.hh"
#include "wire/ipv4_plain.hh"
#include "wire/ipv6.hh"
#include "wire/ipv6_extensions.hh"
#include "wire/ndp.hh"

namespace lanyard::stack {
namespace {

using internet::Protocol;

constexpr std::size_t ports_size = 4;  // source and destination port begin a TCP and a UDP header

bool has_ports(std::uint8_t protocol) {
  return protocol == static_cast<std::uint8_t>(Protocol::tcp) ||
         protocol == static_cast<std::uint8_t>(Protocol::udp);
}

bool is_icmp(std::uint8_t protocol, Family family) {
  return protocol ==
         static_cast<std::uint8_t>(family == Family::ipv4 ? Protocol::icmp : Protocol::icmpv6);
}

// `front` is an Ethernet header at least.
bool is_v4(Bytes front) {
  return load16(front.data() + ethernet::type_offset) ==
         static_cast<std::uint16_t>(ethernet::Type::ipv4);
}

// Multicast listener discovery and neighbour discovery: about the machine, not a conversation.
bool is_about_machine(std::uint8_t icmpv6_type) {
  constexpr std::uint8_t mld_first = 130, mld_last = 132, mldv2_report = 143;
  return (icmpv6_type >= mld_first && icmpv6_type <= mld_last) || icmpv6_type == mldv2_report ||
         ndp::is_ndp(icmpv6_type);
}

bool arp_speaks(Bytes payload) {
  const auto message = arp::View::parse(payload);
  if (!message) return false;
  return message->operation() == arp::Operation::reply || message->sender_ip().is_unspecified() ||
         message->sender_ip() == message->target_ip();
}

bool ndp_speaks(Bytes payload, std::size_t size) {
  const auto view = ipv6::View::parse(payload, size);
  if (!view) return false;
  const ipv6::Walk walk = ipv6::walk(*view);
  if (walk.outcome != ipv6::Walk::Outcome::upper_layer) return false;
  if (!is_icmp(walk.protocol, Family::ipv6) || walk.offset >= payload.size()) return false;
  switch (static_cast<ndp::Type>(payload[walk.offset])) {
    case ndp::Type::router_solicitation:
    case ndp::Type::router_advertisement:
    case ndp::Type::neighbour_advertisement:
      return true;
    case ndp::Type::neighbour_solicitation:
      return view->source().is_unspecified();
    case ndp::Type::redirect:
    default:
      return false;
  }
}

}  // namespace

Steering::Steering(const Seed& seed, unsigned shards, const transport::Config& machine)
    : key_(seed.branch("steering").stream().key()),
      shards_(shards),
      first_port_(machine.ephemeral_first),
      end_port_(std::uint32_t{machine.ephemeral_last} + 1),
      width_((end_port_ - first_port_) / shards),
      part_of_port_((std::uint64_t{1} << 32) / std::max(width_, 1U) + 1) {
  CHECK(shards >= 1 && shards <= 256 && width_ >= 1);
}

transport::Config Steering::config_of(unsigned shard, transport::Config machine) const {
  machine.ephemeral_first = static_cast<std::uint16_t>(first_port_ + shard * width_);
  if (shard + 1 < shards_)
    machine.ephemeral_last = static_cast<std::uint16_t>(machine.ephemeral_first + width_ - 1);
  return machine;
}

unsigned Steering::shard_of_echo(std::uint16_t identifier) const {
  return identifier * shards_ >> 16;
}

unsigned Steering::shard_of(Protocol protocol, const Endpoint& local,
                            const Endpoint& remote) const {
  if (shards_ == 1) return 0;
  if (is_chosen(local.port)) return shard_that_chose(local.port);
  const std::uint32_t ports = std::uint32_t{remote.port} << 16 | local.port;
  const std::uint64_t last = static_cast<std::uint64_t>(protocol) << 32 | ports;
  // As a header has them; the length tells the families apart.
  const std::uint8_t* const source = remote.address.wire_bytes().data();
  const std::uint8_t* const destination = local.address.wire_bytes().data();
  if (local.address.is_v4() && remote.address.is_v4()) {
    const std::uint64_t addresses = std::uint64_t{load32(source)} << 32 | load32(destination);
    return shard_of_tuple(std::array{addresses, last});
  }
  return shard_of_tuple(std::array{load64(source), load64(source + 8), load64(destination),
                                   load64(destination + 8), last});
}

unsigned Steering::shard_that_chose(Port port) const {
  return std::min(static_cast<unsigned>((port - first_port_) * part_of_port_ >> 32), shards_ - 1);
}

// Nobody outside is told which shard answers, so that the shorter SipHash does.
unsigned Steering::shard_of_tuple(std::span<const std::uint64_t> tuple) const {
  return static_cast<unsigned>((siphash_1_3(key_, tuple) >> 32) * shards_ >> 32);
}

// Nearly all that come: a whole packet to one machine without options, of TCP or UDP. `every`: it
// is none.
unsigned Steering::shard_of_plain(Bytes front, std::size_t frame_size) const {
  constexpr std::size_t ip_size = ipv4::header_size_min;
  constexpr std::uint8_t multicast = 0xe;  // RFC 1112 4
  if (front.size() < ethernet::header_size + ip_size + ports_size || front.size() > frame_size)
    return every;
  const std::uint8_t* const header = front.data() + ethernet::header_size;
  const std::uint8_t* const transport = header + ip_size;
  const std::size_t total = load16(header + ipv4::total_length_offset);
  const bool is_plain = is_v4(front) && (front[0] & 1) == 0 && header[0] == 0x45 &&
                        has_ports(header[ipv4::protocol_offset]) &&
                        (load16(header + ipv4::fragment_offset) & ipv4::fragment_bits) == 0 &&
                        header[ipv4::destination_offset] >> 4 != multicast &&
                        total >= ip_size + ports_size &&
                        total + ethernet::header_size <= frame_size;
  if (!is_plain) return every;
  const std::uint32_t ports = load32(transport);
  const auto local = static_cast<Port>(ports & 0xffff);
  if (is_chosen(local)) return shard_that_chose(local);
  const std::uint64_t protocol = header[ipv4::protocol_offset];
  return shard_of_tuple(std::array{load64(header + ipv4::source_offset), protocol << 32 | ports});
}

unsigned Steering::shard_of(Bytes front, std::size_t frame_size) const {
  if (shards_ == 1) return 0;
  if (const unsigned shard = shard_of_plain(front, frame_size); shard != every) return shard;
  const auto frame = ethernet::View::parse(front, frame_size);
  if (!frame) return 0;
  if (frame->destination().is_group()) return every;
  if (frame->type() == ethernet::Type::ipv4)
    return shard_of_v4(frame->payload(), frame->payload_size());
  if (frame->type() == ethernet::Type::ipv6)
    return shard_of_v6(frame->payload(), frame->payload_size());
  return every;
}

unsigned Steering::shard_of_v4(Bytes front, std::size_t size) const {
  const auto view = ipv4::View::parse(front, size);
  if (!view) return 0;
  if (view->is_fragment() || view->destination().is_multicast()) return every;
  if (view->protocol() == static_cast<std::uint8_t>(Protocol::igmp)) return every;
  return shard_of_transport(view->protocol(), view->destination(), view->source(), view->payload());
}

unsigned Steering::shard_of_v6(Bytes front, std::size_t size) const {
  const auto view = ipv6::View::parse(front, size);
  if (!view) return 0;
  if (view->destination().is_multicast()) return every;
  const ipv6::UpperLayer upper = ipv6::find_upper_layer(*view);
  if (!upper.is_found) return upper.is_later_fragment ? every : 0;
  // Of a fragmented one, the first fragment too.
  if (ipv6::walk(*view).outcome == ipv6::Walk::Outcome::fragment) return every;
  const Bytes transport = front.subspan(std::min(upper.offset, front.size()));
  if (is_icmp(upper.protocol, Family::ipv6) && !transport.empty() && is_about_machine(transport[0]))
    return every;
  return shard_of_transport(upper.protocol, view->destination(), view->source(), transport);
}

unsigned Steering::shard_of_transport(std::uint8_t protocol, const IpAddress& local,
                                      const IpAddress& remote, Bytes transport) const {
  const auto known = static_cast<Protocol>(protocol);
  if (has_ports(protocol) && transport.size() >= ports_size)
    return shard_of(known, {local, load16(transport.data() + 2)},
                    {remote, load16(transport.data())});
  if (is_icmp(protocol, local.family())) {
    const auto view = icmp::View::parse(transport, transport.size());
    if (!view) return 0;
    if (icmp::is_error(local.family(), view->type()))
      return shard_of_quoted(view->body(), local.family());
    const std::uint8_t reply = local.is_v4() ? icmp::v4::echo_reply : icmp::v6::echo_reply;
    if (view->type() == reply) return shard_of_echo(view->identifier());
  }
  return shard_of(known, {local, 0}, {remote, 0});
}

// The quoted packet was ours: its source is this machine.
unsigned Steering::shard_of_quoted(Bytes quoted, Family family) const {
  const auto quote = icmp::parse_quote(quoted, family);
  if (!quote) return 0;
  if (quote->is_later_fragment) return every;
  if (has_ports(quote->protocol))
    return shard_of(static_cast<Protocol>(quote->protocol),
                    {quote->source, load16(quote->transport.data())},
                    {quote->destination, load16(quote->transport.data() + 2)});
  if (!is_icmp(quote->protocol, family)) return every;
  const auto view = icmp::View::parse(quote->transport, quote->transport.size());
  return view ? shard_of_echo(view->identifier()) : 0;
}

unsigned Steering::shard_of(const internet::Datagram& datagram) const {
  if (shards_ == 1) return 0;
  if (datagram.was_link_broadcast || datagram.destination.is_multicast()) return every;
  const auto protocol = static_cast<std::uint8_t>(datagram.protocol);
  // As much as an ICMP error with its quote needs; in a reassembled packet it may lie apart.
  std::array<std::uint8_t, 128> copy;
  const std::size_t size = std::min(copy.size(), datagram.packet.size());
  Bytes transport = datagram.packet.front();
  if (transport.size() < size) {
    datagram.packet.copy_to(0, MutableBytes(copy).first(size));
    transport = Bytes(copy).first(size);
  }
  if (is_icmp(protocol, Family::ipv6) && !transport.empty() && is_about_machine(transport[0]))
    return every;
  if (datagram.protocol == Protocol::igmp) return every;
  return shard_of_transport(protocol, datagram.destination, datagram.source, transport);
}

bool Steering::speaks_for_machine(Bytes front, std::size_t frame_size) {
  if (front.size() >= ethernet::header_size && is_v4(front)) return false;
  const auto frame = ethernet::View::parse(front, frame_size);
  if (!frame) return false;
  if (frame->type() == ethernet::Type::arp) return arp_speaks(frame->payload());
  return frame->type() == ethernet::Type::ipv6 &&
         ndp_speaks(frame->payload(), frame->payload_size());
}

}  // namespace lanyard::stack
