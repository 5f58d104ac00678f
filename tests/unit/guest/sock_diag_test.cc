// SPDX-License-Identifier: Apache-2.0
// sock_diag(7) as a virtual host answers it, down to the bytes.
#include <gtest/gtest.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>

#include <cstring>

#include "guest/sock_diag.hh"

namespace lanyard::guest {
namespace {

using Bytestring = std::vector<std::uint8_t>;

constexpr std::uint32_t port = 4711, sequence = 42;
constexpr std::uint32_t every_state = ~0U;

template <typename T>
void append(Bytestring& to, const T& value) {
  Bytestring bytes(sizeof value);
  std::memcpy(bytes.data(), &value, sizeof value);
  to.insert(to.end(), bytes.begin(), bytes.end());
}

Bytestring request(const inet_diag_req_v2& wanted, std::uint16_t flags, const Bytestring& filter) {
  Bytestring body;
  append(body, wanted);
  if (!filter.empty()) {
    append(body,
           nlattr{static_cast<__u16>(sizeof(nlattr) + filter.size()), INET_DIAG_REQ_BYTECODE});
    body.insert(body.end(), filter.begin(), filter.end());
  }
  nlmsghdr header{};
  header.nlmsg_len = static_cast<__u32>(sizeof header + body.size());
  header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  header.nlmsg_flags = static_cast<__u16>(NLM_F_REQUEST | flags);
  header.nlmsg_seq = sequence;
  Bytestring message;
  append(message, header);
  message.insert(message.end(), body.begin(), body.end());
  return message;
}

inet_diag_req_v2 all_of(int family, int protocol) {
  inet_diag_req_v2 wanted{};
  wanted.sdiag_family = static_cast<__u8>(family);
  wanted.sdiag_protocol = static_cast<__u8>(protocol);
  wanted.idiag_states = every_state;
  return wanted;
}

DiagnosedSocket socket_of(socket::Type type, int protocol, const char* state, const Endpoint& local,
                          const Endpoint& peer) {
  DiagnosedSocket made;
  made.row.type = type;
  made.row.protocol = protocol;
  made.row.state = state;
  made.row.local = local;
  made.row.peer = peer;
  made.family = local.address.is_v4() ? AF_INET : AF_INET6;
  return made;
}

std::vector<DiagnosedSocket> some_sockets() {
  const IpAddress any = IpAddress::any(Family::ipv4), any6 = IpAddress::any(Family::ipv6);
  const IpAddress here = IpAddress::v4(0x0a000101), there = IpAddress::v4(0x0a000202);
  return {socket_of(socket::Type::stream, IPPROTO_TCP, "LISTEN", {any, 80}, {any, 0}),
          socket_of(socket::Type::stream, IPPROTO_TCP, "ESTABLISHED", {here, 80}, {there, 50000}),
          socket_of(socket::Type::stream, IPPROTO_TCP, "LISTEN", {any6, 8080}, {any6, 0}),
          socket_of(socket::Type::datagram, IPPROTO_UDP, "UNCONN", {any, 53}, {any, 0}),
          socket_of(socket::Type::datagram, IPPROTO_ICMP, "UNCONN", {any, 9}, {any, 0}),
          socket_of(socket::Type::raw, IPPROTO_ICMP, "UNCONN", {any, 0}, {any, 0})};
}

struct Answer {
  std::vector<std::pair<nlmsghdr, Bytestring>> messages;
};

Answer ask(const Bytestring& message, const std::vector<DiagnosedSocket>& sockets) {
  Answer answer;
  for (const std::string& datagram : answer_diagnosis(message, port, sockets)) {
    for (std::size_t at = 0; at < datagram.size();) {
      nlmsghdr header{};
      std::memcpy(&header, datagram.data() + at, sizeof header);
      EXPECT_EQ(header.nlmsg_pid, port);
      EXPECT_EQ(header.nlmsg_seq, sequence);
      answer.messages.emplace_back(
          header,
          Bytestring(datagram.begin() + static_cast<std::ptrdiff_t>(at + sizeof header),
                     datagram.begin() + static_cast<std::ptrdiff_t>(at + header.nlmsg_len)));
      at += NLMSG_ALIGN(header.nlmsg_len);
    }
  }
  return answer;
}

// The local ports of what is shown; the last message must be the end.
std::vector<int> ports(const Answer& answer) {
  std::vector<int> found;
  for (const auto& [header, body] : answer.messages) {
    if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY) continue;
    inet_diag_msg facts{};
    std::memcpy(&facts, body.data(), sizeof facts);
    found.push_back(ntohs(facts.id.idiag_sport));
  }
  const int last = answer.messages.empty() ? 0 : answer.messages.back().first.nlmsg_type;
  EXPECT_EQ(last, NLMSG_DONE);
  return found;
}

int error_of(const Answer& answer) {
  nlmsgerr refusal{};
  EXPECT_EQ(answer.messages.size(), 1U);
  if (answer.messages.empty()) return 0;
  EXPECT_EQ(answer.messages.front().first.nlmsg_type, NLMSG_ERROR);
  std::memcpy(&refusal, answer.messages.front().second.data(), sizeof refusal);
  return -refusal.error;
}

TEST(SockDiag, ADumpShowsOneFamilyAndProtocol) {
  const auto sockets = some_sockets();
  EXPECT_EQ(ports(ask(request(all_of(AF_INET, IPPROTO_TCP), NLM_F_DUMP, {}), sockets)),
            (std::vector<int>{80, 80}));
  EXPECT_EQ(ports(ask(request(all_of(AF_INET6, IPPROTO_TCP), NLM_F_DUMP, {}), sockets)),
            (std::vector<int>{8080}));
  EXPECT_EQ(ports(ask(request(all_of(AF_INET, IPPROTO_UDP), NLM_F_DUMP, {}), sockets)),
            (std::vector<int>{53}));
  // Of a raw socket the port is the protocol.
  EXPECT_EQ(ports(ask(request(all_of(AF_INET, IPPROTO_RAW), NLM_F_DUMP, {}), sockets)),
            (std::vector<int>{IPPROTO_ICMP}));
}

TEST(SockDiag, StatesAndExtensionsAreAsAskedFor) {
  auto sockets = some_sockets();
  sockets[1].congestion = "cubic";
  sockets[1].inode = 99;
  sockets[1].tcp_info = [] { return socket::TcpInfo{.rtt_us = 1234}; };
  inet_diag_req_v2 wanted = all_of(AF_INET, IPPROTO_TCP);
  constexpr int established = 1;
  wanted.idiag_states = 1 << established;
  wanted.idiag_ext = 1 << (INET_DIAG_INFO - 1) | 1 << (INET_DIAG_CONG - 1);
  const Answer answer = ask(request(wanted, NLM_F_DUMP, {}), sockets);
  ASSERT_EQ(answer.messages.size(), 2U);
  const Bytestring& body = answer.messages[0].second;
  inet_diag_msg facts{};
  std::memcpy(&facts, body.data(), sizeof facts);
  EXPECT_EQ(facts.idiag_state, established);
  EXPECT_EQ(facts.idiag_inode, 99U);
  EXPECT_EQ(ntohl(facts.id.idiag_dst[0]), 0x0a000202U);
  EXPECT_EQ(ntohs(facts.id.idiag_dport), 50000);
  const std::string text(body.begin(), body.end());
  EXPECT_NE(text.find("cubic"), std::string::npos);
  const std::uint32_t rtt = 1234;
  EXPECT_NE(text.find(std::string_view(std::bit_cast<std::array<char, 4>>(rtt).data(), 4)),
            std::string::npos);
}

TEST(SockDiag, OneSocketIsFoundByItsEnds) {
  const auto sockets = some_sockets();
  inet_diag_req_v2 wanted = all_of(AF_INET, IPPROTO_TCP);
  wanted.id.idiag_sport = htons(80);
  wanted.id.idiag_dport = htons(50000);
  wanted.id.idiag_src[0] = htonl(0x0a000101);
  wanted.id.idiag_dst[0] = htonl(0x0a000202);
  const Answer answer = ask(request(wanted, 0, {}), sockets);
  ASSERT_EQ(answer.messages.size(), 1U);
  EXPECT_EQ(answer.messages[0].first.nlmsg_type, SOCK_DIAG_BY_FAMILY);
  wanted.id.idiag_dport = htons(50001);
  EXPECT_EQ(error_of(ask(request(wanted, 0, {}), sockets)), ENOENT);
}

TEST(SockDiag, WhatIsNotServedIsRefused) {
  const auto sockets = some_sockets();
  EXPECT_EQ(error_of(ask(request(all_of(AF_UNIX, 0), NLM_F_DUMP, {}), sockets)), ENOENT);
  Bytestring other = request(all_of(AF_INET, IPPROTO_TCP), NLM_F_DUMP, {});
  other[4] = SOCK_DESTROY;
  EXPECT_EQ(error_of(ask(other, sockets)), EOPNOTSUPP);
  Bytestring cut = request(all_of(AF_INET, IPPROTO_TCP), NLM_F_DUMP, {});
  cut.resize(NLMSG_HDRLEN + 20);
  cut[0] = static_cast<std::uint8_t>(cut.size());
  EXPECT_EQ(error_of(ask(cut, sockets)), EINVAL);
  EXPECT_TRUE(answer_diagnosis(Bytes(cut).first(10), port, sockets).empty());
}

// What ss compiles `sport = :80 and dst 10.0.2.0/24` to: two steps, each to the next or to 4 bytes
// behind the end.
Bytestring port_and_prefix(std::uint16_t number, std::uint8_t prefix_bits) {
  Bytestring filter;
  constexpr std::uint8_t condition_bytes =
      sizeof(inet_diag_bc_op) + sizeof(inet_diag_hostcond) + sizeof(std::uint32_t);
  append(filter, inet_diag_bc_op{INET_DIAG_BC_S_EQ, 8, 8 + condition_bytes + 4});
  append(filter, inet_diag_bc_op{INET_DIAG_BC_NOP, 0, number});
  append(filter, inet_diag_bc_op{INET_DIAG_BC_D_COND, condition_bytes, condition_bytes + 4});
  Bytestring condition(sizeof(inet_diag_hostcond));
  condition[0] = AF_INET;
  condition[1] = prefix_bits;
  const std::int32_t any_port = -1;
  std::memcpy(&condition[4], &any_port, sizeof any_port);
  filter.insert(filter.end(), condition.begin(), condition.end());
  append(filter, htonl(0x0a000200));
  return filter;
}

TEST(SockDiag, AFilterLetsPassWhatItNames) {
  const auto sockets = some_sockets();
  EXPECT_FALSE(*passes_filter(port_and_prefix(80, 24), sockets[0]));
  EXPECT_TRUE(*passes_filter(port_and_prefix(80, 24), sockets[1]));
  EXPECT_FALSE(*passes_filter(port_and_prefix(81, 24), sockets[1]));
  EXPECT_FALSE(*passes_filter(port_and_prefix(80, 32), sockets[1]));
  EXPECT_TRUE(*passes_filter({}, sockets[0]));
  EXPECT_EQ(ports(ask(request(all_of(AF_INET, IPPROTO_TCP), NLM_F_DUMP, port_and_prefix(80, 24)),
                      sockets)),
            (std::vector<int>{80}));
}

TEST(SockDiag, NoFilterRunsForEverOrBehindItsEnd) {
  const auto sockets = some_sockets();
  const Bytestring good = port_and_prefix(80, 24);
  // Every byte of a good filter, with every value: an answer or an error.
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      Bytestring filter = good;
      filter[at] = static_cast<std::uint8_t>(value);
      for (const DiagnosedSocket& socket : sockets) (void)passes_filter(filter, socket);
    }
  }
  for (std::size_t size = 1; size < good.size(); ++size) {
    if (size == 8) continue;  // where a step ends there is a whole, shorter filter
    const auto passes = passes_filter(Bytes(good).first(size), sockets[1]);
    EXPECT_TRUE(!passes || !*passes) << size;
  }
  Bytestring stays;
  append(stays, inet_diag_bc_op{INET_DIAG_BC_NOP, 0, 0});
  EXPECT_EQ(passes_filter(stays, sockets[0]).error(), Errno::invalid);
}

}  // namespace
}  // namespace lanyard::guest
