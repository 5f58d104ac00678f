// SPDX-License-Identifier: Apache-2.0
// The words of the socket interface: kinds, readiness, options. Linux's numbers are for guest/.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/error.hh"
#include "core/time.hh"
#include "transport/tcp/settings.hh"
#include "transport/udp.hh"
#include "wire/address.hh"

namespace lanyard::socket {

enum class Type : std::uint8_t { stream, datagram, raw };

// A socket of one host. Handles are never reused within a world: a stale one is an error.
enum class Handle : std::uint32_t { none = 0 };

enum class Shutdown : std::uint8_t { read, write, both };

// What poll(2) would say, as bits.
struct Readiness {
  bool readable = false;  // data, a connection to accept, or the end of the stream
  bool writable = false;
  bool read_closed = false;  // POLLRDHUP: the peer sent FIN, or shutdown(read)
  bool hung_up = false;      // POLLHUP: both directions are over
  bool failed = false;       // POLLERR: a pending error, or one in the error queue
  bool has_error = false;    // a pending error: the next call gives it
  bool urgent = false;       // POLLPRI
  friend bool operator==(const Readiness&, const Readiness&) = default;
};

// Options a program may set or ask for; options*.cc have the range and errors of each.
enum class Option : std::uint8_t {
  reuse_address,
  reuse_port,
  keep_alive,
  broadcast,
  linger,
  send_buffer,
  receive_buffer,
  error,
  type,
  domain,
  protocol,
  is_listening,
  bind_to_interface,
  receive_low_water,
  out_of_band_inline,
  priority,
  mark,
  no_delay,
  cork,
  quick_ack,
  max_segment,
  keep_idle,
  keep_interval,
  keep_count,
  user_timeout,
  user_timeout_option,
  syn_count,
  linger2,
  defer_accept,
  congestion,
  window_clamp,
  tcp_info,
  not_sent_low_water,
  pacing_rate_max,
  fast_open,
  fast_open_connect,
  fast_open_without_cookie,
  hop_limit,
  traffic_class,
  dont_fragment,
  multicast_hop_limit,
  multicast_loop,
  multicast_interface,
  join_group,
  leave_group,
  packet_info,
  receive_hop_limit,
  receive_traffic_class,
  receive_errors,
  v6_only,
  header_included,
  free_bind,
  mtu,
  receive_origin_destination,
  icmp_filter,
  checksum_offset
};
inline constexpr Option last_option = Option::checksum_offset;

struct Linger {
  bool is_on = false;
  Duration timeout;
};

struct Group {
  IpAddress group;
  IpAddress source_interface;  // an address of the interface, or unspecified
  std::uint32_t interface = 0;
};

// TCP_INFO: the fields of Linux's struct tcp_info that we can answer; guest/ lays them out.
using TcpInfo = tcp::Info;
using OptionValue = std::variant<std::int64_t, Linger, Group, TcpInfo, std::string>;

struct SendFlags {
  bool out_of_band = false;    // MSG_OOB
  bool more = false;           // MSG_MORE
  bool end_of_record = false;  // MSG_EOR
};
struct ReceiveFlags {
  bool peek = false;         // MSG_PEEK
  bool out_of_band = false;  // MSG_OOB
  bool truncate = false;     // MSG_TRUNC: report the real length of a datagram
};

// Facts that travel beside a datagram (control messages).
struct DatagramFacts {
  Endpoint peer;    // send: destination (port 0: the connected one); receive: who sent it
  IpAddress local;  // send: chosen source (unspecified: choose); receive: specific destination
  std::uint32_t interface = 0;  // send: through it; receive: arrived on
  std::int16_t hop_limit = -1;  // -1: the socket's
  std::int16_t traffic_class = -1;
  bool opens_fast = false;  // send, of a stream: MSG_FASTOPEN
};

struct Received {
  std::size_t bytes = 0;       // copied into the buffer
  std::size_t full_bytes = 0;  // of the whole datagram; more than `bytes` if it was cut (MSG_TRUNC)
  DatagramFacts facts;
};
using QueuedError = udp::QueuedError;  // of the error queue (IP_RECVERR, MSG_ERRQUEUE)

struct Accepted {
  Handle socket = Handle::none;
  Endpoint peer;
};

}  // namespace lanyard::socket
