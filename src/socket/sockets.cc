// SPDX-License-Identifier: Apache-2.0
#include "socket/sockets.hh"

#include <algorithm>

#include "socket/table.hh"

namespace lanyard::socket {

namespace {

constexpr std::size_t sockets_max = 1'048'576;  // fs.nr_open

// The protocol numbers a type of socket may be opened with; 0 is always the type's own.
Result<int> checked_protocol(Family family, Type type, int protocol) {
  const int echo = static_cast<int>(family == Family::ipv4 ? internet::Protocol::icmp
                                                           : internet::Protocol::icmpv6);
  switch (type) {
    case Type::stream:
      if (protocol == 0 || protocol == static_cast<int>(internet::Protocol::tcp)) {
        return static_cast<int>(internet::Protocol::tcp);
      }
      break;
    case Type::datagram:
      if (protocol == 0 || protocol == static_cast<int>(internet::Protocol::udp)) {
        return static_cast<int>(internet::Protocol::udp);
      }
      if (protocol == echo) return protocol;
      break;
    case Type::raw:
      // IPPROTO_RAW sends whole packets (raw(7)); IPv6 has no such sockets here.
      if (protocol > 0 && protocol < (family == Family::ipv4 ? 256 : 255)) return protocol;
      break;
  }
  return unexpected(Errno::protocol_not_supported);
}

DatagramFacts facts_of(const udp::Received& received) {
  return {.peer = received.remote,
          .local = received.destination,
          .interface = received.interface,
          .hop_limit = received.hop_limit,
          .traffic_class = received.traffic_class};
}

// A datagram socket's peer, unless what that sends would come to another shard.
Result<void> connect_datagram(stack::Stack& stack, udp::SocketId socket, const Endpoint& remote,
                              std::uint32_t interface) {
  const auto connected = stack.udp().connect(socket, remote, interface);
  if (!connected) return connected;
  if (stack.is_ours(internet::Protocol::udp, stack.udp().local(socket), remote)) return {};
  (void)stack.udp().disconnect(socket);
  return unexpected(Errno::address_not_available);
}

}  // namespace

Sockets::Table::Table(stack::Stack& own_stack) : stack(own_stack) {
  stack.tcp().set_observer(this);
  stack.udp().set_observer(this);
}

Sockets::Table::~Table() {
  stack.tcp().set_observer(nullptr);
  stack.udp().set_observer(nullptr);
  entries.for_each([this](Entry& entry) {
    if (auto* raw = std::get_if<std::unique_ptr<Raw>>(&entry.shape)) {
      socket::close(*this, entry, **raw);
    }
  });
}

void Sockets::Table::on_connection_change(tcp::ConnectionId, tcp::Owner owner) {
  wake(static_cast<Handle>(owner));
}
void Sockets::Table::on_listener_change(tcp::ListenerId, tcp::Owner owner) {
  wake(static_cast<Handle>(owner));
}
void Sockets::Table::on_socket_change(udp::SocketId, udp::Owner owner) {
  wake(static_cast<Handle>(owner));
}

void Sockets::Table::wake(Handle handle) {
  const Entry* entry = find(handle);
  if (entry != nullptr && entry->waker != nullptr) entry->waker->on_readiness(handle);
}

Entry* Sockets::Table::find(Handle handle) {
  return entries.find(handle);
}

transport::BindRequest Sockets::Table::request(const Entry& entry, const Endpoint& local) const {
  return {.local = local,
          .interface = local.interface != 0 ? local.interface : entry.common.interface,
          .reuse_address = entry.common.reuse_address,
          .reuse_port = entry.common.reuse_port,
          .v6_only = entry.common.v6_only,
          .free_bind = entry.common.free_bind};
}

Result<Endpoint> Sockets::Table::reachable(const Entry& entry, Endpoint peer) const {
  if (entry.family == Family::ipv4 && !peer.address.is_v4()) {
    return unexpected(Errno::family_not_supported);
  }
  if (entry.family == Family::ipv6 && peer.address.is_v4() && entry.common.v6_only) {
    return unexpected(Errno::network_unreachable);
  }
  if (peer.address.is_unspecified()) peer.address = IpAddress::loopback(peer.address.family());
  return peer;
}

Sockets::Sockets(stack::Stack& stack) : table_(std::make_unique<Table>(stack)) {}
Sockets::~Sockets() = default;
stack::Stack& Sockets::stack() {
  return table_->stack;
}

Result<Handle> Sockets::Table::open(Family family, Type type, int protocol) {
  const auto number = checked_protocol(family, type, protocol);
  if (!number) return unexpected(number.error());
  if (entries.size() >= sockets_max) return unexpected(Errno::too_many_files);
  const Handle handle{++last};
  Entry& entry = entries.add(handle);
  entry.handle = handle;
  entry.family = family;
  entry.type = type;
  entry.protocol = static_cast<std::uint16_t>(*number);
  if (type == Type::stream) {
    std::get<Stream>(entry.shape).options = stack.tcp().kept_defaults();
  } else if (*number == static_cast<int>(internet::Protocol::udp) && type == Type::datagram) {
    entry.shape = Datagram{.socket = stack.udp().open(family, static_cast<udp::Owner>(handle))};
  } else {
    entry.shape = std::make_unique<Raw>(handle, *this, static_cast<internet::Protocol>(*number),
                                        type == Type::datagram);
    open_raw(*this, entry, *std::get<std::unique_ptr<Raw>>(entry.shape));
  }
  return handle;
}

Result<void> Sockets::Table::bind(Handle socket, const Endpoint& local) {
  Entry* entry = find(socket);
  if (entry == nullptr) return unexpected(Errno::bad_descriptor);
  if (entry->family == Family::ipv4 && !local.address.is_v4()) {
    return unexpected(Errno::family_not_supported);
  }
  if (entry->common.v6_only && local.address.is_v4()) return unexpected(Errno::invalid);
  if (auto* raw = std::get_if<std::unique_ptr<Raw>>(&entry->shape)) {
    return socket::bind(*this, *entry, **raw, local);
  }
  const transport::BindRequest wanted = request(*entry, local);
  if (const auto* datagram = std::get_if<Datagram>(&entry->shape)) {
    return stack.udp().bind(datagram->socket, wanted);
  }
  auto& stream = std::get<Stream>(entry->shape);
  const bool is_fresh = stream.binding == transport::BindingId::none &&
                        stream.listener == tcp::ListenerId::none &&
                        stream.connection == tcp::ConnectionId::none;
  if (!is_fresh) return unexpected(Errno::invalid);
  const auto binding = stack.tcp().bind(wanted);
  if (!binding) return unexpected(binding.error());
  stream.binding = *binding;
  return {};
}

Result<void> Sockets::Table::listen(Instant now, Handle socket, int backlog) {
  Entry* entry = find(socket);
  if (entry == nullptr) return unexpected(Errno::bad_descriptor);
  if (entry->type != Type::stream) return unexpected(Errno::not_supported);
  return socket::listen(*this, now, *entry, backlog);
}

Result<Accepted> Sockets::Table::accept(Instant now, Handle socket) {
  Entry* entry = find(socket);
  if (entry == nullptr) return unexpected(Errno::bad_descriptor);
  if (entry->type != Type::stream) return unexpected(Errno::not_supported);
  auto accepted = socket::accept(*this, now, *entry);
  stack.flush(now);
  return accepted;
}

Result<void> Sockets::Table::connect(Instant now, Handle socket, const Endpoint& peer) {
  Entry* entry = find(socket);
  if (entry == nullptr) return unexpected(Errno::bad_descriptor);
  if (auto* stream = std::get_if<Stream>(&entry->shape)) {
    auto result = socket::connect(*this, now, *entry, *stream, peer);
    stack.flush(now);
    return result;
  }
  const auto remote = reachable(*entry, peer);
  if (!remote) return unexpected(remote.error());
  if (const auto* datagram = std::get_if<Datagram>(&entry->shape)) {
    const std::uint32_t interface =
        remote->interface != 0 ? remote->interface : entry->common.interface;
    return connect_datagram(stack, datagram->socket, *remote, interface);
  }
  return socket::connect(*this, *entry, *std::get<std::unique_ptr<Raw>>(entry->shape), *remote);
}

Result<void> Sockets::Table::disconnect(Instant now, Handle socket) {
  Entry* entry = find(socket);
  if (entry == nullptr) return unexpected(Errno::bad_descriptor);
  if (const auto* datagram = std::get_if<Datagram>(&entry->shape)) {
    const auto result = stack.udp().disconnect(datagram->socket);
    // connect(2): dissolving an association that is not there is no error.
    if (!result && result.error() == Errno::not_connected) return {};
    return result;
  }
  if (auto* stream = std::get_if<Stream>(&entry->shape)) {
    if (stream->listener != tcp::ListenerId::none) stack.tcp().close(now, stream->listener);
    if (stream->connection != tcp::ConnectionId::none) stack.tcp().abort(now, stream->connection);
    stream->listener = tcp::ListenerId::none;
    stream->connection = tcp::ConnectionId::none;
    stream->connect_is_reported = false;
    stream->deferred.reset();
    stack.flush(now);
    return {};
  }
  socket::disconnect(*std::get<std::unique_ptr<Raw>>(entry->shape));
  return {};
}

Result<void> Sockets::Table::shutdown(Instant now, Handle socket, Shutdown how) {
  Entry* entry = find(socket);
  if (entry == nullptr) return unexpected(Errno::bad_descriptor);
  if (auto* stream = std::get_if<Stream>(&entry->shape)) {
    auto result = socket::shutdown(*this, now, *stream, how);
    stack.flush(now);
    wake(socket);
    return result;
  }
  if (auto* datagram = std::get_if<Datagram>(&entry->shape)) {
    if (how != Shutdown::write) datagram->read_is_shut = true;
    if (how != Shutdown::read) datagram->write_is_shut = true;
    wake(socket);
    // As Linux: the directions are shut and an unconnected socket is told so.
    if (!stack.udp().remote(datagram->socket)) return unexpected(Errno::not_connected);
    return {};
  }
  return unexpected(Errno::not_connected);
}

Result<void> Sockets::Table::close(Instant now, Handle socket) {
  Entry* entry = find(socket);
  if (entry == nullptr) return unexpected(Errno::bad_descriptor);
  if (entry->seldom) {
    for (const auto& [interface, group] : entry->seldom->groups) {
      (void)stack.leave_group(now, interface, group);
    }
  }
  if (auto* stream = std::get_if<Stream>(&entry->shape)) {
    socket::close(*this, now, *stream);
  } else if (const auto* datagram = std::get_if<Datagram>(&entry->shape)) {
    stack.udp().close(datagram->socket);
  } else {
    socket::close(*this, *entry, *std::get<std::unique_ptr<Raw>>(entry->shape));
  }
  entries.erase(socket);
  stack.flush(now);
  return {};
}

Result<std::size_t> Sockets::Table::send(Instant now, Handle socket, Bytes bytes, SendFlags flags) {
  Entry* entry = find(socket);
  if (entry == nullptr) return unexpected(Errno::bad_descriptor);
  auto* stream = std::get_if<Stream>(&entry->shape);
  if (stream == nullptr) return send_to(now, socket, bytes, {});
  auto sent = socket::send(*this, now, *entry, *stream, bytes, flags);
  stack.flush(now);
  return sent;
}

Result<std::size_t> Sockets::Table::receive(Instant now, Handle socket, MutableBytes buffer,
                                            ReceiveFlags flags) {
  Entry* entry = find(socket);
  if (entry == nullptr) return unexpected(Errno::bad_descriptor);
  auto* stream = std::get_if<Stream>(&entry->shape);
  if (stream == nullptr) {
    const auto received = receive_from(now, socket, buffer, flags);
    if (!received) return unexpected(received.error());
    return flags.truncate ? received->full_bytes : received->bytes;
  }
  auto received = socket::receive(*this, now, *stream, buffer, flags);
  stack.flush(now);
  return received;
}

Result<Stream*> Sockets::Table::stream_of(Handle socket) {
  Entry* entry = find(socket);
  if (entry == nullptr) return unexpected(Errno::bad_descriptor);
  auto* stream = std::get_if<Stream>(&entry->shape);
  if (stream == nullptr) return unexpected(Errno::not_supported);
  return stream;
}

Result<std::size_t> Sockets::Table::send_slice(Instant now, Handle socket, const Slice& slice) {
  const auto stream = stream_of(socket);
  if (!stream) return unexpected(stream.error());
  if ((*stream)->deferred) return send(now, socket, slice.bytes(), {});
  auto sent = socket::send_slice(*this, now, **stream, slice);
  stack.flush(now);
  return sent;
}

Result<std::size_t> Sockets::Table::peek(Instant now, Handle socket, std::size_t size,
                                         std::vector<Slice>& out) {
  const auto stream = stream_of(socket);
  if (!stream) return unexpected(stream.error());
  return socket::peek(*this, now, **stream, size, out);
}

Result<std::size_t> Sockets::Table::skip(Instant now, Handle socket, std::size_t size) {
  const auto stream = stream_of(socket);
  if (!stream) return unexpected(stream.error());
  auto skipped = socket::skip(*this, now, **stream, size);
  stack.flush(now);
  return skipped;
}

Result<std::size_t> Sockets::Table::send_to(Instant now, Handle socket, Bytes bytes,
                                            const DatagramFacts& facts) {
  Entry* entry = find(socket);
  if (entry == nullptr) return unexpected(Errno::bad_descriptor);
  DatagramFacts wanted = facts;
  if (wanted.peer.port != 0 || !wanted.peer.address.is_unspecified()) {
    const auto peer = reachable(*entry, facts.peer);
    if (!peer) return unexpected(peer.error());
    wanted.peer = *peer;
  }
  if (wanted.interface == 0) {
    wanted.interface = wanted.peer.interface != 0 ? wanted.peer.interface : entry->common.interface;
  }
  if (auto* stream = std::get_if<Stream>(&entry->shape)) {
    if (wanted.opens_fast) {
      const auto taken = socket::connect_with(*this, now, *entry, *stream, wanted.peer, bytes);
      stack.flush(now);
      return taken;
    }
    // send(2): a stream that is connected ignores the address; one that is not says so.
    if (stream->connection == tcp::ConnectionId::none) return unexpected(Errno::broken_pipe);
    return send(now, socket, bytes, {});
  }
  if (const auto* datagram = std::get_if<Datagram>(&entry->shape)) {
    if (datagram->write_is_shut) return unexpected(Errno::broken_pipe);
    auto sent = stack.udp().send(now, datagram->socket, bytes,
                                 {.remote = wanted.peer,
                                  .source = wanted.local,
                                  .interface = wanted.interface,
                                  .hop_limit = wanted.hop_limit,
                                  .traffic_class = wanted.traffic_class});
    stack.flush(now);
    return sent;
  }
  return socket::send(*this, now, *entry, *std::get<std::unique_ptr<Raw>>(entry->shape), bytes,
                      wanted);
}

Result<Received> Sockets::Table::receive_from(Instant now, Handle socket, MutableBytes buffer,
                                              ReceiveFlags flags) {
  Entry* entry = find(socket);
  if (entry == nullptr) return unexpected(Errno::bad_descriptor);
  if (auto* stream = std::get_if<Stream>(&entry->shape)) {
    const auto bytes = socket::receive(*this, now, *stream, buffer, flags);
    stack.flush(now);
    if (!bytes) return unexpected(bytes.error());
    return Received{.bytes = *bytes, .full_bytes = *bytes, .facts = {}};
  }
  if (const auto* datagram = std::get_if<Datagram>(&entry->shape)) {
    const auto received = stack.udp().receive(datagram->socket, buffer, flags.peek);
    if (received)
      return Result<Received>(std::in_place, received->bytes, received->full_bytes,
                              facts_of(*received));
    if (received.error() == Errno::try_again && datagram->read_is_shut) return Received{};
    return unexpected(received.error());
  }
  return socket::receive(*std::get<std::unique_ptr<Raw>>(entry->shape), buffer, flags);
}

Result<void> Sockets::Table::set_option(Instant now, Handle socket, Option option,
                                        const OptionValue& value) {
  Entry* entry = find(socket);
  if (entry == nullptr) return unexpected(Errno::bad_descriptor);
  auto result = socket::set_option(*this, now, *entry, option, value);
  stack.flush(now);
  return result;
}

Result<OptionValue> Sockets::Table::get_option(Instant now, Handle socket, Option option) {
  Entry* entry = find(socket);
  if (entry == nullptr) return unexpected(Errno::bad_descriptor);
  return socket::get_option(*this, now, *entry, option);
}

}  // namespace lanyard::socket
