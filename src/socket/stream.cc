// SPDX-License-Identifier: Apache-2.0
// The calls of a stream socket on top of tcp::Tcp, with the answers Linux gives in each condition.
#include <algorithm>

#include "socket/table.hh"

namespace lanyard::socket {

namespace {

bool is_listening(const Stream& stream) {
  return stream.listener != tcp::ListenerId::none;
}
bool has_connection(const Stream& stream) {
  return stream.connection != tcp::ConnectionId::none;
}

// A connection attempt that failed leaves a socket that may try again (POSIX leaves that open;
// Linux allows it).
void forget_connection(Sockets::Table& table, Instant now, Stream& stream) {
  table.stack.tcp().close(now, stream.connection);
  stream.connection = tcp::ConnectionId::none;
  stream.connect_is_reported = false;
}

// connect() on a socket that has begun to connect before: how that attempt stands.
Result<void> connect_again(Sockets::Table& table, Instant now, Stream& stream) {
  const auto readiness = table.stack.tcp().readiness(stream.connection);
  if (readiness.is_connecting) return unexpected(Errno::already_in_progress);
  if (readiness.is_connected || stream.connect_is_reported) {
    if (std::exchange(stream.connect_is_reported, true))
      return unexpected(Errno::already_connected);
    return {};
  }
  const auto error = table.stack.tcp().take_error(stream.connection);
  forget_connection(table, now, stream);
  return unexpected(error.value_or(Errno::connection_aborted));
}

Result<void> may_send(Sockets::Table& table, const Stream& stream) {
  if (!has_connection(stream)) return unexpected(Errno::broken_pipe);
  const tcp::State state = table.stack.tcp().state(stream.connection);
  const bool may_connect = state == tcp::State::syn_sent || state == tcp::State::syn_received;
  if (may_connect && table.stack.tcp().readiness(stream.connection).is_connecting)
    return unexpected(Errno::try_again);
  return {};
}

tcp::Open open_of(const Entry& entry, const Stream& stream, const Endpoint& remote) {
  return {.remote = remote,
          .binding = stream.binding,
          .interface = remote.interface != 0 ? remote.interface : entry.common.interface,
          .settings = *stream.options,
          .owner = static_cast<tcp::Owner>(entry.handle)};
}

Result<void> begin(Sockets::Table& table, Instant now, Stream& stream, const tcp::Open& open) {
  const auto connection = table.stack.tcp().connect(now, open);
  if (!connection) return unexpected(connection.error());
  stream.binding = transport::BindingId::none;
  // From a port that was bound: what answers it may come to another shard.
  const Endpoint local = table.stack.tcp().local(*connection);
  if (!table.stack.is_ours(internet::Protocol::tcp, local, open.remote)) {
    table.stack.tcp().abort(now, *connection);
    return unexpected(Errno::address_not_available);
  }
  stream.connection = *connection;
  stream.read_is_shut = false;
  return {};
}

}  // namespace

Result<void> listen(Sockets::Table& table, Instant now, Entry& entry, int backlog) {
  auto& stream = std::get<Stream>(entry.shape);
  if (has_connection(stream)) return unexpected(Errno::invalid);
  tcp::Tcp& tcp = table.stack.tcp();
  // listen(2): a negative backlog is taken as the largest; zero still lets one connection wait.
  const auto limit = table.stack.config().transport.backlog_max;
  const std::uint32_t wanted =
      backlog < 0 ? limit : std::min(static_cast<std::uint32_t>(backlog), limit);
  if (is_listening(stream)) return tcp.set_backlog(stream.listener, wanted);
  if (stream.binding == transport::BindingId::none) {
    const auto bound = tcp.bind(table.request(entry, {IpAddress::any(entry.family), 0}));
    if (!bound) return unexpected(bound.error());
    stream.binding = *bound;
  }
  const auto listener =
      tcp.listen(stream.binding, wanted, *stream.options, static_cast<tcp::Owner>(entry.handle));
  if (!listener) return unexpected(listener.error());
  stream.listener = *listener;
  stream.binding = transport::BindingId::none;
  (void)now;
  return {};
}

Result<Accepted> accept(Sockets::Table& table, Instant now, Entry& entry) {
  const auto& stream = std::get<Stream>(entry.shape);
  if (!is_listening(stream)) return unexpected(Errno::invalid);
  const Handle handle{table.last + 1};
  const auto connection =
      table.stack.tcp().accept(now, stream.listener, static_cast<tcp::Owner>(handle));
  if (!connection) return unexpected(connection.error());
  ++table.last;
  Entry& fresh = table.entries.add(handle);
  fresh.handle = handle;
  fresh.family = entry.family;
  fresh.type = Type::stream;
  fresh.protocol = entry.protocol;
  fresh.common = entry.common;
  if (entry.seldom) {
    fresh.made_seldom().priority = entry.seldom->priority;
    fresh.made_seldom().mark = entry.seldom->mark;
  }
  auto& accepted = std::get<Stream>(fresh.shape);
  accepted.connection = *connection;
  accepted.options = table.stack.tcp().kept_settings(*connection);
  accepted.set(stream.linger());
  accepted.connect_is_reported = true;
  return Accepted{handle, table.stack.tcp().remote(*connection)};
}

Result<void> connect(Sockets::Table& table, Instant now, Entry& entry, Stream& stream,
                     const Endpoint& peer) {
  if (is_listening(stream) || stream.deferred) return unexpected(Errno::already_connected);
  if (has_connection(stream)) return connect_again(table, now, stream);
  const auto remote = table.reachable(entry, peer);
  if (!remote) return unexpected(remote.error());
  tcp::Open open = open_of(entry, stream, *remote);
  open.is_fast = stream.options->fast_open_connect;
  if (open.is_fast && table.stack.tcp().may_open_fast(now, open)) {
    stream.deferred = std::make_unique<Endpoint>(*remote);
    return {};
  }
  const auto begun = begin(table, now, stream, open);
  return begun ? unexpected(Errno::in_progress) : begun;
}

Result<std::size_t> connect_with(Sockets::Table& table, Instant now, Entry& entry, Stream& stream,
                                 const Endpoint& peer, Bytes early) {
  const std::uint32_t bits = table.stack.config().transport.fast_open;
  if ((bits & transport::fast_open::client) == 0) return unexpected(Errno::not_supported);
  if (is_listening(stream)) return unexpected(Errno::broken_pipe);
  tcp::Tcp& tcp = table.stack.tcp();
  if (has_connection(stream)) {
    // As connect(2): that it is connected is told once, here by taking the data.
    if (const auto begun = connect_again(table, now, stream); !begun)
      return unexpected(begun.error());
    return tcp.send(now, stream.connection, early, {});
  }
  const auto remote = table.reachable(entry, peer);
  if (!remote) return unexpected(remote.error());
  tcp::Open open = open_of(entry, stream, *remote);
  open.is_fast = true;
  open.early = early;
  if (const auto begun = begin(table, now, stream, open); !begun) return unexpected(begun.error());
  const std::size_t taken = tcp.unacked_bytes(stream.connection);
  if (taken == 0) return unexpected(Errno::in_progress);
  return taken;
}

Result<void> shutdown(Sockets::Table& table, Instant now, Stream& stream, Shutdown how) {
  tcp::Tcp& tcp = table.stack.tcp();
  if (is_listening(stream)) {
    // As Linux: ending the reading of a listener ends the listening; accept then says EINVAL.
    if (how == Shutdown::write) return {};
    tcp.close(now, std::exchange(stream.listener, tcp::ListenerId::none));
    stream.was_listener = true;
    return {};
  }
  if (!has_connection(stream)) return unexpected(Errno::not_connected);
  const auto state = tcp.state(stream.connection);
  if (state == tcp::State::closed) return unexpected(Errno::not_connected);
  if (how != Shutdown::write) stream.read_is_shut = true;
  if (how == Shutdown::read) return {};
  return tcp.shutdown_write(now, stream.connection);
}

void close(Sockets::Table& table, Instant now, Stream& stream) {
  tcp::Tcp& tcp = table.stack.tcp();
  if (is_listening(stream)) tcp.close(now, stream.listener);
  if (stream.binding != transport::BindingId::none) tcp.unbind(stream.binding);
  if (!has_connection(stream)) return;
  if (stream.lingers && stream.linger_timeout == Duration::zero()) {
    tcp.abort(now, stream.connection);
  } else {
    tcp.close(now, stream.connection);
  }
}

Result<std::size_t> send(Sockets::Table& table, Instant now, Entry& entry, Stream& stream,
                         Bytes bytes, SendFlags flags) {
  if (stream.deferred) {
    const std::unique_ptr<Endpoint> peer = std::move(stream.deferred);
    const auto taken = connect_with(table, now, entry, stream, *peer, bytes);
    stream.connect_is_reported = has_connection(stream);
    if (!taken && taken.error() == Errno::in_progress) return unexpected(Errno::try_again);
    return taken;
  }
  if (const auto may = may_send(table, stream); !may) return unexpected(may.error());
  return table.stack.tcp().send(
      now, stream.connection, bytes,
      {.urgent = flags.out_of_band, .more = flags.more, .ends_record = flags.end_of_record});
}

Result<std::size_t> send_slice(Sockets::Table& table, Instant now, Stream& stream,
                               const Slice& slice) {
  if (const auto may = may_send(table, stream); !may) return unexpected(may.error());
  return table.stack.tcp().send(now, stream.connection, slice);
}

Result<std::size_t> peek(Sockets::Table& table, Instant now, Stream& stream, std::size_t size,
                         std::vector<Slice>& out) {
  if (stream.deferred) return unexpected(Errno::try_again);
  if (!has_connection(stream)) return unexpected(Errno::not_connected);
  const auto there = table.stack.tcp().peek(now, stream.connection, size, out);
  if (!there && there.error() == Errno::try_again && stream.read_is_shut) return 0;
  return there;
}

Result<std::size_t> skip(Sockets::Table& table, Instant now, Stream& stream, std::size_t size) {
  if (!has_connection(stream)) return unexpected(Errno::not_connected);
  return table.stack.tcp().skip(now, stream.connection, size);
}

Result<std::size_t> receive(Sockets::Table& table, Instant now, Stream& stream, MutableBytes buffer,
                            ReceiveFlags flags) {
  if (stream.deferred) return unexpected(Errno::try_again);
  if (!has_connection(stream)) return unexpected(Errno::not_connected);
  const auto received = table.stack.tcp().receive(
      now, stream.connection, buffer, {.peek = flags.peek, .urgent = flags.out_of_band});
  if (!received && received.error() == Errno::try_again && stream.read_is_shut) return 0;
  return received;
}

Readiness readiness(const Sockets::Table& table, const Stream& stream) {
  const tcp::Tcp& tcp = table.stack.tcp();
  if (is_listening(stream)) return {.readable = tcp.has_waiting(stream.listener)};
  if (stream.deferred) return {.writable = true};
  // A socket that never connected polls as hung up, as Linux has it.
  if (!has_connection(stream)) return {.writable = true, .hung_up = true};
  const auto facts = tcp.readiness(stream.connection);
  if (facts.is_connecting) return {};
  const bool read_is_over = facts.is_read_closed || stream.read_is_shut;
  return {.readable = facts.is_readable || read_is_over,
          .writable = facts.is_writable || facts.is_write_closed,
          .read_closed = read_is_over,
          .hung_up = read_is_over && facts.is_write_closed,
          .failed = facts.has_error,
          .has_error = facts.has_error,
          .urgent = facts.has_urgent};
}

}  // namespace lanyard::socket
