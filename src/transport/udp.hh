// SPDX-License-Identifier: Apache-2.0
// UDP of one machine (RFC 768, RFC 1122 4.1): sockets with a bounded queue of datagrams each.
// Datagrams to send are appended to the Outbox given at construction.
//
//    0      7 8     15 16    23 24    31
//   +--------+--------+--------+--------+
//   |   source port   | destination port|
//   |     length      |    checksum     |
//   +--------+--------+--------+--------+
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/drop.hh"
#include "core/random.hh"
#include "internet/datagram.hh"
#include "transport/config.hh"
#include "transport/datagram_options.hh"
#include "transport/error_queue.hh"
#include "transport/ports.hh"

namespace lanyard::udp {

// Never reused: a stale id is an error (bad_descriptor), never another socket.
enum class SocketId : std::uint64_t { none = 0 };
using Owner = std::uint64_t;
struct Socket;

// Told when a socket's readiness may have changed. Calls no function of Udp from inside.
class Observer {
 public:
  virtual void on_socket_change(SocketId socket, Owner owner) = 0;

 protected:
  ~Observer() = default;
};

// What may be said about one datagram to send; unset fields come from the socket.
struct SendFacts {
  Endpoint remote;              // port 0: the connected one
  IpAddress source;             // unspecified: the bound one, or chosen
  std::uint32_t interface = 0;  // 0: the bound one, or chosen
  std::int16_t hop_limit = -1;
  std::int16_t traffic_class = -1;
};

struct Received {
  std::size_t bytes = 0;       // copied
  std::size_t full_bytes = 0;  // of the whole datagram
  Endpoint remote;             // who sent it
  IpAddress destination;       // specific destination (RFC 1122 4.1.3.5)
  std::uint32_t interface = 0;
  std::uint8_t hop_limit = 0;
  std::uint8_t traffic_class = 0;
};

struct Readiness {
  bool is_readable = false, is_writable = true;
  bool has_error = false;         // a pending error
  bool has_queued_error = false;  // the error queue has an entry
};

struct Row {  // for `lanyard sockets`
  SocketId socket = SocketId::none;
  Endpoint local, remote;
  bool is_connected = false;
  std::size_t receive_queue = 0;
  Owner owner = 0;
};

class Udp {
 public:
  Udp(const transport::Config& config, const Seed& seed, internet::Paths& paths,
      internet::Outbox& out);
  ~Udp();
  Udp(const Udp&) = delete;
  Udp& operator=(const Udp&) = delete;
  void set_observer(Observer* observer);

  // An IPv6 socket that is not v6_only (see bind) also speaks IPv4.
  SocketId open(Family family, Owner owner);
  void close(SocketId socket);
  Result<void> bind(SocketId socket, const transport::BindRequest& request);
  // Fixes the peer: only its datagrams are received. Binds to a chosen port if not yet bound.
  Result<void> connect(SocketId socket, const Endpoint& remote, std::uint32_t interface = 0);
  Result<void> disconnect(SocketId socket);  // keeps the port; not_connected if it was not
  // One datagram. Errors: destination_required, access_denied (broadcast), message_too_long,
  // invalid (port 0), no path's errors, or the pending one.
  Result<std::size_t> send(Instant now, SocketId socket, Bytes bytes, const SendFacts& facts = {});
  // The oldest datagram; try_again when there is none, or the pending error.
  Result<Received> receive(SocketId socket, MutableBytes buffer, bool peek = false);

  [[nodiscard]] bool is_bound(SocketId socket) const;
  [[nodiscard]] Readiness readiness(SocketId socket) const;
  std::optional<Errno> take_error(SocketId socket);               // SO_ERROR
  std::optional<QueuedError> take_queued_error(SocketId socket);  // MSG_ERRQUEUE
  [[nodiscard]] Endpoint local(SocketId socket) const;
  [[nodiscard]] std::optional<Endpoint> remote(SocketId socket) const;  // nothing: unconnected
  [[nodiscard]] std::size_t next_bytes(SocketId socket) const;  // of the oldest datagram; SIOCINQ
  [[nodiscard]] Options options(SocketId socket) const;
  void set_options(SocketId socket, const Options& options);
  void set_reuse(SocketId socket, bool reuse_address, bool reuse_port);
  [[nodiscard]] std::vector<Row> rows() const;  // in the order they were opened

  // Driving. The reason if it was dropped; no_socket asks the owner for a port unreachable message
  // about it (RFC 1122 4.1.3.1), for which it must have kept the packet.
  DropReason on_datagram(Instant now, const internet::Datagram& datagram);
  void on_icmp_error(Instant now, const internet::IcmpError& error);

 private:
  struct Parts;
  Result<std::size_t> transmit(Instant now, Socket& socket, const Endpoint& remote, Bytes bytes,
                               const SendFacts& facts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace lanyard::udp
