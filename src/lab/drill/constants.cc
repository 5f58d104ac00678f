// SPDX-License-Identifier: Apache-2.0
// Only numbers are taken from the operating system's headers; nothing is called.
#include "lab/drill/constants.hh"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <map>
#include <span>

namespace lanyard::lab::drill {

namespace {

struct Name {
  std::string_view name;
  std::int64_t value;
};

#define NAME(constant) \
  { #constant, static_cast < std::int64_t>(constant) }

constexpr Name socket_names[] = {
    NAME(AF_UNSPEC),
    NAME(AF_INET),
    NAME(AF_INET6),
    {"PF_INET", AF_INET},
    {"PF_INET6", AF_INET6},
    NAME(SOCK_STREAM),
    NAME(SOCK_DGRAM),
    NAME(SOCK_RAW),
    NAME(SOCK_NONBLOCK),
    NAME(SOCK_CLOEXEC),
    NAME(IPPROTO_IP),
    NAME(IPPROTO_TCP),
    NAME(IPPROTO_UDP),
    NAME(IPPROTO_ICMP),
    NAME(IPPROTO_IPV6),
    NAME(IPPROTO_ICMPV6),
    NAME(SOL_SOCKET),
    NAME(SOL_TCP),
    NAME(SOL_IP),
    NAME(SOL_IPV6),
    {"SOL_UDP", 17},
    NAME(SO_REUSEADDR),
    NAME(SO_REUSEPORT),
    NAME(SO_KEEPALIVE),
    NAME(SO_BROADCAST),
    NAME(SO_LINGER),
    NAME(SO_SNDBUF),
    NAME(SO_RCVBUF),
    NAME(SO_SNDBUFFORCE),
    NAME(SO_RCVBUFFORCE),
    NAME(SO_ERROR),
    NAME(SO_TYPE),
    NAME(SO_DOMAIN),
    NAME(SO_PROTOCOL),
    NAME(SO_ACCEPTCONN),
    NAME(SO_OOBINLINE),
    NAME(SO_PRIORITY),
    NAME(SO_MARK),
    NAME(SO_RCVTIMEO),
    NAME(SO_SNDTIMEO),
    NAME(SO_RCVLOWAT),
    NAME(SO_SNDLOWAT),
    NAME(SO_TIMESTAMPING),
    {"SO_ZEROCOPY", 60},
    NAME(SO_MAX_PACING_RATE),
    NAME(SO_BUSY_POLL),
    NAME(SO_TIMESTAMP),
    NAME(SO_TIMESTAMPNS),
    NAME(SO_BINDTODEVICE),
    NAME(SO_DEBUG),
    NAME(SO_DONTROUTE),
    {"SO_TXTIME", 61},
    NAME(SO_ATTACH_FILTER),
    NAME(SO_INCOMING_CPU),
    NAME(SOMAXCONN),
    {"INADDR_ANY", 0},
    NAME(SHUT_RD),
    NAME(SHUT_WR),
    NAME(SHUT_RDWR),
    NAME(MSG_OOB),
    NAME(MSG_PEEK),
    NAME(MSG_DONTROUTE),
    NAME(MSG_TRUNC),
    NAME(MSG_DONTWAIT),
    NAME(MSG_EOR),
    NAME(MSG_WAITALL),
    NAME(MSG_CTRUNC),
    NAME(MSG_NOSIGNAL),
    NAME(MSG_MORE),
    NAME(MSG_ERRQUEUE),
    NAME(MSG_CONFIRM),
    {"MSG_ZEROCOPY", 0x4000000},
    {"SO_EE_ORIGIN_ZEROCOPY", 5},
    {"SO_EE_CODE_ZEROCOPY_COPIED", 1},
    {"SO_EE_ORIGIN_TIMESTAMPING", 4},
    {"SCM_TIMESTAMPING", SO_TIMESTAMPING},
    {"SCM_TSTAMP_SND", 0},
    {"SCM_TSTAMP_SCHED", 1},
    {"SCM_TSTAMP_ACK", 2},
    {"SOF_TIMESTAMPING_TX_SOFTWARE", 2},
    {"SOF_TIMESTAMPING_SOFTWARE", 16},
    {"SOF_TIMESTAMPING_OPT_ID", 128},
    {"SOF_TIMESTAMPING_TX_SCHED", 256},
    {"SOF_TIMESTAMPING_TX_ACK", 512},
    {"SOF_TIMESTAMPING_OPT_CMSG", 1024},
    {"SOF_TIMESTAMPING_OPT_TSONLY", 2048},
    {"ENOMSG", 42},
    {"MSG_FASTOPEN", 0x20000000},
    {"IP_TTL", IP_TTL},
    NAME(IP_TOS),
    NAME(IP_MTU_DISCOVER),
    NAME(IP_MTU),
    NAME(IP_RECVERR),
    NAME(IP_RECVTOS),
    NAME(IP_RECVTTL),
    NAME(IP_FREEBIND),
    NAME(IP_PKTINFO),
    NAME(IP_OPTIONS),
    NAME(IP_TRANSPARENT),
    NAME(IP_PMTUDISC_DO),
    NAME(IP_PMTUDISC_DONT),
    NAME(IP_PMTUDISC_WANT),
    NAME(IP_PMTUDISC_PROBE),
    NAME(IPV6_V6ONLY),
    NAME(IPV6_UNICAST_HOPS),
    NAME(IPV6_TCLASS),
    NAME(IPV6_RECVERR),
    NAME(IPV6_MTU_DISCOVER),
    NAME(IPV6_MTU),
    NAME(IPV6_RECVTCLASS),
    NAME(IPV6_HOPLIMIT),
    NAME(IPV6_RECVHOPLIMIT),
    NAME(IPV6_DONTFRAG),
};

constexpr Name tcp_names[] = {
    NAME(TCP_NODELAY),
    NAME(TCP_MAXSEG),
    NAME(TCP_CORK),
    NAME(TCP_KEEPIDLE),
    NAME(TCP_KEEPINTVL),
    NAME(TCP_KEEPCNT),
    NAME(TCP_SYNCNT),
    NAME(TCP_LINGER2),
    NAME(TCP_DEFER_ACCEPT),
    NAME(TCP_WINDOW_CLAMP),
    NAME(TCP_INFO),
    NAME(TCP_QUICKACK),
    NAME(TCP_CONGESTION),
    NAME(TCP_USER_TIMEOUT),
    NAME(TCP_FASTOPEN),
    NAME(TCP_TIMESTAMP),
    NAME(TCP_NOTSENT_LOWAT),
    NAME(TCP_MD5SIG),
    NAME(TCP_REPAIR),
    {"TCP_SAVE_SYN", 27},
    {"TCP_SAVED_SYN", 28},
    {"TCP_CC_INFO", 26},
    {"TCP_ULP", 31},
    {"TCP_FASTOPEN_CONNECT", 30},
    {"TCP_FASTOPEN_KEY", 33},
    {"TCP_FASTOPEN_NO_COOKIE", 34},
    {"TCP_INQ", 36},
    {"TCP_CM_INQ", 36},
    {"TCP_TX_DELAY", 37},
    {"TCP_ZEROCOPY_RECEIVE", 35},
    {"TCP_THIN_LINEAR_TIMEOUTS", 16},
    {"TCP_THIN_DUPACK", 17},
    {"TCP_QUEUE_SEQ", 21},
    {"TCP_RTO_MAX_MS", 44},
    NAME(TCP_ESTABLISHED),
    NAME(TCP_SYN_SENT),
    NAME(TCP_SYN_RECV),
    NAME(TCP_FIN_WAIT1),
    NAME(TCP_FIN_WAIT2),
    NAME(TCP_TIME_WAIT),
    NAME(TCP_CLOSE),
    NAME(TCP_CLOSE_WAIT),
    NAME(TCP_LAST_ACK),
    NAME(TCP_LISTEN),
    NAME(TCP_CLOSING),
    {"TCP_CA_Open", 0},
    {"TCP_CA_Disorder", 1},
    {"TCP_CA_CWR", 2},
    {"TCP_CA_Recovery", 3},
    {"TCP_CA_Loss", 4},
    {"TCPI_OPT_TIMESTAMPS", 1},
    {"TCPI_OPT_SACK", 2},
    {"TCPI_OPT_WSCALE", 4},
    {"TCPI_OPT_ECN", 8},
    {"TCPI_OPT_ECN_SEEN", 16},
    {"TCPI_OPT_SYN_DATA", 32},
    {"TCPI_OPT_USEC_TS", 64},
    {"TCPI_OPT_TFO_CHILD", 128},
    {"TCP_INFINITE_SSTHRESH", 0x7fffffff},
};

constexpr Name file_names[] = {
    NAME(O_RDONLY),
    NAME(O_WRONLY),
    NAME(O_RDWR),
    NAME(O_NONBLOCK),
    NAME(O_NDELAY),
    NAME(F_GETFL),
    NAME(F_SETFL),
    NAME(F_GETFD),
    NAME(F_SETFD),
    NAME(FD_CLOEXEC),
    NAME(POLLIN),
    NAME(POLLPRI),
    NAME(POLLOUT),
    NAME(POLLERR),
    NAME(POLLHUP),
    NAME(POLLNVAL),
    NAME(POLLRDNORM),
    NAME(POLLRDBAND),
    NAME(POLLWRNORM),
    NAME(POLLWRBAND),
    {"POLLRDHUP", 0x2000},
    NAME(EPOLLIN),
    NAME(EPOLLPRI),
    NAME(EPOLLOUT),
    NAME(EPOLLERR),
    NAME(EPOLLHUP),
    NAME(EPOLLRDNORM),
    NAME(EPOLLRDBAND),
    NAME(EPOLLWRNORM),
    NAME(EPOLLWRBAND),
    NAME(EPOLLRDHUP),
    NAME(EPOLLET),
    NAME(EPOLLONESHOT),
    {"EPOLLEXCLUSIVE", 1 << 28},
    {"EPOLLWAKEUP", 1 << 29},
    NAME(EPOLL_CTL_ADD),
    NAME(EPOLL_CTL_MOD),
    NAME(EPOLL_CTL_DEL),
    NAME(EPOLL_CLOEXEC),
    NAME(FIONREAD),
    {"SIOCINQ", FIONREAD},
    {"SIOCOUTQ", 0x5411},
    {"SIOCATMARK", 0x8905},
    {"SIOCOUTQNSD", 0x894b},
    NAME(FIONBIO),
    {"NULL", 0},
    {"true", 1},
    {"false", 0},
};

constexpr Name error_names[] = {
    NAME(EPERM),        NAME(ENOENT),       NAME(EINTR),           NAME(EBADF),
    NAME(EAGAIN),       NAME(ENOMEM),       NAME(EACCES),          NAME(EFAULT),
    NAME(EBUSY),        NAME(EEXIST),       NAME(ENODEV),          NAME(EINVAL),
    NAME(EMFILE),       NAME(EPIPE),        NAME(ENOTSOCK),        NAME(EDESTADDRREQ),
    NAME(EMSGSIZE),     NAME(ENOPROTOOPT),  NAME(EPROTONOSUPPORT), NAME(EOPNOTSUPP),
    NAME(EAFNOSUPPORT), NAME(EADDRINUSE),   NAME(EADDRNOTAVAIL),   NAME(ENETDOWN),
    NAME(ENETUNREACH),  NAME(ECONNABORTED), NAME(ECONNRESET),      NAME(ENOBUFS),
    NAME(EISCONN),      NAME(ENOTCONN),     NAME(ETIMEDOUT),       NAME(ECONNREFUSED),
    NAME(EHOSTDOWN),    NAME(EHOSTUNREACH), NAME(EALREADY),        NAME(EINPROGRESS),
    NAME(EPROTO),
};

#undef NAME

const std::map<std::string_view, std::int64_t>& table() {
  static const auto names = [] {
    std::map<std::string_view, std::int64_t> all;
    for (const std::span<const Name> list :
         {std::span<const Name>(socket_names), std::span<const Name>(tcp_names),
          std::span<const Name>(file_names), std::span<const Name>(error_names)}) {
      for (const Name& each : list) all.emplace(each.name, each.value);
    }
    return all;
  }();
  return names;
}

}  // namespace

std::optional<std::int64_t> constant(std::string_view name) {
  const auto found = table().find(name);
  if (found != table().end()) return found->second;
  return std::nullopt;
}

}  // namespace lanyard::lab::drill
