// SPDX-License-Identifier: Apache-2.0
// The sockets of one host: the calls of socket(7) with their Linux meanings, never blocking. A call
// that would block says try_again (connect: in_progress) and the Waker is told when to look again.
// socket/process.hh blocks on top of this for in-process programs; guest/ serves unmodified
// programs with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.hh"
#include "core/slice.hh"
#include "socket/types.hh"
#include "stack/stack.hh"

namespace lanyard::socket {

// Told when a socket's readiness may have changed: look at readiness(). Calls no socket function
// from inside.
class Waker {
 public:
  virtual void on_readiness(Handle socket) = 0;

 protected:
  ~Waker() = default;
};

struct SocketRow {  // for `lanyard sockets`
  Handle socket{};
  Type type{};
  int protocol = 0;
  std::string state;  // RFC 9293 names; UNCONN and ESTAB for datagrams, as ss(8)
  Endpoint local, peer;
  std::size_t receive_queue = 0,
              send_queue = 0;  // bytes; for a listener: waiting connections and the backlog
};

class Sockets {
 public:
  explicit Sockets(stack::Stack& stack);
  ~Sockets();

  // family x type x protocol as socket(2): protocol 0 is the type's own. Errors:
  // family_not_supported, socket_type_not_supported, protocol_not_supported, too_many_files.
  Result<Handle> open(Family family, Type type, int protocol = 0);
  Result<void> bind(Handle socket, const Endpoint& local);
  Result<void> listen(Instant now, Handle socket, int backlog);
  Result<Accepted> accept(Instant now, Handle socket);
  Result<void> connect(Instant now, Handle socket, const Endpoint& peer);
  // Dissolves the association of a datagram socket, resets a stream (connect with AF_UNSPEC).
  Result<void> disconnect(Instant now, Handle socket);
  Result<void> shutdown(Instant now, Handle socket, Shutdown how);
  // Always takes the handle away. A stream goes on closing by itself; linger 0 or unread data
  // resets it.
  Result<void> close(Instant now, Handle socket);

  // Streams. send copies what fits; receive gives 0 at the end of the stream.
  Result<std::size_t> send(Instant now, Handle socket, Bytes bytes, SendFlags flags = {});
  Result<std::size_t> receive(Instant now, Handle socket, MutableBytes buffer,
                              ReceiveFlags flags = {});
  // The same without copies: send_slice queues what fits as it is; peek appends what receive would
  // give to `out`, shared, and skip then takes as much of it away as was used.
  Result<std::size_t> send_slice(Instant now, Handle socket, const Slice& slice);
  Result<std::size_t> peek(Instant now, Handle socket, std::size_t size, std::vector<Slice>& out);
  Result<std::size_t> skip(Instant now, Handle socket, std::size_t size);
  // Datagrams (and raw, and ICMP echo sockets). One call, one datagram.
  Result<std::size_t> send_to(Instant now, Handle socket, Bytes bytes, const DatagramFacts& facts);
  Result<Received> receive_from(Instant now, Handle socket, MutableBytes buffer,
                                ReceiveFlags flags = {});
  [[nodiscard]] std::optional<QueuedError> take_error(Handle socket);

  Result<void> set_option(Instant now, Handle socket, Option option, const OptionValue& value);
  Result<OptionValue> get_option(Instant now, Handle socket, Option option);

  [[nodiscard]] Result<Endpoint> local_endpoint(Handle socket) const;
  [[nodiscard]] Result<Endpoint> peer_endpoint(Handle socket) const;
  [[nodiscard]] Readiness readiness(Handle socket) const;
  [[nodiscard]] std::size_t readable_bytes(
      Handle socket) const;  // SIOCINQ; a datagram socket: of the first one
  [[nodiscard]] std::size_t writable_bytes(Handle socket) const;  // room in the send buffer
  [[nodiscard]] std::size_t unsent_bytes(
      Handle socket) const;  // SIOCOUTQ: sent or queued, not yet acknowledged
  [[nodiscard]] bool is_at_urgent_mark(Handle socket) const;  // SIOCATMARK

  void set_waker(Handle socket, Waker* waker);
  [[nodiscard]] std::vector<SocketRow> rows() const;
  [[nodiscard]] stack::Stack& stack();

  struct Table;  // socket/table.hh

 private:
  std::unique_ptr<Table> table_;
};

}  // namespace lanyard::socket
