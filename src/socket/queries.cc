// SPDX-License-Identifier: Apache-2.0
// What Sockets can be asked without changing anything: endpoints, readiness, byte counts, the rows
// of `lanyard sockets`.
#include <algorithm>

#include "socket/table.hh"

namespace lanyard::socket {

namespace {

Readiness readiness_of(const udp::Udp& udp, const Datagram& datagram) {
  const auto facts = udp.readiness(datagram.socket);
  return {.readable = facts.is_readable || datagram.read_is_shut,
          .writable = facts.is_writable,
          .read_closed = datagram.read_is_shut,
          .hung_up = datagram.read_is_shut && datagram.write_is_shut,
          .failed = facts.has_error || facts.has_queued_error,
          .has_error = facts.has_error};
}

// The connection of a stream, if it has one.
std::optional<tcp::ConnectionId> connection_of(const Entry* entry) {
  const auto* stream = entry == nullptr ? nullptr : std::get_if<Stream>(&entry->shape);
  if (stream == nullptr || stream->connection == tcp::ConnectionId::none) return std::nullopt;
  return stream->connection;
}

}  // namespace

Result<Endpoint> Sockets::local_endpoint(Handle socket) const {
  const Entry* entry = table_->find(socket);
  if (entry == nullptr) return unexpected(Errno::bad_descriptor);
  const Endpoint none{IpAddress::any(entry->family), 0};
  if (const auto* stream = std::get_if<Stream>(&entry->shape)) {
    tcp::Tcp& tcp = table_->stack.tcp();
    if (stream->connection != tcp::ConnectionId::none) return tcp.local(stream->connection);
    if (stream->listener != tcp::ListenerId::none) return tcp.local(stream->listener);
    if (stream->binding != transport::BindingId::none) return tcp.bound_to(stream->binding);
    return none;
  }
  if (const auto* datagram = std::get_if<Datagram>(&entry->shape)) {
    return table_->stack.udp().is_bound(datagram->socket)
               ? table_->stack.udp().local(datagram->socket)
               : none;
  }
  const auto& raw = *std::get<std::unique_ptr<Raw>>(entry->shape);
  return Endpoint{raw.local, raw.identifier};
}

Result<Endpoint> Sockets::peer_endpoint(Handle socket) const {
  const Entry* entry = table_->find(socket);
  if (entry == nullptr) return unexpected(Errno::bad_descriptor);
  std::optional<Endpoint> peer;
  if (const auto* stream = std::get_if<Stream>(&entry->shape)) {
    if (stream->connection != tcp::ConnectionId::none &&
        table_->stack.tcp().readiness(stream->connection).is_connected) {
      peer = table_->stack.tcp().remote(stream->connection);
    }
  } else if (const auto* datagram = std::get_if<Datagram>(&entry->shape)) {
    peer = table_->stack.udp().remote(datagram->socket);
  } else {
    peer = std::get<std::unique_ptr<Raw>>(entry->shape)->peer;
  }
  if (!peer) return unexpected(Errno::not_connected);
  return *peer;
}

Readiness Sockets::readiness(Handle socket) const {
  const Entry* entry = table_->find(socket);
  if (entry == nullptr) return {.hung_up = true, .failed = true};
  if (const auto* stream = std::get_if<Stream>(&entry->shape))
    return socket::readiness(*table_, *stream);
  if (const auto* datagram = std::get_if<Datagram>(&entry->shape)) {
    return readiness_of(table_->stack.udp(), *datagram);
  }
  return socket::readiness(*std::get<std::unique_ptr<Raw>>(entry->shape));
}

std::size_t Sockets::readable_bytes(Handle socket) const {
  const Entry* entry = table_->find(socket);
  if (entry == nullptr) return 0;
  if (const auto* stream = std::get_if<Stream>(&entry->shape)) {
    const bool is_connected = stream->connection != tcp::ConnectionId::none;
    return is_connected ? table_->stack.tcp().readable_bytes(stream->connection) : 0;
  }
  if (const auto* datagram = std::get_if<Datagram>(&entry->shape)) {
    return table_->stack.udp().next_bytes(datagram->socket);
  }
  const auto& raw = *std::get<std::unique_ptr<Raw>>(entry->shape);
  return raw.queue.empty() ? 0 : raw.queue.front().bytes.size();
}

std::size_t Sockets::writable_bytes(Handle socket) const {
  const auto connection = connection_of(table_->find(socket));
  return connection ? table_->stack.tcp().writable_bytes(*connection) : 0;
}

std::size_t Sockets::unsent_bytes(Handle socket) const {
  const auto connection = connection_of(table_->find(socket));
  return connection ? table_->stack.tcp().unacked_bytes(*connection) : 0;
}

bool Sockets::is_at_urgent_mark(Handle socket) const {
  const auto connection = connection_of(table_->find(socket));
  return connection && table_->stack.tcp().is_at_urgent_mark(*connection);
}

void Sockets::set_waker(Handle socket, Waker* waker) {
  // socket/watcher.hh.
  if (socket == Handle::none) table_->watcher = dynamic_cast<CallWatcher*>(waker);
  if (Entry* entry = table_->find(socket)) entry->waker = waker;
}

std::vector<SocketRow> Sockets::rows() const {
  std::vector<SocketRow> rows;
  for (const tcp::Row& row : table_->stack.tcp().rows()) {
    rows.push_back({.socket = static_cast<Handle>(row.owner),
                    .type = Type::stream,
                    .protocol = static_cast<int>(internet::Protocol::tcp),
                    .state = std::string(tcp::to_text(row.state)),
                    .local = row.local,
                    .peer = row.remote,
                    .receive_queue = row.receive_queue,
                    .send_queue = row.send_queue});
  }
  for (const udp::Row& row : table_->stack.udp().rows()) {
    rows.push_back({.socket = static_cast<Handle>(row.owner),
                    .type = Type::datagram,
                    .protocol = static_cast<int>(internet::Protocol::udp),
                    .state = row.is_connected ? "ESTAB" : "UNCONN",
                    .local = row.local,
                    .peer = row.remote,
                    .receive_queue = row.receive_queue});
  }
  table_->entries.for_each([&rows](const Entry& entry) {
    const auto* raw = std::get_if<std::unique_ptr<Raw>>(&entry.shape);
    if (raw == nullptr) return;
    rows.push_back({.socket = entry.handle,
                    .type = entry.type,
                    .protocol = entry.protocol,
                    .state = (*raw)->peer ? "ESTAB" : "UNCONN",
                    .local = {(*raw)->local, (*raw)->identifier},
                    .peer = (*raw)->peer.value_or(Endpoint{IpAddress::any(entry.family), 0}),
                    .receive_queue = (*raw)->queue_bytes});
  });
  return rows;
}

std::optional<QueuedError> Sockets::Table::take_error(Handle socket) {
  Entry* entry = find(socket);
  if (entry == nullptr) return std::nullopt;
  if (const auto* datagram = std::get_if<Datagram>(&entry->shape))
    return stack.udp().take_queued_error(datagram->socket);
  auto* raw = std::get_if<std::unique_ptr<Raw>>(&entry->shape);
  return raw == nullptr ? std::nullopt : (*raw)->errors.take((*raw)->pending_error);
}

}  // namespace lanyard::socket
