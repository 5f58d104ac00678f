// SPDX-License-Identifier: Apache-2.0
#include "transport/udp.hh"

#include <algorithm>
#include <utility>

#include "transport/udp_parts.hh"
#include "wire/udp.hh"

namespace lanyard::udp {

namespace {

// Room for UDP, IPv6 with extension headers, VLAN and Ethernet in front.
constexpr std::size_t headroom_bytes = 128;

// The largest payload a length field (and IPv4's total length) can say.
std::size_t payload_max(Family family) {
  return family == Family::ipv4 ? 65535 - 20 - header_size : 65535 - header_size;
}

std::size_t ip_header_bytes(Family family) {
  return family == Family::ipv4 ? 20 : 40;
}

// Sending to the wildcard means this machine, as Linux has it.
Endpoint resolve(const Endpoint& remote) {
  Endpoint resolved = remote;
  if (remote.address.is_unspecified())
    resolved.address = IpAddress::loopback(remote.address.family());
  return resolved;
}

Result<void> check_family(const Socket& socket, const IpAddress& remote) {
  if (socket.family == Family::ipv4 && remote.is_v6())
    return unexpected(Errno::family_not_supported);
  if (socket.family == Family::ipv6 && remote.is_v4() && socket.bound.v6_only)
    return unexpected(Errno::network_unreachable);
  return {};
}

// Writes the packet of a datagram whose addresses are set.
void fill(internet::Datagram& datagram, const Header& ports, Bytes bytes, ChecksumBy by) {
  datagram.packet = Packet(headroom_bytes, bytes.size());
  datagram.packet.append(bytes);
  // [RFC1122-4.1.3.4-a] always computed; [RFC1122-4.1.3.4-b], [RFC8200-8.1-a] zero goes as FFFF.
  ports.push_onto(datagram.packet, datagram.source, datagram.destination, by);
}

}  // namespace

Udp::Udp(const transport::Config& config, const Seed& seed, internet::Paths& paths,
         internet::Outbox& out)
    : parts_(new Parts{.config = config,
                       .paths = paths,
                       .out = out,
                       .ports = transport::Ports(config, seed),
                       .balance_key = seed.branch("balance").stream().key(),
                       .sockets = {},
                       .by_port = {},
                       .latest = {}}) {}

Udp::~Udp() = default;

void Udp::set_observer(Observer* observer) {
  parts_->observer = observer;
}

SocketId Udp::open(Family family, Owner owner) {
  Socket& socket = parts_->sockets.add([](Socket& made, SocketId id) { made.id = id; });
  socket.family = family;
  socket.owner = owner;
  socket.options.receive_buffer_bytes = parts_->config.udp_receive_buffer_bytes;
  return socket.id;
}

void Udp::Parts::unbind(Socket& socket) {
  if (socket.binding == transport::BindingId::none) return;
  const auto bucket = by_port.find(socket.bound.local.port);
  std::erase(bucket->second, &socket);
  if (bucket->second.empty()) by_port.erase(bucket);
  ports.release(std::exchange(socket.binding, transport::BindingId::none));
  forget(socket);
}

void Udp::close(SocketId id) {
  Socket* const socket = parts_->sockets.find(id);
  if (socket == nullptr) return;
  parts_->unbind(*socket);
  parts_->sockets.remove(id);
}

Result<void> Udp::bind(SocketId id, const transport::BindRequest& request) {
  Socket* const socket = parts_->sockets.find(id);
  if (socket == nullptr) return unexpected(Errno::bad_descriptor);
  return parts_->bind(*socket, request);
}

Result<void> Udp::Parts::bind(Socket& socket, const transport::BindRequest& request) {
  if (socket.binding != transport::BindingId::none) return unexpected(Errno::invalid);
  if (request.local.address.family() != socket.family && !request.local.address.is_v4())
    return unexpected(Errno::family_not_supported);
  if (const auto ok = transport::check_local(paths, request, true); !ok) return ok;
  const auto binding = ports.bind(request);
  if (!binding) return unexpected(binding.error());
  socket.binding = *binding;
  socket.bound = *ports.find(*binding);
  by_port[socket.bound.local.port].push_back(&socket);
  forget(socket);
  return {};
}

// As Linux: with no port left, a program that asked for none is told to try again.
Result<void> Udp::Parts::bind_unasked(Socket& socket) {
  if (socket.binding != transport::BindingId::none) return {};
  transport::BindRequest any = socket.bound;
  any.local = {IpAddress::any(socket.family), 0, 0};
  const auto bound = bind(socket, any);
  if (!bound && bound.error() == Errno::address_in_use) return unexpected(Errno::try_again);
  return bound;
}

Result<void> Udp::connect(SocketId id, const Endpoint& remote, std::uint32_t interface) {
  Socket* const socket = parts_->sockets.find(id);
  if (socket == nullptr) return unexpected(Errno::bad_descriptor);
  if (const auto ok = check_family(*socket, remote.address); !ok) return ok;
  const Endpoint to = resolve(remote);
  if (!socket->options.broadcast && parts_->paths.is_broadcast(to.address))
    return unexpected(Errno::access_denied);
  if (const auto bound = parts_->bind_unasked(*socket); !bound) return bound;
  std::uint32_t through = to.interface != 0 ? to.interface : interface;
  if (through == 0) through = socket->bound.interface;
  const IpAddress chosen = socket->chose_address ? IpAddress() : socket->bound.local.address;
  const auto path = parts_->paths.find(to.address, chosen, through);
  if (!path) return unexpected(path.error());
  if (socket->bound.local.address.is_unspecified() || socket->chose_address) {
    socket->bound.local.address = path->source;
    socket->chose_address = true;
  }
  socket->remote = to;
  socket->remote_interface = through;
  parts_->forget(*socket);
  return {};
}

Result<void> Udp::disconnect(SocketId id) {
  Socket* const socket = parts_->sockets.find(id);
  if (socket == nullptr) return unexpected(Errno::bad_descriptor);
  if (!socket->remote) return unexpected(Errno::not_connected);
  socket->remote.reset();
  if (std::exchange(socket->chose_address, false))
    socket->bound.local.address = IpAddress::any(socket->family);
  parts_->forget(*socket);
  return {};
}

Result<std::size_t> Udp::send(Instant now, SocketId id, Bytes bytes, const SendFacts& facts) {
  Socket* const socket = parts_->sockets.find(id);
  if (socket == nullptr) return unexpected(Errno::bad_descriptor);
  const bool is_named = facts.remote.port != 0 || !facts.remote.address.is_unspecified();
  if (is_named && facts.remote.port == 0) return unexpected(Errno::invalid);
  if (!is_named && !socket->remote) return unexpected(Errno::destination_required);
  if (socket->error) return unexpected(*std::exchange(socket->error, std::nullopt));
  const Endpoint remote = is_named ? resolve(facts.remote) : *socket->remote;
  if (const auto ok = check_family(*socket, remote.address); !ok) return unexpected(ok.error());
  // As Linux: with IPv6's path MTU discovery, the queue tells of even these.
  const bool is_told_below = !remote.address.is_v4() && socket->options.dont_fragment;
  if (bytes.size() > payload_max(remote.address.family()) && !is_told_below)
    return unexpected(Errno::message_too_long);
  if (const auto bound = parts_->bind_unasked(*socket); !bound) return unexpected(bound.error());
  return transmit(now, *socket, remote, bytes, facts);
}

// [RFC1122-4.1.4-a]: the source is the program's to choose; unset, the socket's.
Result<const Socket::Way*> Udp::Parts::way_to(Socket& socket, const Endpoint& remote,
                                              const SendFacts& facts) const {
  const bool is_usual = facts.interface == 0 && facts.source.is_unspecified();
  const std::uint64_t version = is_usual ? paths.version() : 0;
  if (version != 0 && socket.way.version == version && socket.way.remote == remote)
    return &socket.way;
  const Options& options = socket.options;
  const bool is_group = remote.address.is_multicast();
  std::uint32_t through = facts.interface != 0 ? facts.interface : remote.interface;
  if (through == 0) through = socket.bound.interface;
  if (through == 0 && socket.remote) through = socket.remote_interface;
  if (through == 0 && is_group) through = options.multicast_interface;
  IpAddress source = facts.source;
  const IpAddress& bound = socket.bound.local.address;
  if (source.is_unspecified() && bound.family() == remote.address.family() &&
      !bound.is_multicast() && !paths.is_broadcast(bound))
    source = bound;
  if (source.is_unspecified() && is_group) source = options.multicast_source;
  if (source.is_unspecified()) source = IpAddress::any(remote.address.family());
  // [RFC1122-4.1.3.6-b]: find() refuses a source that is not ours.
  const auto path = paths.find(remote.address, source, through);
  if (!path) return unexpected(path.error());
  socket.way = {version, remote, source.is_unspecified() ? path->source : source, *path};
  return &socket.way;
}

Result<std::size_t> Udp::transmit(Instant now, Socket& socket, const Endpoint& remote, Bytes bytes,
                                  const SendFacts& facts) {
  const auto way = parts_->way_to(socket, remote, facts);
  if (!way) return unexpected(way.error());
  const internet::Path& path = (*way)->path;
  const Options& options = socket.options;
  if (path.is_broadcast && !options.broadcast) return unexpected(Errno::access_denied);
  const bool fits =
      bytes.size() + header_size + ip_header_bytes(remote.address.family()) <= path.mtu;
  if (!fits && options.dont_fragment) {
    if (options.receives_errors) socket.errors.add_too_long(now, path.mtu, remote);
    return unexpected(Errno::message_too_long);
  }

  internet::Datagram& datagram = parts_->out.emplace_back();
  datagram.source = (*way)->source;
  datagram.destination = remote.address;
  datagram.protocol = internet::Protocol::udp;
  // [RFC1122-4.1.4-a]: so are TTL and TOS.
  options.describe(datagram, facts.hop_limit, facts.traffic_class);
  datagram.interface = path.interface;
  // A checksum over fragments is nobody's to compute later.
  const ChecksumBy by = path.takes_checksums && fits ? ChecksumBy::device : ChecksumBy::us;
  fill(datagram, {socket.bound.local.port, remote.port}, bytes, by);
  return bytes.size();
}

Result<Received> Udp::receive(SocketId id, MutableBytes buffer, bool peek) {
  Socket* const socket = parts_->sockets.find(id);
  if (socket == nullptr) return unexpected(Errno::bad_descriptor);
  if (socket->error) return unexpected(*std::exchange(socket->error, std::nullopt));
  if (socket->queue.empty()) return unexpected(Errno::try_again);
  const Queued& first = socket->queue.front();
  Result<Received> received(first.facts);
  const Bytes payload = first.payload.bytes();
  received->full_bytes = payload.size();
  received->bytes = std::min(buffer.size(), payload.size());
  std::copy_n(payload.begin(), received->bytes, buffer.begin());
  if (!peek) {
    socket->queue_cost -= payload.size() + queued_cost_bytes;
    socket->queue.pop_front();
  }
  return received;
}

bool Udp::is_bound(SocketId id) const {
  const Socket* const socket = parts_->sockets.find(id);
  return socket != nullptr && socket->binding != transport::BindingId::none;
}

Readiness Udp::readiness(SocketId id) const {
  const Socket* const socket = parts_->sockets.find(id);
  if (socket == nullptr) return {};
  return {.is_readable = !socket->queue.empty() || socket->error.has_value(),
          .has_error = socket->error.has_value(),
          .has_queued_error = !socket->errors.is_empty()};
}

std::optional<Errno> Udp::take_error(SocketId id) {
  Socket* const socket = parts_->sockets.find(id);
  if (socket == nullptr) return std::nullopt;
  return std::exchange(socket->error, std::nullopt);
}

std::optional<QueuedError> Udp::take_queued_error(SocketId id) {
  Socket* const socket = parts_->sockets.find(id);
  return socket == nullptr ? std::nullopt : socket->errors.take(socket->error);
}

Endpoint Udp::local(SocketId id) const {
  const Socket* const socket = parts_->sockets.find(id);
  if (socket == nullptr) return {};
  if (socket->binding == transport::BindingId::none) return {IpAddress::any(socket->family), 0, 0};
  return socket->bound.local;
}

std::optional<Endpoint> Udp::remote(SocketId id) const {
  const Socket* const socket = parts_->sockets.find(id);
  return socket == nullptr ? std::nullopt : socket->remote;
}

std::size_t Udp::next_bytes(SocketId id) const {
  const Socket* const socket = parts_->sockets.find(id);
  return socket == nullptr || socket->queue.empty() ? 0 : socket->queue.front().payload.size();
}

Options Udp::options(SocketId id) const {
  const Socket* const socket = parts_->sockets.find(id);
  return socket == nullptr ? Options{} : socket->options;
}

void Udp::set_options(SocketId id, const Options& options) {
  Socket* const socket = parts_->sockets.find(id);
  if (socket == nullptr) return;
  socket->options = options;
  parts_->forget(*socket);
}

void Udp::set_reuse(SocketId id, bool reuse_address, bool reuse_port) {
  Socket* const socket = parts_->sockets.find(id);
  if (socket == nullptr) return;
  socket->bound.reuse_address = reuse_address;
  socket->bound.reuse_port = reuse_port;
  parts_->forget(*socket);
  parts_->ports.set_reuse(socket->binding, reuse_address, reuse_port);
}

std::vector<Row> Udp::rows() const {
  std::vector<Row> rows;
  parts_->sockets.for_each([&](const Socket& socket) {
    if (socket.binding == transport::BindingId::none) return;
    std::size_t bytes = 0;
    for (const Queued& queued : socket.queue) bytes += queued.payload.size();
    rows.push_back({.socket = socket.id,
                    .local = socket.bound.local,
                    .remote = socket.remote.value_or(Endpoint{IpAddress::any(socket.family), 0, 0}),
                    .is_connected = socket.remote.has_value(),
                    .receive_queue = bytes,
                    .owner = socket.owner});
  });
  return rows;
}

}  // namespace lanyard::udp
