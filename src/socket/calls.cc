// SPDX-License-Identifier: Apache-2.0
// The face of Sockets: each call is made, and then told to whoever watches.
#include <algorithm>
#include <type_traits>

#include "socket/table.hh"

namespace lanyard::socket {

namespace {

// What a result is as a system call's number.
template <typename T>
std::int64_t number_of(const Result<T>& result) {
  if (!result) return -static_cast<std::int64_t>(result.error());
  if constexpr (std::is_same_v<T, std::size_t>) return static_cast<std::int64_t>(*result);
  if constexpr (std::is_same_v<T, Handle>) return static_cast<std::int64_t>(*result);
  if constexpr (std::is_same_v<T, Accepted>) return static_cast<std::int64_t>(result->socket);
  if constexpr (std::is_same_v<T, Received>) return static_cast<std::int64_t>(result->bytes);
  return 0;
}

template <typename T>
T told(const Sockets::Table& table, T result, Call call) {
  if (table.watcher == nullptr) return result;
  call.result = number_of(result);
  table.watcher->on_call(call);
  return result;
}

// What of a buffer was filled.
Bytes filled(MutableBytes buffer, const Result<std::size_t>& size) {
  return size ? Bytes(buffer).first(std::min(*size, buffer.size())) : Bytes();
}

}  // namespace

Result<Handle> Sockets::open(Family family, Type type, int protocol) {
  const std::int64_t version = family == Family::ipv4 ? 4 : 6;
  return told(
      *table_, table_->open(family, type, protocol),
      {.kind = CallKind::open, .numbers = {version, static_cast<std::int64_t>(type), protocol}});
}

Result<void> Sockets::bind(Handle socket, const Endpoint& local) {
  return told(*table_, table_->bind(socket, local),
              {.kind = CallKind::bind, .socket = socket, .endpoint = &local});
}

Result<void> Sockets::listen(Instant now, Handle socket, int backlog) {
  return told(*table_, table_->listen(now, socket, backlog),
              {.kind = CallKind::listen, .at = now, .socket = socket, .numbers = {backlog}});
}

Result<Accepted> Sockets::accept(Instant now, Handle socket) {
  auto accepted = table_->accept(now, socket);
  const Endpoint* const peer = accepted ? &accepted->peer : nullptr;
  return told(*table_, accepted,
              {.kind = CallKind::accept, .at = now, .socket = socket, .endpoint = peer});
}

Result<void> Sockets::connect(Instant now, Handle socket, const Endpoint& peer) {
  return told(*table_, table_->connect(now, socket, peer),
              {.kind = CallKind::connect, .at = now, .socket = socket, .endpoint = &peer});
}

Result<void> Sockets::disconnect(Instant now, Handle socket) {
  return told(*table_, table_->disconnect(now, socket),
              {.kind = CallKind::disconnect, .at = now, .socket = socket});
}

Result<void> Sockets::shutdown(Instant now, Handle socket, Shutdown how) {
  return told(*table_, table_->shutdown(now, socket, how),
              {.kind = CallKind::shutdown,
               .at = now,
               .socket = socket,
               .numbers = {static_cast<std::int64_t>(how)}});
}

Result<void> Sockets::close(Instant now, Handle socket) {
  return told(*table_, table_->close(now, socket),
              {.kind = CallKind::close, .at = now, .socket = socket});
}

Result<std::size_t> Sockets::send(Instant now, Handle socket, Bytes bytes, SendFlags flags) {
  if (table_->watcher == nullptr) return table_->send(now, socket, bytes, flags);
  return told(*table_, table_->send(now, socket, bytes, flags),
              {.kind = CallKind::send,
               .at = now,
               .socket = socket,
               .numbers = {bits_of(flags)},
               .bytes = bytes});
}

Result<std::size_t> Sockets::receive(Instant now, Handle socket, MutableBytes buffer,
                                     ReceiveFlags flags) {
  if (table_->watcher == nullptr) return table_->receive(now, socket, buffer, flags);
  const auto received = table_->receive(now, socket, buffer, flags);
  return told(*table_, received,
              {.kind = CallKind::receive,
               .at = now,
               .socket = socket,
               .numbers = {bits_of(flags), static_cast<std::int64_t>(buffer.size())},
               .bytes = filled(buffer, received)});
}

Result<std::size_t> Sockets::send_slice(Instant now, Handle socket, const Slice& slice) {
  return told(*table_, table_->send_slice(now, socket, slice),
              {.kind = CallKind::send, .at = now, .socket = socket, .bytes = slice.bytes()});
}

// A look that finds no bytes is a receive, of the end or of an error; one that does changes nothing
// and is told of when they are taken.
Result<std::size_t> Sockets::peek(Instant now, Handle socket, std::size_t size,
                                  std::vector<Slice>& out) {
  const auto there = table_->peek(now, socket, size, out);
  if (there && *there > 0) return there;
  return told(*table_, there,
              {.kind = CallKind::receive,
               .at = now,
               .socket = socket,
               .numbers = {0, static_cast<std::int64_t>(size)}});
}

Result<std::size_t> Sockets::skip(Instant now, Handle socket, std::size_t size) {
  return told(*table_, table_->skip(now, socket, size),
              {.kind = CallKind::receive,
               .at = now,
               .socket = socket,
               .numbers = {0, static_cast<std::int64_t>(size)}});
}

Result<std::size_t> Sockets::send_to(Instant now, Handle socket, Bytes bytes,
                                     const DatagramFacts& facts) {
  if (table_->watcher == nullptr) return table_->send_to(now, socket, bytes, facts);
  return told(
      *table_, table_->send_to(now, socket, bytes, facts),
      {.kind = CallKind::send_to, .at = now, .socket = socket, .bytes = bytes, .facts = &facts});
}

Result<Received> Sockets::receive_from(Instant now, Handle socket, MutableBytes buffer,
                                       ReceiveFlags flags) {
  if (table_->watcher == nullptr) return table_->receive_from(now, socket, buffer, flags);
  auto received = table_->receive_from(now, socket, buffer, flags);
  const std::size_t size = received ? received->bytes : 0;
  const DatagramFacts* const facts = received ? &received->facts : nullptr;
  return told(*table_, received,
              {.kind = CallKind::receive_from,
               .at = now,
               .socket = socket,
               .numbers = {bits_of(flags), static_cast<std::int64_t>(buffer.size())},
               .bytes = filled(buffer, size),
               .facts = facts});
}

std::optional<QueuedError> Sockets::take_error(Handle socket) {
  auto error = table_->take_error(socket);
  if (table_->watcher != nullptr)
    table_->watcher->on_call(
        {.kind = CallKind::take_error, .socket = socket, .result = error ? 1 : 0});
  return error;
}

Result<void> Sockets::set_option(Instant now, Handle socket, Option option,
                                 const OptionValue& value) {
  if (table_->watcher == nullptr) return table_->set_option(now, socket, option, value);
  return told(*table_, table_->set_option(now, socket, option, value),
              {.kind = CallKind::set_option,
               .at = now,
               .socket = socket,
               .numbers = {static_cast<std::int64_t>(option)},
               .value = &value});
}

Result<OptionValue> Sockets::get_option(Instant now, Handle socket, Option option) {
  auto value = table_->get_option(now, socket, option);
  const OptionValue* const got = value ? &*value : nullptr;
  return told(*table_, value,
              {.kind = CallKind::get_option,
               .at = now,
               .socket = socket,
               .numbers = {static_cast<std::int64_t>(option)},
               .value = got});
}

}  // namespace lanyard::socket
