// SPDX-License-Identifier: Apache-2.0
#include "guest/messages.hh"

#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/time.h>

#include <algorithm>
#include <cstring>
#include <limits>

namespace lanyard::guest {

namespace {

constexpr int udp_segment = 103;  // UDP_SEGMENT, udp(7)

template <typename T>
std::optional<T> value_of(const std::string& control, std::size_t at, std::size_t size) {
  T value{};
  if (size < sizeof value) return std::nullopt;
  std::memcpy(&value, control.data() + at, sizeof value);
  return value;
}

// A number given as an int, or as one byte (IP_TOS may be either).
std::optional<std::int16_t> small_number(const std::string& control, std::size_t at,
                                         std::size_t size) {
  if (size == 1) return static_cast<std::uint8_t>(control[at]);
  const auto number = value_of<int>(control, at, size);
  if (!number || *number < -1 || *number > 255) return std::nullopt;
  return static_cast<std::int16_t>(*number);
}

const std::uint8_t* bytes_at(const void* from) {
  return static_cast<const std::uint8_t*>(from);
}

bool parse_ip(SendControl& wanted, int type, const std::string& control, std::size_t at,
              std::size_t size) {
  if (type == IP_PKTINFO) {
    const auto info = value_of<in_pktinfo>(control, at, size);
    if (!info) return false;
    wanted.facts.interface = static_cast<std::uint32_t>(info->ipi_ifindex);
    if (info->ipi_spec_dst.s_addr != INADDR_ANY)
      wanted.facts.local = IpAddress::from_v4_bytes(bytes_at(&info->ipi_spec_dst));
    return true;
  }
  const auto number = small_number(control, at, size);
  if (!number) return false;
  if (type == IP_TTL) wanted.facts.hop_limit = *number;
  if (type == IP_TOS) wanted.facts.traffic_class = *number;
  return type == IP_TTL || type == IP_TOS;
}

bool parse_ipv6(SendControl& wanted, int type, const std::string& control, std::size_t at,
                std::size_t size) {
  if (type == IPV6_PKTINFO) {
    const auto info = value_of<in6_pktinfo>(control, at, size);
    if (!info) return false;
    // RFC 3542 6.1: the unspecified address, and interface 0, leave it as it is.
    const IpAddress source = IpAddress::from_v6_bytes(bytes_at(&info->ipi6_addr));
    if (info->ipi6_ifindex != 0) wanted.facts.interface = info->ipi6_ifindex;
    if (!source.is_unspecified()) wanted.facts.local = source;
    return true;
  }
  const auto number = small_number(control, at, size);
  if (!number) return false;
  if (type == IPV6_HOPLIMIT) wanted.facts.hop_limit = *number;
  if (type == IPV6_TCLASS) wanted.facts.traffic_class = *number;
  return type == IPV6_HOPLIMIT || type == IPV6_TCLASS;
}

template <typename T>
void fill_address(T& to, const IpAddress& address) {
  const std::size_t size = std::min(sizeof to, address.wire_bytes().size());
  std::memcpy(&to, address.wire_bytes().data(), size);
}

// SO_TIMESTAMP: the time of day so long ago.
void add_timestamp(ControlWriter& out, Duration ago) {
  timeval time{};
  gettimeofday(&time, nullptr);
  const std::int64_t microseconds =
      time.tv_sec * 1'000'000 + time.tv_usec - ago / Duration::microseconds(1);
  time.tv_sec = microseconds / 1'000'000;
  time.tv_usec = microseconds % 1'000'000;
  out.add(SOL_SOCKET, SCM_TIMESTAMP, time);
}

void add_v4_facts(ControlWriter& out, const VirtualSocket& socket,
                  const socket::DatagramFacts& facts) {
  if (socket.wants_packet_info) {
    in_pktinfo info{};
    info.ipi_ifindex = static_cast<int>(facts.interface);
    fill_address(info.ipi_spec_dst, facts.local);
    fill_address(info.ipi_addr, facts.local);
    out.add(IPPROTO_IP, IP_PKTINFO, info);
  }
  if (socket.wants_hop_limit) out.add(IPPROTO_IP, IP_TTL, static_cast<int>(facts.hop_limit));
  if (socket.wants_traffic_class)
    out.add(IPPROTO_IP, IP_TOS, static_cast<std::uint8_t>(facts.traffic_class));
  if (socket.wants_origin) {
    sockaddr_in in{};
    const SocketAddress address = to_sockaddr({facts.local, 0, 0}, AF_INET);
    std::memcpy(&in, &address.storage, sizeof in);
    if (socket.local) in.sin_port = htons(socket.local->port);
    out.add(IPPROTO_IP, IP_ORIGDSTADDR, in);
  }
}

void add_v6_facts(ControlWriter& out, const VirtualSocket& socket,
                  const socket::DatagramFacts& facts) {
  if (socket.wants_packet_info) {
    in6_pktinfo info{};
    info.ipi6_ifindex = facts.interface;
    std::memcpy(&info.ipi6_addr, facts.local.bytes().data(), sizeof info.ipi6_addr);
    out.add(IPPROTO_IPV6, IPV6_PKTINFO, info);
  }
  if (socket.wants_hop_limit)
    out.add(IPPROTO_IPV6, IPV6_HOPLIMIT, static_cast<int>(facts.hop_limit));
  if (socket.wants_old_hop_limit)
    out.add(IPPROTO_IPV6, IPV6_2292HOPLIMIT, static_cast<int>(facts.hop_limit));
  if (socket.wants_traffic_class)
    out.add(IPPROTO_IPV6, IPV6_TCLASS, static_cast<int>(facts.traffic_class));
}

}  // namespace

Result<SendControl> parse_control(const std::string& control, const VirtualSocket& socket) {
  SendControl wanted{.facts = socket.sticky};
  for (std::size_t at = 0; at + sizeof(cmsghdr) <= control.size();) {
    cmsghdr header{};
    std::memcpy(&header, control.data() + at, sizeof header);
    if (header.cmsg_len < CMSG_LEN(0) || header.cmsg_len > control.size() - at)
      return unexpected(Errno::invalid);
    const std::size_t data = at + CMSG_LEN(0);
    const std::size_t size = header.cmsg_len - CMSG_LEN(0);
    bool is_known = false;
    if (header.cmsg_level == IPPROTO_IP)
      is_known = parse_ip(wanted, header.cmsg_type, control, data, size);
    if (header.cmsg_level == IPPROTO_IPV6)
      is_known = parse_ipv6(wanted, header.cmsg_type, control, data, size);
    if (header.cmsg_level == IPPROTO_UDP && header.cmsg_type == udp_segment) {
      const auto bytes = value_of<std::uint16_t>(control, data, size);
      wanted.segment_bytes = bytes.value_or(0);
      is_known = bytes.has_value();
    }
    if (!is_known) return unexpected(Errno::invalid);
    at += CMSG_ALIGN(header.cmsg_len);
  }
  return wanted;
}

void ControlWriter::add(int level, int type, const void* data, std::size_t size) {
  cmsghdr header{};
  header.cmsg_level = level;
  header.cmsg_type = type;
  header.cmsg_len = CMSG_LEN(size);
  const std::size_t at = bytes_.size();
  bytes_.resize(at + CMSG_SPACE(size));
  std::memcpy(bytes_.data() + at, &header, sizeof header);
  std::memcpy(bytes_.data() + at + CMSG_LEN(0), data, size);
}

std::string facts_as_control(const VirtualSocket& socket, const socket::DatagramFacts& facts) {
  ControlWriter out;
  if (socket.wants_timestamp) add_timestamp(out, Duration::zero());
  if (socket.family == AF_INET) {
    add_v4_facts(out, socket, facts);
  } else {
    add_v6_facts(out, socket, facts);
  }
  return out.bytes();
}

std::string error_as_control(Instant now, const VirtualSocket& socket,
                             const socket::QueuedError& error) {
  struct V4 {
    sock_extended_err error;
    sockaddr_in offender;
  };
  struct V6 {
    sock_extended_err error;
    sockaddr_in6 offender;
  };
  sock_extended_err extended{};
  extended.ee_errno = static_cast<std::uint32_t>(error.error);
  extended.ee_type = error.icmp_type;
  extended.ee_code = error.icmp_code;
  extended.ee_info = error.info;
  const bool is_v4 = error.reporter.is_v4();
  extended.ee_origin = is_v4 ? SO_EE_ORIGIN_ICMP : SO_EE_ORIGIN_ICMP6;
  if (error.reporter.is_unspecified()) extended.ee_origin = SO_EE_ORIGIN_LOCAL;
  ControlWriter out;
  if (socket.wants_timestamp) add_timestamp(out, now - error.arrived);
  if (socket.wants_hop_limit && !error.reporter.is_unspecified()) {
    const bool is_v4_socket = socket.family == AF_INET;
    out.add(is_v4_socket ? IPPROTO_IP : IPPROTO_IPV6, is_v4_socket ? IP_TTL : IPV6_HOPLIMIT,
            static_cast<int>(error.hop_limit));
  }
  if (socket.wants_old_hop_limit && !error.reporter.is_unspecified())
    out.add(IPPROTO_IPV6, IPV6_2292HOPLIMIT, static_cast<int>(error.hop_limit));
  const int shown_family = socket.family == AF_INET ? AF_INET : AF_INET6;
  const SocketAddress offender = to_sockaddr({error.reporter, 0, 0}, shown_family);
  if (shown_family == AF_INET) {
    V4 value{extended, {}};
    std::memcpy(&value.offender, &offender.storage, sizeof value.offender);
    out.add(IPPROTO_IP, IP_RECVERR, value);
  } else {
    V6 value{extended, {}};
    std::memcpy(&value.offender, &offender.storage, sizeof value.offender);
    out.add(IPPROTO_IPV6, IPV6_RECVERR, value);
  }
  return out.bytes();
}

}  // namespace lanyard::guest
