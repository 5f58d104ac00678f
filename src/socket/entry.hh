// SPDX-License-Identifier: Apache-2.0
// One socket inside Sockets, of one of three shapes. Only socket/*.cc reads this.
#pragma once

#include <bitset>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "socket/sockets.hh"
#include "transport/tcp/tcp.hh"
#include "transport/udp.hh"

namespace lanyard::socket {

// What every kind of socket may be told before it is bound.
struct Common {
  bool reuse_address = false;
  bool reuse_port = false;
  bool v6_only = false;
  bool free_bind = false;
  std::uint32_t interface = 0;  // SO_BINDTODEVICE
};

// What few sockets have, behind one pointer.
struct Seldom {
  std::int32_t priority = 0;  // SO_PRIORITY: kept for the program, nothing here queues by it
  std::int32_t mark = 0;      // SO_MARK: likewise, no rule looks at it
  std::vector<std::pair<std::uint32_t, IpAddress>> groups;  // joined, to be left at close
};

struct Stream {
  std::shared_ptr<const tcp::Settings> options;
  transport::BindingId binding = transport::BindingId::none;
  Duration linger_timeout;
  // What every call looks at lies together.
  tcp::ListenerId listener = tcp::ListenerId::none;
  tcp::ConnectionId connection = tcp::ConnectionId::none;
  std::unique_ptr<Endpoint> deferred;  // TCP_FASTOPEN_CONNECT: connected with the first data
  bool lingers = false;
  bool connect_is_reported = false;  // a connect call has said 0 (or accept made it): EISCONN now
  bool read_is_shut = false;
  bool was_listener = false;  // shutdown ended the listening
  [[nodiscard]] Linger linger() const { return {.is_on = lingers, .timeout = linger_timeout}; }
  void set(const Linger& linger) { lingers = linger.is_on, linger_timeout = linger.timeout; }
};

struct Datagram {
  udp::SocketId socket = udp::SocketId::none;
  bool read_is_shut = false;
  bool write_is_shut = false;
};

// A raw socket, or an ICMP echo one: a bounded queue of what came.
struct Raw final : stack::RawSink {
  struct Message {
    std::vector<std::uint8_t> bytes;  // IPv4 raw: with the IP header, as raw(7)
    DatagramFacts facts;
  };
  Raw(Handle own_handle, Sockets::Table& own_table, internet::Protocol own_protocol,
      bool is_echo_socket)
      : handle(own_handle), table(own_table), protocol(own_protocol), is_echo(is_echo_socket) {}
  void on_datagram(Instant now, const internet::Datagram& datagram, Bytes ip_header) override;
  void on_icmp_error(Instant now, const internet::IcmpError& error) override;
  [[nodiscard]] bool is_icmp() const {
    return protocol == internet::Protocol::icmp || protocol == internet::Protocol::icmpv6;
  }

  Handle handle;
  Sockets::Table& table;
  internet::Protocol protocol;
  bool is_echo = false;
  bool is_registered = false;
  std::uint16_t identifier = 0;  // echo: the ICMP identifier, which stands for a port
  IpAddress local;
  bool chose_local = false;                    // by connecting
  bool includes_header = false;                // IP_HDRINCL
  std::optional<std::size_t> checksum_offset;  // IPV6_CHECKSUM
  std::optional<Endpoint> peer;
  udp::Options options;  // the same as a UDP socket's
  // ICMP_FILTER, ICMP6_FILTER (RFC 3542 3.2): a set bit keeps messages of that type away.
  std::bitset<256> blocked_types;
  std::size_t queue_bytes = 0;
  std::deque<Message> queue;
  udp::ErrorQueue errors;
  std::optional<Errno> pending_error;
};

struct Entry {
  Handle handle = Handle::none;
  Family family = Family::ipv4;
  Type type = Type::stream;
  std::uint16_t protocol = 0;
  Common common;
  std::unique_ptr<Seldom> seldom;
  [[nodiscard]] Seldom& made_seldom() {
    if (!seldom) seldom = std::make_unique<Seldom>();
    return *seldom;
  }
  std::variant<Stream, Datagram, std::unique_ptr<Raw>> shape;
  Waker* waker = nullptr;
};

}  // namespace lanyard::socket
