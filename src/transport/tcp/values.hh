// SPDX-License-Identifier: Apache-2.0
// What the calls of tcp.hh take and give.
#pragma once

#include <cstdint>

#include "core/bytes.hh"
#include "transport/ports.hh"
#include "transport/tcp/settings.hh"
#include "transport/tcp/state.hh"
#include "wire/address.hh"

namespace lanyard::tcp {

// Never reused: a stale id is an error (bad_descriptor), never another connection.
enum class ConnectionId : std::uint64_t { none = 0 };
enum class ListenerId : std::uint64_t { none = 0 };

// Whatever number the caller knows the socket by; handed back with every change.
using Owner = std::uint64_t;

struct Open {
  Endpoint remote;
  // A port held by bind(), taken over if connect succeeds; none: address and port are chosen.
  transport::BindingId binding = transport::BindingId::none;
  std::uint32_t interface = 0;  // SO_BINDTODEVICE, or the zone of a link-local address
  Settings settings;
  Owner owner = 0;
  // Fast Open (RFC 7413): what fits of it goes with the SYN if the server's cookie is known; all
  // of what was taken is then unacked_bytes.
  bool is_fast = false;
  Bytes early{};
};

struct SendFlags {
  bool urgent = false;       // MSG_OOB: the last byte is the urgent one (RFC 6093)
  bool more = false;         // MSG_MORE: corked for this call
  bool ends_record = false;  // MSG_EOR: no segment holds both its last byte and the next one
};

struct ReceiveFlags {
  bool peek = false;
  bool urgent = false;  // MSG_OOB: the one urgent byte kept out of line
};

struct Readiness {
  bool is_connecting = false;    // SYN-SENT or SYN-RECEIVED
  bool is_connected = false;     // established once and not yet over in both directions
  bool is_readable = false;      // data, or the end of the stream, or an error
  bool is_writable = false;      // room for a third of the send buffer, or an error
  bool is_read_closed = false;   // all that the peer will ever send has come: FIN or reset
  bool is_write_closed = false;  // we closed our direction, or reset
  bool has_error = false;
  bool has_urgent = false;
};

struct Row {                                     // for `lanyard sockets`
  ConnectionId connection = ConnectionId::none;  // or, of a listener:
  ListenerId listener = ListenerId::none;
  State state = State::closed;
  Endpoint local, remote;
  std::size_t receive_queue = 0, send_queue = 0;  // bytes; a listener: waiting, backlog
  Owner owner = 0;
};

}  // namespace lanyard::tcp
