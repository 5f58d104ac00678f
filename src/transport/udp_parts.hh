// SPDX-License-Identifier: Apache-2.0
// What Udp is made of: its sockets and who listens on which port. udp.cc has the calls,
// udp_deliver.cc what comes from below.
#pragma once

#include <deque>
#include <map>
#include <vector>

#include "transport/slots.hh"
#include "transport/udp.hh"

namespace lanyard::udp {

// What a queued datagram costs beyond its bytes, so that empty ones fill the buffer too.
inline constexpr std::size_t queued_cost_bytes = 256;

struct Queued {
  Slice payload;
  Received facts;
};

struct Socket {
  SocketId id = SocketId::none;
  Family family = Family::ipv4;
  Owner owner = 0;
  transport::BindingId binding = transport::BindingId::none;
  transport::BindRequest bound;  // valid while bound; the address may be the wildcard
  bool chose_address = false;    // the address came with connect, and goes with disconnect
  std::optional<Endpoint> remote;
  std::uint32_t remote_interface = 0;
  Options options;
  std::deque<Queued> queue;
  std::size_t queue_cost = 0;
  std::optional<Errno> error;
  ErrorQueue errors;
  // The way to whom was spoken to last, if the call said no more about it.
  struct Way {
    std::uint64_t version = 0;  // of the paths; 0: not to be used again
    Endpoint remote;
    IpAddress source;
    internet::Path path;
  };
  Way way;
};

// What a datagram is to the sockets it may be for.
struct Arrival {
  Endpoint source;
  Endpoint destination;
  std::uint32_t interface = 0;
  friend bool operator==(const Arrival&, const Arrival&) = default;
};

struct Udp::Parts {
  const transport::Config& config;
  internet::Paths& paths;
  internet::Outbox& out;
  transport::Ports ports;
  SipKey balance_key;
  Observer* observer = nullptr;
  transport::Slots<SocketId, Socket> sockets;
  std::map<Port, std::vector<Socket*>> by_port;  // in the order they were bound
  // What find() found last.
  struct Found {
    Arrival arrival;
    Socket* socket = nullptr;
  };
  Found latest;

  void changed(const Socket& socket) {
    if (observer != nullptr) observer->on_socket_change(socket.id, socket.owner);
  }
  Result<void> bind(Socket& socket, const transport::BindRequest& request);
  // To a chosen port, if it is bound to none; try_again when there is none left.
  Result<void> bind_unasked(Socket& socket);
  void unbind(Socket& socket);
  // Another may be the one a datagram is for, or this one's way another.
  void forget(Socket& socket) {
    latest = {};
    socket.way = {};
  }
  // Where a datagram goes, and from whom. Errors: those of Paths::find.
  [[nodiscard]] Result<const Socket::Way*> way_to(Socket& socket, const Endpoint& remote,
                                                  const SendFacts& facts) const;
  // The one socket a unicast datagram is for: the most exactly bound; of equals with SO_REUSEPORT
  // one chosen by hash, else the last bound. Null: nobody.
  [[nodiscard]] Socket* find(const Arrival& arrival);
  [[nodiscard]] Socket* find_anew(const Arrival& arrival) const;
  [[nodiscard]] Socket* balance(const std::vector<Socket*>& equals, const Arrival& arrival) const;
  DropReason queue(Socket& socket, const Arrival& arrival, const internet::Datagram& datagram,
                   std::size_t bytes);
};

// How exactly a socket asks for such a datagram; -1: it does not want it.
[[nodiscard]] int match(const Socket& socket, const Arrival& arrival);

}  // namespace lanyard::udp
