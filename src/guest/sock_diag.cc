// SPDX-License-Identifier: Apache-2.0
#include "guest/sock_diag.hh"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "guest/netlink.hh"
#include "guest/socket_address.hh"
#include "guest/tcp_info.hh"

namespace lanyard::guest {

namespace {

// As much as the kernel puts into one datagram of a dump.
constexpr std::size_t datagram_bytes_max = 8192;

struct Request {
  nlmsghdr header{};
  inet_diag_req_v2 wanted{};
  Bytes filter;
};

// The states as Linux numbers them (include/net/tcp_states.h), by their names in a SocketRow.
std::uint8_t state_of(const socket::SocketRow& row) {
  static constexpr std::array<std::pair<std::string_view, std::uint8_t>, 14> states{
      {{"ESTABLISHED", 1},
       {"SYN-SENT", 2},
       {"SYN-RECEIVED", 3},
       {"FIN-WAIT-1", 4},
       {"FIN-WAIT-2", 5},
       {"TIME-WAIT", 6},
       {"CLOSED", 7},
       {"CLOSE-WAIT", 8},
       {"LAST-ACK", 9},
       {"LISTEN", 10},
       {"CLOSING", 11},
       {"ESTAB", 1},
       {"UNCONN", 7}}};
  const auto* const found =
      std::ranges::find(states, row.state, [](const auto& state) { return state.first; });
  return found == states.end() ? 7 : found->second;
}

// What of a sockaddr a diagnosis holds: the port as it is on the wire, and an address of four
// words.
void put_endpoint(const Endpoint& endpoint, int family, __be16& port, __be32* address) {
  const SocketAddress shown = to_sockaddr(endpoint, family);
  if (family == AF_INET6) {
    sockaddr_in6 six{};
    std::memcpy(&six, &shown.storage, sizeof six);
    port = six.sin6_port;
    std::memcpy(address, &six.sin6_addr, sizeof six.sin6_addr);
  } else {
    sockaddr_in four{};
    std::memcpy(&four, &shown.storage, sizeof four);
    port = four.sin_port;
    std::memcpy(address, &four.sin_addr, sizeof four.sin_addr);
  }
}

inet_diag_sockid identity_of(const DiagnosedSocket& socket) {
  inet_diag_sockid id{};
  Endpoint local = socket.row.local;
  // raw(7): what stands in a port's place is the protocol.
  if (socket.row.type == socket::Type::raw)
    local.port = static_cast<std::uint16_t>(socket.row.protocol);
  put_endpoint(local, socket.family, id.idiag_sport, id.idiag_src);
  put_endpoint(socket.row.peer, socket.family, id.idiag_dport, id.idiag_dst);
  id.idiag_if = socket.row.local.interface;
  id.idiag_cookie[0] = static_cast<std::uint32_t>(socket.row.socket);
  return id;
}

inet_diag_msg facts_of(const DiagnosedSocket& socket) {
  inet_diag_msg facts{};
  facts.idiag_family = static_cast<std::uint8_t>(socket.family);
  facts.idiag_state = state_of(socket.row);
  facts.id = identity_of(socket);
  facts.idiag_rqueue = static_cast<std::uint32_t>(socket.row.receive_queue);
  facts.idiag_wqueue = static_cast<std::uint32_t>(socket.row.send_queue);
  facts.idiag_inode = socket.inode;
  return facts;
}

bool wants(const Request& request, int extension) {
  return (request.wanted.idiag_ext & 1 << (extension - 1)) != 0;
}

void add_memory(NetlinkMessage& message, const Request& request, const DiagnosedSocket& socket) {
  const auto received = static_cast<std::uint32_t>(socket.row.receive_queue);
  const auto sent = static_cast<std::uint32_t>(socket.row.send_queue);
  if (wants(request, INET_DIAG_MEMINFO)) {
    const inet_diag_meminfo memory{received, sent, 0, sent};
    message.add(INET_DIAG_MEMINFO, &memory, sizeof memory);
  }
  if (wants(request, INET_DIAG_SKMEMINFO)) {
    std::array<std::uint32_t, SK_MEMINFO_VARS> memory{};
    memory[SK_MEMINFO_RMEM_ALLOC] = received;
    memory[SK_MEMINFO_RCVBUF] = socket.receive_buffer;
    memory[SK_MEMINFO_SNDBUF] = socket.send_buffer;
    memory[SK_MEMINFO_WMEM_QUEUED] = sent;
    message.add(INET_DIAG_SKMEMINFO, memory.data(), sizeof memory);
  }
}

std::string describe(const Request& request, std::uint32_t port, const DiagnosedSocket& socket) {
  const inet_diag_msg facts = facts_of(socket);
  NetlinkMessage message(SOCK_DIAG_BY_FAMILY, 0, &facts, sizeof facts);
  add_memory(message, request, socket);
  if (socket.family == AF_INET6) {
    const std::uint8_t only = socket.v6_only ? 1 : 0;
    message.add(INET_DIAG_SKV6ONLY, &only, sizeof only);
  }
  if (socket.row.type == socket::Type::stream && facts.idiag_state != 10) {
    if (wants(request, INET_DIAG_CONG) && !socket.congestion.empty())
      message.add_text(INET_DIAG_CONG, socket.congestion);
    const auto info =
        wants(request, INET_DIAG_INFO) && socket.tcp_info ? socket.tcp_info() : std::nullopt;
    if (info) {
      const std::string bytes = tcp_info_bytes(*info);
      message.add(INET_DIAG_INFO, bytes.data(), bytes.size());
    }
  }
  return message.finish_answer(request.header.nlmsg_seq, port, NLM_F_MULTI);
}

std::string end_of_dump(const Request& request, std::uint32_t port) {
  const int nothing = 0;
  return NetlinkMessage(NLMSG_DONE, 0, &nothing, sizeof nothing)
      .finish_answer(request.header.nlmsg_seq, port, NLM_F_MULTI);
}

// Error 0 is an acknowledgement.
std::string error_answer(const Request& request, std::uint32_t port, Errno error) {
  nlmsgerr refusal{};
  refusal.error = -static_cast<int>(error);
  refusal.msg = request.header;
  return NetlinkMessage(NLMSG_ERROR, 0, &refusal, sizeof refusal)
      .finish_answer(request.header.nlmsg_seq, port, 0);
}

bool is_of_protocol(const Request& request, const socket::SocketRow& row) {
  const int wanted = request.wanted.sdiag_protocol;
  if (wanted == IPPROTO_RAW) return row.type == socket::Type::raw;
  return row.type != socket::Type::raw && row.protocol == wanted;
}

// Among one family's sockets of one protocol. A listener of IPv6 that takes IPv4 too is IPv6's.
bool is_asked_for(const Request& request, const DiagnosedSocket& socket) {
  return socket.family == request.wanted.sdiag_family && is_of_protocol(request, socket.row);
}

// The one socket with these ends; a listener has no far end.
bool is_the_one(const Request& request, const DiagnosedSocket& socket) {
  const inet_diag_sockid mine = identity_of(socket);
  const inet_diag_sockid& id = request.wanted.id;
  const std::size_t words = socket.family == AF_INET ? 1 : 4;
  return mine.idiag_sport == id.idiag_sport && mine.idiag_dport == id.idiag_dport &&
         std::equal(mine.idiag_src, mine.idiag_src + words, id.idiag_src) &&
         std::equal(mine.idiag_dst, mine.idiag_dst + words, id.idiag_dst);
}

// The filter of a request, if it has one; false: attributes that are not well-formed.
bool read_filter(Bytes attributes, Bytes& filter) {
  while (attributes.size() >= sizeof(nlattr)) {
    nlattr attribute{};
    std::memcpy(&attribute, attributes.data(), sizeof attribute);
    if (attribute.nla_len < sizeof attribute || attribute.nla_len > attributes.size()) return false;
    if (attribute.nla_type == INET_DIAG_REQ_BYTECODE)
      filter = attributes.subspan(sizeof attribute, attribute.nla_len - sizeof attribute);
    attributes = attributes.subspan(
        std::min<std::size_t>(NLMSG_ALIGN(attribute.nla_len), attributes.size()));
  }
  return attributes.empty();
}

Result<void> read_request(Bytes message, Request& request) {
  if (request.header.nlmsg_type != SOCK_DIAG_BY_FAMILY) return unexpected(Errno::not_supported);
  const Bytes body = message.subspan(NLMSG_HDRLEN);
  if (body.size() < sizeof(sock_diag_req)) return unexpected(Errno::invalid);
  const int family = body[0];
  // As a kernel without these modules: ss then reads /proc/net.
  if (family != AF_INET && family != AF_INET6) return unexpected(Errno::no_such_entry);
  if (body.size() < sizeof request.wanted) return unexpected(Errno::invalid);
  std::memcpy(&request.wanted, body.data(), sizeof request.wanted);
  if (!read_filter(body.subspan(sizeof request.wanted), request.filter))
    return unexpected(Errno::invalid);
  return {};
}

// Answers of a dump share datagrams.
class Datagrams {
 public:
  void add(std::string message) {
    if (datagrams_.empty() || datagrams_.back().size() + message.size() > datagram_bytes_max) {
      datagrams_.push_back(std::move(message));
    } else {
      datagrams_.back() += message;
    }
  }
  [[nodiscard]] std::vector<std::string> take() { return std::move(datagrams_); }

