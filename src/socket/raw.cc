// SPDX-License-Identifier: Apache-2.0
// Raw sockets (raw(7)) and ICMP echo sockets (the "ping sockets" of icmp(7): SOCK_DGRAM with
// protocol ICMP, whose identifier stands for a port and whose checksum and identifier the stack
// fills in).
#include <algorithm>

#include "core/checksum.hh"
#include "socket/table.hh"
#include "wire/ipv4.hh"
#include "wire/ipv6.hh"
#include "wire/pseudo.hh"

namespace lanyard::socket {

namespace {

constexpr std::size_t echo_header_bytes = 8;
constexpr std::size_t headroom = 128;
constexpr int protocol_raw = 255;  // raw(7): implies IP_HDRINCL

std::uint8_t echo_request_type(Family family) {
  return family == Family::ipv4 ? 8 : 128;
}

// What the IP header is to say: as the call's facts want it, else as the socket does.
internet::Datagram header_facts(const Entry& entry, const Raw& raw, const DatagramFacts& facts) {
  const udp::Options& options = raw.options;
  const bool is_named = !facts.peer.address.is_unspecified();
  const Endpoint& peer = is_named ? facts.peer : *raw.peer;
  internet::Datagram datagram;
  datagram.destination = peer.address;
  datagram.source = facts.local.is_unspecified() ? raw.local : facts.local;
  datagram.protocol = raw.protocol;
  datagram.interface = facts.interface != 0 ? facts.interface : peer.interface;
  if (datagram.interface == 0) datagram.interface = entry.common.interface;
  if (datagram.interface == 0 && datagram.destination.is_multicast())
    datagram.interface = options.multicast_interface;
  options.describe(datagram, facts.hop_limit, facts.traffic_class);
  return datagram;
}

// Registers with the stack once, at bind or at the first send.
Result<void> register_echo(Sockets::Table& table, const Entry& entry, Raw& raw,
                           std::uint16_t identifier) {
  if (raw.is_registered) return {};
  const auto given = table.stack.add_echo(entry.family, identifier, raw);
  if (!given) return unexpected(given.error());
  raw.identifier = *given;
  raw.is_registered = true;
  return {};
}

// What an echo socket may send: an echo request; its identifier becomes the socket's own.
Result<void> fill_echo(const Entry& entry, const Raw& raw, MutableBytes message) {
  if (message.size() < echo_header_bytes || message[0] != echo_request_type(entry.family) ||
      message[1] != 0) {
    return unexpected(Errno::invalid);
  }
  store16(&message[4], raw.identifier);
  store16(&message[2], 0);
  if (entry.family == Family::ipv4) store16(&message[2], checksum(message));
  return {};
}

PseudoHeader pseudo_of(const Raw& raw, const internet::Datagram& datagram) {
  return {datagram.source, datagram.destination, static_cast<std::uint8_t>(raw.protocol)};
}

bool has_whole_header(Bytes packet) {
  if (packet.size() < ipv4::header_size_min || packet[0] >> 4 != 4) return false;
  const std::size_t size = std::size_t{4} * (packet[0] & 0x0fU);
  return size >= ipv4::header_size_min && size <= packet.size();
}

// Writes what the program leaves to the socket, and hands the datagram to the stack.
Result<void> send_packet(Sockets::Table& table, Instant now, const Entry& entry, Raw& raw,
                         internet::Datagram datagram) {
  if (raw.includes_header) return table.stack.send_with_header(now, std::move(datagram));
  if (raw.checksum_offset) {
    // RFC 3542 3.1.
    if (*raw.checksum_offset + 2 > datagram.packet.size()) return unexpected(Errno::invalid);
    put_checksum(pseudo_of(raw, datagram), datagram.packet, *raw.checksum_offset, ChecksumBy::us);
  }
  if (raw.is_echo) {
    if (const auto registered = register_echo(table, entry, raw, 0); !registered) return registered;
    if (const auto filled = fill_echo(entry, raw, datagram.packet.mutable_front()); !filled)
      return filled;
  }
  return table.stack.send(now, std::move(datagram));
}

}  // namespace

void open_raw(Sockets::Table& table, Entry& entry, Raw& raw) {
  raw.local = IpAddress::any(entry.family);
  raw.includes_header = entry.protocol == protocol_raw && entry.family == Family::ipv4;
  raw.options.receive_buffer_bytes =
      static_cast<std::uint32_t>(table.stack.config().transport.udp_receive_buffer_bytes);
  if (raw.is_echo) return;
  table.stack.add_raw(entry.family, raw.protocol, raw);
  raw.is_registered = true;
}

Result<void> bind(Sockets::Table& table, Entry& entry, Raw& raw, const Endpoint& local) {
  const bool is_ours = local.address.is_unspecified() || local.address.is_multicast() ||
                       table.stack.network().is_own_address(local.address, 0);
  if (!is_ours && !entry.common.free_bind) return unexpected(Errno::address_not_available);
  if (raw.is_echo) {
    if (raw.is_registered) return unexpected(Errno::invalid);
    if (const auto registered = register_echo(table, entry, raw, local.port); !registered)
      return registered;
  }
  raw.local = local.address;
  return {};
}

// As a UDP socket's: the source is chosen now, unless one was bound, and is the socket's from now
// on.
Result<void> connect(Sockets::Table& table, const Entry& entry, Raw& raw, const Endpoint& peer) {
  const std::uint32_t through = peer.interface != 0 ? peer.interface : entry.common.interface;
  const IpAddress bound = raw.chose_local ? IpAddress::any(entry.family) : raw.local;
  const auto path = table.stack.network().find(peer.address, bound, through);
  if (!path) return unexpected(path.error());
  if (path->is_broadcast && !raw.options.broadcast) return unexpected(Errno::access_denied);
  raw.chose_local = bound.is_unspecified();
  raw.local = path->source;
  raw.peer = peer;
  return {};
}

void disconnect(Raw& raw) {
  raw.peer.reset();
  if (std::exchange(raw.chose_local, false)) raw.local = IpAddress::any(raw.local.family());
}

Result<std::size_t> send(Sockets::Table& table, Instant now, Entry& entry, Raw& raw, Bytes bytes,
                         const DatagramFacts& facts) {
  // As on Linux: what a raw socket sends does not wait for its errors to be read.
  if (raw.is_echo && raw.pending_error)
    return unexpected(*std::exchange(raw.pending_error, std::nullopt));
  const bool has_destination = !facts.peer.address.is_unspecified();
  if (!has_destination && !raw.peer) return unexpected(Errno::destination_required);
  if (raw.includes_header && !has_whole_header(bytes)) return unexpected(Errno::invalid);
  internet::Datagram datagram = header_facts(entry, raw, facts);
  const auto path =
      table.stack.network().find(datagram.destination, datagram.source, datagram.interface);
  if (!path) return unexpected(path.error());
  if (path->is_broadcast && !raw.options.broadcast) return unexpected(Errno::access_denied);
  const std::size_t ip_header =
      entry.family == Family::ipv4 ? ipv4::header_size_min : ipv6::header_size;
  const std::size_t header = raw.includes_header ? 0 : ip_header;
  if ((raw.options.dont_fragment || raw.includes_header) && header + bytes.size() > path->mtu) {
    if (raw.options.receives_errors)
      raw.errors.add_too_long(now, path->mtu, {datagram.destination, 0});
    return unexpected(Errno::message_too_long);
  }
  if (raw.checksum_offset) datagram.source = path->source;
  datagram.packet = Packet::copy_of(bytes, headroom);
  const auto sent = send_packet(table, now, entry, raw, std::move(datagram));
  if (!sent) return unexpected(sent.error());
  return bytes.size();
}

Result<Received> receive(Raw& raw, MutableBytes buffer, ReceiveFlags flags) {
  if (raw.pending_error) return unexpected(*std::exchange(raw.pending_error, std::nullopt));
  if (raw.queue.empty()) return unexpected(Errno::try_again);
  const Raw::Message& message = raw.queue.front();
  const std::size_t size = std::min(buffer.size(), message.bytes.size());
  std::copy_n(message.bytes.begin(), size, buffer.begin());
  Received received{size, message.bytes.size(), message.facts};
  if (!flags.peek) {
    raw.queue_bytes -= message.bytes.size();
    raw.queue.pop_front();
  }
  return received;
}

void close(Sockets::Table& table, const Entry& entry, Raw& raw) {
  if (!raw.is_registered) return;
  if (raw.is_echo) {
    table.stack.remove_echo(entry.family, raw.identifier);
  } else {
    table.stack.remove_raw(raw);
  }
}

namespace {

// This family's raw sockets only; null: it is another.
Raw* raw_of(Entry& entry, Family family) {
  auto* raw = std::get_if<std::unique_ptr<Raw>>(&entry.shape);
  const bool is_it = raw != nullptr && !(*raw)->is_echo && entry.family == family;
  return is_it ? raw->get() : nullptr;
}

constexpr std::int64_t icmp_checksum_offset = 2;

// RFC 3542 3.1: of ICMPv6 the checksum is computed in any case, and where it is cannot be changed.
Result<void> set_checksum_offset(Raw& raw, std::int64_t offset) {
  const bool is_odd = offset > 0 && offset % 2 != 0;
  const bool is_icmp = raw.protocol == internet::Protocol::icmpv6;
  if (is_odd || (is_icmp && offset != icmp_checksum_offset)) return unexpected(Errno::invalid);
  raw.checksum_offset.reset();
  if (!is_icmp && offset >= 0) raw.checksum_offset = static_cast<std::size_t>(offset);
  return {};
}

// Of ICMP's raw sockets only; null: it is another.
Raw* filtered(Entry& entry) {
  auto* raw = std::get_if<std::unique_ptr<Raw>>(&entry.shape);
  return raw == nullptr || (*raw)->is_echo || !(*raw)->is_icmp() ? nullptr : raw->get();
}

std::size_t filter_bytes(Family family) {
  return family == Family::ipv4 ? 4 : 32;
}

// A word of 32 bits for IPv4, eight for IPv6 (RFC 3542 3.2); missing ones stay as they were.
Result<void> set_icmp_filter(Entry& entry, std::string_view bits) {
  Raw* const raw = filtered(entry);
  if (raw == nullptr) return unexpected(Errno::no_such_option);
  for (std::size_t at = 0; at < std::min(filter_bytes(entry.family), bits.size()) * 8; ++at)
    raw->blocked_types[at] = (static_cast<std::uint8_t>(bits[at / 8]) >> (at % 8) & 1) != 0;
  return {};
}

Result<OptionValue> icmp_filter_of(Entry& entry) {
  const Raw* const raw = filtered(entry);
  if (raw == nullptr) return unexpected(Errno::no_such_option);
  std::string bits(filter_bytes(entry.family), '\0');
  for (std::size_t at = 0; at < bits.size() * 8; ++at) {
    if (raw->blocked_types[at])
      bits[at / 8] = static_cast<char>(static_cast<std::uint8_t>(bits[at / 8]) | 1 << at % 8);
  }
  return OptionValue(bits);
}

}  // namespace

std::optional<Result<void>> set_raw_option(Entry& entry, Option option, const OptionValue& value) {
  if (option == Option::icmp_filter) {
    const auto* bits = std::get_if<std::string>(&value);
    return bits == nullptr ? unexpected(Errno::invalid) : set_icmp_filter(entry, *bits);
  }
  if (option != Option::header_included && option != Option::checksum_offset) return std::nullopt;
  const bool is_header = option == Option::header_included;
  Raw* const raw = raw_of(entry, is_header ? Family::ipv4 : Family::ipv6);
  const auto* number = std::get_if<std::int64_t>(&value);
  if (raw == nullptr) return unexpected(Errno::no_such_option);
  if (number == nullptr) return unexpected(Errno::invalid);
  if (!is_header) return set_checksum_offset(*raw, *number);
  raw->includes_header = *number != 0;
  return Result<void>{};
}

std::optional<Result<OptionValue>> get_raw_option(Entry& entry, Option option) {
  if (option == Option::icmp_filter) return icmp_filter_of(entry);
  if (option != Option::header_included && option != Option::checksum_offset) return std::nullopt;
  const bool is_header = option == Option::header_included;
  const Raw* const raw = raw_of(entry, is_header ? Family::ipv4 : Family::ipv6);
  if (raw == nullptr) return unexpected(Errno::no_such_option);
  if (is_header) return OptionValue(std::int64_t{raw->includes_header});
  if (raw->protocol == internet::Protocol::icmpv6) return OptionValue(icmp_checksum_offset);
  return OptionValue(raw->checksum_offset ? static_cast<std::int64_t>(*raw->checksum_offset) : -1);
}

Readiness readiness(const Raw& raw) {
  return {.readable = !raw.queue.empty(),
          .writable = true,
          .failed = raw.pending_error.has_value() || !raw.errors.is_empty(),
          .has_error = raw.pending_error.has_value()};
}

void Raw::on_datagram(Instant, const internet::Datagram& datagram, Bytes ip_header) {
  if (peer && peer->address != datagram.source) return;
  if (!local.is_unspecified() && local != datagram.destination) return;
  if (checksum_offset) {
    if (transport_checksum(pseudo_of(*this, datagram), datagram.packet, datagram.packet.size()) !=
        0)
      return;
  }
  if (is_icmp() && blocked_types.any()) {
    const Bytes front = datagram.packet.front();
    if (!front.empty() && blocked_types[front[0]]) return;
  }
  // raw(7): an IPv4 raw socket sees the IP header; IPv6 ones (RFC 3542 3) and echo sockets do not.
  const bool with_header = !is_echo && datagram.destination.is_v4();
  const std::size_t header = with_header ? ip_header.size() : 0;
  Message message;
  message.bytes.resize(header + datagram.packet.size());
  if (queue_bytes + message.bytes.size() > options.receive_buffer_bytes) return;
  std::copy_n(ip_header.begin(), header, message.bytes.begin());
  datagram.packet.copy_to(0, MutableBytes(message.bytes).subspan(header));
  message.facts = {
      .peer = {datagram.source, 0, datagram.source.is_link_local() ? datagram.interface : 0},
      .local = datagram.destination,
      .interface = datagram.interface,
      .hop_limit = datagram.hop_limit,
      .traffic_class = datagram.traffic_class};
  queue_bytes += message.bytes.size();
  queue.push_back(std::move(message));
  table.wake(handle);
}

void Raw::on_icmp_error(Instant now, const internet::IcmpError& error) {
  const auto meaning = internet::meaning_of(error.kind);
  // icmp(7), raw(7): errors reach a connected socket, and others only with IP_RECVERR.
  if (options.receives_errors) {
    errors.add(now, error, {error.destination, 0}, error.quoted);
  } else if (!peer || !meaning.is_hard) {
    return;
  }
  if (options.receives_errors || peer) pending_error = meaning.error;
  table.wake(handle);
}

}  // namespace lanyard::socket
