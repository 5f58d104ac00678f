// SPDX-License-Identifier: Apache-2.0
// One socket of an unmodified program: a socket of our stack, and a unix socket pair of which the
// program holds one end and we the other. The pair carries bytes and readiness natively; what it
// cannot say travels as answers to calls. Its identity is the inode of the program's end, which
// dup, fork, exec and descriptor passing keep.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "guest/descriptor.hh"
#include "guest/gate.hh"
#include "socket/types.hh"

namespace lanyard::guest {

// A datagram that lies in the pair, waiting for the program: the pair has no room for its facts.
struct QueuedDatagram {
  socket::DatagramFacts facts;
  int charge = 0;              // what SIOCOUTQ counts for it
  std::optional<Errno> error;  // no datagram but a knock: an error waits
};

struct CarriedDatagram {
  std::string bytes;
  socket::DatagramFacts facts;
};

struct VirtualSocket {
  enum class Stage {
    fresh,
    listening,
    connecting,
    connected,  // and every datagram socket
    failed,     // reset or refused: our end is closed, so that the program sees an error
    over,       // both directions have ended; only its names are still of interest
  };

  socket::Handle handle = socket::Handle::none;
  int family = 0, type = 0, protocol = 0;  // as given to socket(2)
  std::uint64_t inode = 0;
  Descriptor ours;
  Stage stage = Stage::fresh;
  // Where the program's end was seen last.
  pid_t last_thread = 0;
  int last_number = -1;

  // Streams.
  std::size_t junk = 0;           // bytes in our end that only hide POLLOUT from the program
  bool program_ended = false;     // the program's direction has ended (its shutdown, or EOF)
  bool network_ended = false;     // the peer's FIN was handed to the program
  bool was_shut_both = false;     // by the program: looks like a close, and is none
  bool is_closed = false;         // the program's last descriptor is gone; what it wrote goes on
  bool closes_by_reset = false;   // ... and it left data unread
  bool has_end_in_sight = false;  // an end or a close of the program lies behind what it wrote
  bool may_have_bytes = true;     // of the program; false: the pair was read dry, and will tell
  bool waits_for_room = false;    // the pair was full once, and tells when it is not
  std::shared_ptr<Gate> gate;     // of one that was corked before
  std::deque<socket::Accepted> undelivered;  // accepted, but the program's call was gone
  std::size_t announced = 0;  // bytes in the program's end, one for each waiting connection

  // Datagrams.
  std::deque<QueuedDatagram> queued;
  std::deque<CarriedDatagram> carried;  // received, but not taken by the pair
  // IP_RECVERR: the pair can be made to say POLLERR, and the program's end has this name in it.
  std::string pair_name;
  bool shows_error = false;
  bool wants_packet_info = false, wants_hop_limit = false, wants_traffic_class = false;
  bool wants_timestamp = false, wants_origin = false;
  bool wants_ip_options = false;
  bool wants_old_hop_limit = false;  // as RFC 2292 had it
  socket::DatagramFacts sticky;      // IPV6_PKTINFO: where each datagram leaves from
  Instant wrote_at;                  // what the program has sent last without an address
  int mtu_discovery = 1;             // IP_PMTUDISC_WANT

  std::optional<Errno> error;           // for SO_ERROR, once
  std::optional<Endpoint> local, peer;  // remembered when the stack's socket is gone
  bool is_dirty = false;

  [[nodiscard]] bool is_stream() const;
  [[nodiscard]] Family ip_family() const;
};

// The inode of a program's end of a pair; 0: it is no socket, or not open.
[[nodiscard]] std::uint64_t inode_of(const Descriptor& descriptor);
// Forgets the datagrams that the program has taken out of the pair.
void resynchronise(VirtualSocket& socket);

}  // namespace lanyard::guest
