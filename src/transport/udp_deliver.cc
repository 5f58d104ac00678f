// SPDX-License-Identifier: Apache-2.0
// UDP from below: a datagram finds its sockets, an ICMP error the socket it is about.
#include <algorithm>
#include <array>

#include "transport/udp_parts.hh"
#include "wire/udp.hh"

namespace lanyard::udp {

namespace {

bool takes_family(const Socket& socket, const IpAddress& address) {
  if (socket.family == Family::ipv4) return address.is_v4();
  return address.is_v6() || !socket.bound.v6_only;
}

Slice payload_of(const Packet& packet, std::size_t bytes) {
  if (bytes == 0) return {};
  // One slice is shared; a small one is copied, so that it does not hold a large block.
  constexpr std::size_t small_bytes_max = 256;
  const bool is_small = bytes <= small_bytes_max;
  if (header_size + bytes <= packet.front().size() &&
      (!is_small || packet.front_bytes_kept() <= small_bytes_max))
    return packet.front_slice(header_size, bytes);
  std::vector<Slice> slices;
  packet.slices_of(header_size, bytes, slices);
  if (slices.size() == 1 && !is_small) return slices.front();
  std::vector<std::uint8_t> linear(bytes);
  packet.copy_to(header_size, linear);
  return Slice::copy_of(linear);
}

}  // namespace

int match(const Socket& socket, const Arrival& arrival) {
  if (!takes_family(socket, arrival.destination.address)) return -1;
  int score = socket.family == arrival.destination.address.family() ? 1 : 0;
  if (!socket.bound.local.address.is_unspecified()) {
    if (socket.bound.local.address != arrival.destination.address) return -1;
    score += 2;
  }
  if (socket.bound.interface != 0) {
    if (arrival.interface != 0 && socket.bound.interface != arrival.interface) return -1;
    score += 2;
  }
  if (socket.remote) {
    if (socket.remote->address != arrival.source.address ||
        socket.remote->port != arrival.source.port)
      return -1;
    score += 4;
  }
  return score;
}

Socket* Udp::Parts::balance(const std::vector<Socket*>& equals, const Arrival& arrival) const {
  std::array<std::uint8_t, 36> flow;
  std::copy_n(arrival.source.address.bytes().begin(), 16, flow.begin());
  std::copy_n(arrival.destination.address.bytes().begin(), 16, flow.begin() + 16);
  store16(flow.data() + 32, arrival.source.port);
  store16(flow.data() + 34, arrival.destination.port);
  return equals[siphash(balance_key, flow) % equals.size()];
}

Socket* Udp::Parts::find(const Arrival& arrival) {
  if (latest.socket == nullptr || latest.arrival != arrival) latest = {arrival, find_anew(arrival)};
  return latest.socket;
}

Socket* Udp::Parts::find_anew(const Arrival& arrival) const {
  const auto bucket = by_port.find(arrival.destination.port);
  if (bucket == by_port.end()) return nullptr;
  int best = -1;
  Socket* found = nullptr;
  std::size_t equals = 0;
  for (Socket* const socket : bucket->second) {
    const int score = match(*socket, arrival);
    if (score < 0 || score < best) continue;
    equals = score == best ? equals + 1 : 1;
    best = score;
    found = socket;
  }
  if (equals < 2 || !found->bound.reuse_port) return found;
  std::vector<Socket*> group;
  for (Socket* const socket : bucket->second)
    if (match(*socket, arrival) == best && socket->bound.reuse_port) group.push_back(socket);
  return balance(group, arrival);
}

DropReason Udp::Parts::queue(Socket& socket, const Arrival& arrival,
                             const internet::Datagram& datagram, std::size_t bytes) {
  const std::size_t cost = bytes + queued_cost_bytes;
  const bool is_full = socket.queue_cost + cost > socket.options.receive_buffer_bytes;
  if (is_full && !socket.queue.empty()) return DropReason::receive_buffer_full;
  socket.queue.push_back({.payload = payload_of(datagram.packet, bytes),
                          .facts = {.remote = arrival.source,
                                    .destination = arrival.destination.address,
                                    .interface = datagram.interface,
                                    .hop_limit = datagram.hop_limit,
                                    .traffic_class = datagram.traffic_class}});
  socket.queue_cost += cost;
  changed(socket);
  return DropReason::none;
}

DropReason Udp::on_datagram(Instant, const internet::Datagram& datagram) {
  // [RFC768-a], BI-42: what lies beyond the length is not ours.
  const auto view = View::parse(datagram.packet.front(), datagram.packet.size());
  if (!view) return view.error();
  // [RFC1122-4.1.3.6-a]: nobody can be a group or a broadcast address.
  const bool is_plain = datagram.is_plain;
  if (!is_plain && (datagram.source.is_multicast() || parts_->paths.is_broadcast(datagram.source)))
    return DropReason::martian_source;
  if (!has_good_checksum(*view, datagram.source, datagram.destination, datagram.packet))
    return DropReason::bad_udp_checksum;
  Arrival arrival{.source = {datagram.source, view->source_port(), 0},
                  .destination = {datagram.destination, view->destination_port(), 0},
                  .interface = datagram.interface};
  if (datagram.source.is_v6() && datagram.source.is_link_local())
    arrival.source.interface = datagram.interface;
  const std::size_t bytes = view->payload_size();
  const bool is_for_many =
      !is_plain && (datagram.was_link_broadcast || datagram.destination.is_multicast() ||
                    parts_->paths.is_broadcast(datagram.destination));
  if (!is_for_many) {
    Socket* const socket = parts_->find(arrival);
    return socket == nullptr ? DropReason::no_socket
                             : parts_->queue(*socket, arrival, datagram, bytes);
  }
  const auto bucket = parts_->by_port.find(arrival.destination.port);
  if (bucket == parts_->by_port.end()) return DropReason::no_socket;
  DropReason result = DropReason::no_socket;
  for (Socket* const socket : bucket->second) {
    if (match(*socket, arrival) < 0) continue;
    const DropReason one = parts_->queue(*socket, arrival, datagram, bytes);
    if (result != DropReason::none) result = one;
  }
  return result;
}

// [RFC1122-4.1.3.3-a]: every error reaches the program: as the pending error of a connected socket
// (hard ones, as Linux does) and on the error queue of whoever asked for it.
void Udp::on_icmp_error(Instant now, const internet::IcmpError& error) {
  if (error.quoted.size() < header_size) return;
  const Endpoint ours{error.source, load16(error.quoted.data()), 0};
  const Endpoint theirs{error.destination, load16(error.quoted.data() + 2), 0};
  Socket* const socket = parts_->find({.source = theirs, .destination = ours, .interface = 0});
  if (socket == nullptr) return;
  const internet::IcmpErrorMeaning meaning = internet::meaning_of(error.kind);
  if (socket->options.receives_errors) {
    socket->errors.add(now, error, theirs, error.quoted.subspan(header_size));
  } else if (!socket->remote || !meaning.is_hard) {
    return;
  }
  if (error.kind == internet::IcmpError::Kind::packet_too_big && !socket->options.dont_fragment)
    return;
  socket->error = meaning.error;
  parts_->changed(*socket);
}

}  // namespace lanyard::udp
