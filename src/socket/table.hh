// SPDX-License-Identifier: Apache-2.0
// Inside Sockets: one entry for each socket of a host, of one of three shapes. Only socket/*.cc
// reads this.
#pragma once

#include "internet/network.hh"
#include "socket/entry.hh"
#include "socket/pages.hh"
#include "socket/sockets.hh"
#include "socket/watcher.hh"
#include "transport/tcp/tcp.hh"
#include "transport/udp.hh"

namespace lanyard::socket {

struct Sockets::Table final : tcp::Observer, udp::Observer {
  explicit Table(stack::Stack& own_stack);
  ~Table();
  void on_connection_change(tcp::ConnectionId connection, tcp::Owner owner) override;
  void on_listener_change(tcp::ListenerId listener, tcp::Owner owner) override;
  void on_socket_change(udp::SocketId socket, udp::Owner owner) override;
  void wake(Handle handle);
  [[nodiscard]] Entry* find(Handle handle);

  [[nodiscard]] transport::BindRequest request(const Entry& entry, const Endpoint& local) const;
  // The peer as this socket may reach it: family rules of ipv6(7); 0.0.0.0 and :: mean this host,
  // as Linux has it.
  [[nodiscard]] Result<Endpoint> reachable(const Entry& entry, Endpoint peer) const;

  // sockets.cc: the calls of Sockets themselves.
  Result<Handle> open(Family family, Type type, int protocol);
  Result<void> bind(Handle socket, const Endpoint& local);
  Result<void> listen(Instant now, Handle socket, int backlog);
  Result<Accepted> accept(Instant now, Handle socket);
  Result<void> connect(Instant now, Handle socket, const Endpoint& peer);
  Result<void> disconnect(Instant now, Handle socket);
  Result<void> shutdown(Instant now, Handle socket, Shutdown how);
  Result<void> close(Instant now, Handle socket);
  Result<std::size_t> send(Instant now, Handle socket, Bytes bytes, SendFlags flags);
  Result<std::size_t> receive(Instant now, Handle socket, MutableBytes buffer, ReceiveFlags flags);
  [[nodiscard]] Result<Stream*> stream_of(Handle socket);
  Result<std::size_t> send_slice(Instant now, Handle socket, const Slice& slice);
  Result<std::size_t> peek(Instant now, Handle socket, std::size_t size, std::vector<Slice>& out);
  Result<std::size_t> skip(Instant now, Handle socket, std::size_t size);
  Result<std::size_t> send_to(Instant now, Handle socket, Bytes bytes, const DatagramFacts& facts);
  Result<Received> receive_from(Instant now, Handle socket, MutableBytes buffer,
                                ReceiveFlags flags);
  std::optional<QueuedError> take_error(Handle socket);
  Result<void> set_option(Instant now, Handle socket, Option option, const OptionValue& value);
  Result<OptionValue> get_option(Instant now, Handle socket, Option option);

  stack::Stack& stack;
  CallWatcher* watcher = nullptr;
  Pages<Handle, Entry> entries;
  std::uint32_t last = 0;
};

// stream.cc
Result<void> listen(Sockets::Table& table, Instant now, Entry& entry, int backlog);
Result<Accepted> accept(Sockets::Table& table, Instant now, Entry& entry);
Result<void> connect(Sockets::Table& table, Instant now, Entry& entry, Stream& stream,
                     const Endpoint& peer);
// sendto with MSG_FASTOPEN: connects, and says how much of the data was taken.
Result<std::size_t> connect_with(Sockets::Table& table, Instant now, Entry& entry, Stream& stream,
                                 const Endpoint& peer, Bytes early);
Result<void> shutdown(Sockets::Table& table, Instant now, Stream& stream, Shutdown how);
void close(Sockets::Table& table, Instant now, Stream& stream);
Result<std::size_t> send(Sockets::Table& table, Instant now, Entry& entry, Stream& stream,
                         Bytes bytes, SendFlags flags);
Result<std::size_t> receive(Sockets::Table& table, Instant now, Stream& stream, MutableBytes buffer,
                            ReceiveFlags flags);
Result<std::size_t> send_slice(Sockets::Table& table, Instant now, Stream& stream,
                               const Slice& slice);
Result<std::size_t> peek(Sockets::Table& table, Instant now, Stream& stream, std::size_t size,
                         std::vector<Slice>& out);
Result<std::size_t> skip(Sockets::Table& table, Instant now, Stream& stream, std::size_t size);
Readiness readiness(const Sockets::Table& table, const Stream& stream);

// raw.cc
void open_raw(Sockets::Table& table, Entry& entry, Raw& raw);
Result<void> bind(Sockets::Table& table, Entry& entry, Raw& raw, const Endpoint& local);
Result<void> connect(Sockets::Table& table, const Entry& entry, Raw& raw, const Endpoint& peer);
void disconnect(Raw& raw);
Result<std::size_t> send(Sockets::Table& table, Instant now, Entry& entry, Raw& raw, Bytes bytes,
                         const DatagramFacts& facts);
Result<Received> receive(Raw& raw, MutableBytes buffer, ReceiveFlags flags);
void close(Sockets::Table& table, const Entry& entry, Raw& raw);
Readiness readiness(const Raw& raw);
// Options of raw sockets alone; nothing: the option is another kind's.
std::optional<Result<void>> set_raw_option(Entry& entry, Option option, const OptionValue& value);
std::optional<Result<OptionValue>> get_raw_option(Entry& entry, Option option);

// options_opening.cc; nothing: the option is not about opening.
std::optional<Result<void>> set_opening_option(const Sockets::Table& table, const Stream& stream,
                                               tcp::Settings& options, Option option,
                                               std::int64_t value);
std::optional<std::int64_t> get_opening_option(const tcp::Settings& options, Option option);

// options_stream.cc
Result<void> set_stream_option(Sockets::Table& table, Instant now, Stream& stream, Option option,
                               std::int64_t value);
Result<std::int64_t> get_stream_option(Sockets::Table& table, const Stream& stream, Option option);
Result<void> set_congestion(Sockets::Table& table, Instant now, Stream& stream,
                            std::string_view name);
std::string_view get_congestion(Sockets::Table& table, const Stream& stream);
TcpInfo tcp_info(Sockets::Table& table, Instant now, const Stream& stream);

// options_group.cc
Result<void> change_group(Sockets::Table& table, Instant now, Entry& entry, bool join,
                          const Group& group);

// options.cc
Result<void> set_option(Sockets::Table& table, Instant now, Entry& entry, Option option,
                        const OptionValue& value);
Result<OptionValue> get_option(Sockets::Table& table, Instant now, Entry& entry, Option option);

}  // namespace lanyard::socket