 private:
  std::vector<std::string> datagrams_;
};

Result<void> dump(const Request& request, std::uint32_t port,
                  const std::vector<DiagnosedSocket>& sockets, Datagrams& out) {
  for (const DiagnosedSocket& socket : sockets) {
    const bool has_state = (request.wanted.idiag_states >> state_of(socket.row) & 1) != 0;
    if (!has_state || !is_asked_for(request, socket)) continue;
    const auto passes = passes_filter(request.filter, socket);
    if (!passes) return unexpected(passes.error());
    if (*passes) out.add(describe(request, port, socket));
  }
  out.add(end_of_dump(request, port));
  return {};
}

Result<void> answer_one(Bytes message, Request& request, std::uint32_t port,
                        const std::vector<DiagnosedSocket>& sockets, Datagrams& out) {
  if (const auto read = read_request(message, request); !read) return read;
  if ((request.header.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP)
    return dump(request, port, sockets, out);
  const auto one = std::ranges::find_if(sockets, [&](const DiagnosedSocket& socket) {
    return is_asked_for(request, socket) && is_the_one(request, socket);
  });
  if (one == sockets.end()) return unexpected(Errno::no_such_entry);
  out.add(describe(request, port, *one));
  return {};
}

}  // namespace

std::vector<std::string> answer_diagnosis(Bytes requests, std::uint32_t port,
                                          const std::vector<DiagnosedSocket>& sockets) {
  Datagrams out;
  while (requests.size() >= sizeof(nlmsghdr)) {
    Request request;
    std::memcpy(&request.header, requests.data(), sizeof request.header);
    const std::size_t size = request.header.nlmsg_len;
    if (size < sizeof request.header || size > requests.size()) break;
    const auto answered = answer_one(requests.first(size), request, port, sockets, out);
    const bool wants_ack = (request.header.nlmsg_flags & NLM_F_ACK) != 0;
    if (!answered) {
      out.add(error_answer(request, port, answered.error()));
    } else if (wants_ack && (request.header.nlmsg_flags & NLM_F_DUMP) == 0) {
      out.add(error_answer(request, port, Errno{}));
    }
    requests = requests.subspan(std::min<std::size_t>(NLMSG_ALIGN(size), requests.size()));
  }
  return out.take();
}

}  // namespace lanyard::guest
