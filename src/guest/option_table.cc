// SPDX-License-Identifier: Apache-2.0
#include "guest/option_table.hh"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace lanyard::guest {

namespace {

using socket::Option;
using enum OptionShape;

// Newer than, or left out of, the C library's headers.
constexpr int so_zerocopy = 60, so_incoming_napi = 56, so_original_dst = 80;
constexpr int ip_recv_origin = 20, ipv6_recv_origin = 74;
constexpr int icmp_filter_name = 1;  // ICMP_FILTER
constexpr int tcp_ulp = 31, tcp_fastopen_connect = 30;

#define ROW(level, name, shape, option)  \
  OptionRow {                            \
    level, name, shape, option, 0, #name \
  }
#define REFUSED(level, name, code)                   \
  OptionRow {                                        \
    level, name, refused, Option::error, code, #name \
  }

constexpr std::array rows{
    ROW(SOL_SOCKET, SO_REUSEADDR, number, Option::reuse_address),
    ROW(SOL_SOCKET, SO_REUSEPORT, number, Option::reuse_port),
    ROW(SOL_SOCKET, SO_KEEPALIVE, number, Option::keep_alive),
    ROW(SOL_SOCKET, SO_BROADCAST, number, Option::broadcast),
    ROW(SOL_SOCKET, SO_LINGER, linger, Option::linger),
    ROW(SOL_SOCKET, SO_SNDBUF, number, Option::send_buffer),
    ROW(SOL_SOCKET, SO_RCVBUF, number, Option::receive_buffer),
    ROW(SOL_SOCKET, SO_ERROR, number, Option::error),
    ROW(SOL_SOCKET, SO_TYPE, number, Option::type),
    ROW(SOL_SOCKET, SO_DOMAIN, number, Option::domain),
    ROW(SOL_SOCKET, SO_PROTOCOL, number, Option::protocol),
    ROW(SOL_SOCKET, SO_ACCEPTCONN, number, Option::is_listening),
    ROW(SOL_SOCKET, SO_BINDTODEVICE, interface_name, Option::bind_to_interface),
    ROW(SOL_SOCKET, SO_OOBINLINE, number, Option::out_of_band_inline),
    ROW(SOL_SOCKET, SO_PRIORITY, number, Option::priority),
    ROW(SOL_SOCKET, SO_MARK, number, Option::mark),
    ROW(SOL_SOCKET, SO_MAX_PACING_RATE, rate, Option::pacing_rate_max),
    ROW(SOL_SOCKET, SO_RCVTIMEO, seconds_native, Option::error),
    ROW(SOL_SOCKET, SO_SNDTIMEO, seconds_native, Option::error),
    ROW(SOL_SOCKET, SO_RCVLOWAT, seconds_native, Option::receive_low_water),
    ROW(SOL_SOCKET, SO_SNDLOWAT, seconds_native, Option::error),
    ROW(SOL_SOCKET, SO_PEEK_OFF, seconds_native, Option::error),
    ROW(SOL_SOCKET, SO_TIMESTAMP, flag, Option::error),
    REFUSED(SOL_SOCKET, SO_PEERCRED, ENOPROTOOPT),
    REFUSED(SOL_SOCKET, SO_PEERSEC, ENOPROTOOPT),
    REFUSED(SOL_SOCKET, SO_ATTACH_FILTER, ENOPROTOOPT),
    REFUSED(SOL_SOCKET, SO_ATTACH_BPF, ENOPROTOOPT),
    REFUSED(SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, ENOPROTOOPT),
    REFUSED(SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, ENOPROTOOPT),
    REFUSED(SOL_SOCKET, SO_TIMESTAMPNS, ENOPROTOOPT),
    REFUSED(SOL_SOCKET, SO_TIMESTAMPING, ENOPROTOOPT),
    REFUSED(SOL_SOCKET, SO_INCOMING_CPU, ENOPROTOOPT),
    REFUSED(SOL_SOCKET, SO_BUSY_POLL, ENOPROTOOPT),
    REFUSED(SOL_SOCKET, SO_RXQ_OVFL, ENOPROTOOPT),
    REFUSED(SOL_SOCKET, SO_PASSCRED, ENOPROTOOPT),
    REFUSED(SOL_SOCKET, so_incoming_napi, ENOPROTOOPT),
    REFUSED(SOL_SOCKET, so_zerocopy, EOPNOTSUPP),
    ROW(IPPROTO_TCP, TCP_NODELAY, number, Option::no_delay),
    ROW(IPPROTO_TCP, TCP_MAXSEG, number, Option::max_segment),
    ROW(IPPROTO_TCP, TCP_CORK, number, Option::cork),
    ROW(IPPROTO_TCP, TCP_KEEPIDLE, number, Option::keep_idle),
    ROW(IPPROTO_TCP, TCP_KEEPINTVL, number, Option::keep_interval),
    ROW(IPPROTO_TCP, TCP_KEEPCNT, number, Option::keep_count),
    ROW(IPPROTO_TCP, TCP_SYNCNT, number, Option::syn_count),
    ROW(IPPROTO_TCP, TCP_LINGER2, number, Option::linger2),
    ROW(IPPROTO_TCP, TCP_DEFER_ACCEPT, number, Option::defer_accept),
    ROW(IPPROTO_TCP, TCP_WINDOW_CLAMP, number, Option::window_clamp),
    ROW(IPPROTO_TCP, TCP_INFO, info, Option::tcp_info),
    ROW(IPPROTO_TCP, TCP_QUICKACK, number, Option::quick_ack),
    ROW(IPPROTO_TCP, TCP_CONGESTION, text, Option::congestion),
    ROW(IPPROTO_TCP, TCP_USER_TIMEOUT, number, Option::user_timeout),
    ROW(IPPROTO_TCP, TCP_FASTOPEN, number, Option::fast_open),
    ROW(IPPROTO_TCP, TCP_NOTSENT_LOWAT, number, Option::not_sent_low_water),
    REFUSED(IPPROTO_TCP, tcp_fastopen_connect, EOPNOTSUPP),
    REFUSED(IPPROTO_TCP, tcp_ulp, ENOENT),
    REFUSED(IPPROTO_TCP, TCP_REPAIR, EPERM),
    ROW(IPPROTO_IP, IP_TTL, small_number, Option::hop_limit),
    ROW(IPPROTO_IP, IP_TOS, small_number, Option::traffic_class),
    ROW(IPPROTO_IP, IP_HDRINCL, number, Option::header_included),
    ROW(IPPROTO_IP, IP_OPTIONS, empty, Option::error),
    ROW(IPPROTO_IP, IP_RECVOPTS, flag, Option::header_included),
    ROW(IPPROTO_IP, IP_RETOPTS, flag, Option::header_included),
    ROW(IPPROTO_IP, IP_PKTINFO, flag, Option::packet_info),
    ROW(IPPROTO_IP, IP_RECVTTL, flag, Option::receive_hop_limit),
    ROW(IPPROTO_IP, IP_RECVTOS, flag, Option::receive_traffic_class),
    ROW(IPPROTO_IP, IP_RECVERR, number, Option::receive_errors),
    ROW(IPPROTO_IP, ip_recv_origin, flag, Option::receive_origin_destination),
    ROW(IPPROTO_IP, IP_MTU_DISCOVER, mtu_discovery, Option::dont_fragment),
    ROW(IPPROTO_IP, IP_MTU, number, Option::mtu),
    ROW(IPPROTO_IP, IP_FREEBIND, number, Option::free_bind),
    ROW(IPPROTO_IP, IP_MULTICAST_TTL, small_number, Option::multicast_hop_limit),
    ROW(IPPROTO_IP, IP_MULTICAST_LOOP, small_number, Option::multicast_loop),
    ROW(IPPROTO_IP, IP_MULTICAST_IF, interface_v4, Option::multicast_interface),
    ROW(IPPROTO_IP, IP_ADD_MEMBERSHIP, group_v4, Option::join_group),
    ROW(IPPROTO_IP, IP_DROP_MEMBERSHIP, group_v4, Option::leave_group),
    REFUSED(IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP, ENOPROTOOPT),
    REFUSED(IPPROTO_IP, IP_DROP_SOURCE_MEMBERSHIP, ENOPROTOOPT),
    REFUSED(IPPROTO_IP, IP_BLOCK_SOURCE, ENOPROTOOPT),
    REFUSED(IPPROTO_IP, IP_UNBLOCK_SOURCE, ENOPROTOOPT),
    REFUSED(IPPROTO_IP, IP_MSFILTER, ENOPROTOOPT),
    REFUSED(IPPROTO_IP, MCAST_JOIN_GROUP, ENOPROTOOPT),
    REFUSED(IPPROTO_IP, MCAST_LEAVE_GROUP, ENOPROTOOPT),
    REFUSED(IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, ENOPROTOOPT),
    REFUSED(IPPROTO_IP, MCAST_LEAVE_SOURCE_GROUP, ENOPROTOOPT),
    REFUSED(IPPROTO_IP, MCAST_BLOCK_SOURCE, ENOPROTOOPT),
    REFUSED(IPPROTO_IP, MCAST_UNBLOCK_SOURCE, ENOPROTOOPT),
    REFUSED(IPPROTO_IP, MCAST_MSFILTER, ENOPROTOOPT),
    REFUSED(IPPROTO_IPV6, MCAST_JOIN_GROUP, ENOPROTOOPT),
    REFUSED(IPPROTO_IPV6, MCAST_LEAVE_GROUP, ENOPROTOOPT),
    REFUSED(IPPROTO_IPV6, MCAST_JOIN_SOURCE_GROUP, ENOPROTOOPT),
    REFUSED(IPPROTO_IPV6, MCAST_LEAVE_SOURCE_GROUP, ENOPROTOOPT),
    REFUSED(IPPROTO_IPV6, MCAST_BLOCK_SOURCE, ENOPROTOOPT),
    REFUSED(IPPROTO_IPV6, MCAST_UNBLOCK_SOURCE, ENOPROTOOPT),
    REFUSED(IPPROTO_IPV6, MCAST_MSFILTER, ENOPROTOOPT),
    REFUSED(IPPROTO_IP, IP_TRANSPARENT, EPERM),
    REFUSED(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, ENOPROTOOPT),
    REFUSED(IPPROTO_IP, so_original_dst, ENOPROTOOPT),
    ROW(IPPROTO_IPV6, IPV6_V6ONLY, number, Option::v6_only),
    ROW(IPPROTO_IPV6, IPV6_UNICAST_HOPS, number, Option::hop_limit),
    ROW(IPPROTO_IPV6, IPV6_TCLASS, number, Option::traffic_class),
    ROW(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, number, Option::multicast_hop_limit),
    ROW(IPPROTO_IPV6, IPV6_MULTICAST_LOOP, number, Option::multicast_loop),
    ROW(IPPROTO_IPV6, IPV6_MULTICAST_IF, number, Option::multicast_interface),
    ROW(IPPROTO_IPV6, IPV6_JOIN_GROUP, group_v6, Option::join_group),
    ROW(IPPROTO_IPV6, IPV6_LEAVE_GROUP, group_v6, Option::leave_group),
    ROW(IPPROTO_IPV6, IPV6_RECVPKTINFO, flag, Option::packet_info),
    ROW(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, flag, Option::receive_hop_limit),
    ROW(IPPROTO_IPV6, IPV6_2292HOPLIMIT, flag, Option::receive_hop_limit),
    ROW(IPPROTO_IPV6, IPV6_PKTINFO, sticky_packet_info, Option::error),
    ROW(IPPROTO_IPV6, IPV6_RECVTCLASS, flag, Option::receive_traffic_class),
    ROW(IPPROTO_IPV6, ipv6_recv_origin, flag, Option::receive_origin_destination),
    ROW(IPPROTO_IPV6, IPV6_RECVERR, number, Option::receive_errors),
    ROW(IPPROTO_IPV6, IPV6_MTU_DISCOVER, mtu_discovery, Option::dont_fragment),
    ROW(IPPROTO_IPV6, IPV6_MTU, number, Option::mtu),
    ROW(IPPROTO_IPV6, IPV6_DONTFRAG, number, Option::dont_fragment),
    ROW(IPPROTO_ICMPV6, ICMP6_FILTER, icmp_filter, Option::icmp_filter),
    ROW(SOL_RAW, icmp_filter_name, icmp_filter, Option::icmp_filter),
    ROW(SOL_RAW, IPV6_CHECKSUM, number, Option::checksum_offset),
    ROW(IPPROTO_IPV6, IPV6_CHECKSUM, number, Option::checksum_offset),
};

#undef ROW
#undef REFUSED

}  // namespace

const OptionRow* find_option(int level, int name) {
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const OptionRow& candidate) {
    return candidate.level == level && candidate.name == name;
  });
  return row == rows.end() ? nullptr : &*row;
}

}  // namespace lanyard::guest
