// SPDX-License-Identifier: Apache-2.0
#include "guest/netlink.hh"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace lanyard::guest {

namespace {

constexpr std::uint16_t make_new = NLM_F_CREATE | NLM_F_EXCL;

std::uint8_t family_of(const IpAddress& address) {
  return address.is_v4() ? AF_INET : AF_INET6;
}

void add_ip(NetlinkMessage& message, std::uint16_t type, const IpAddress& address) {
  const Bytes bytes = address.wire_bytes();
  message.add(type, bytes.data(), bytes.size());
}

ifinfomsg link_header(std::uint32_t index, unsigned flags) {
  ifinfomsg header{};
  header.ifi_family = AF_UNSPEC;
  header.ifi_index = static_cast<int>(index);
  header.ifi_flags = flags;
  header.ifi_change = flags;
  return header;
}

}  // namespace

NetlinkMessage::NetlinkMessage(std::uint16_t type, std::uint16_t flags, const void* header,
                               std::size_t size) {
  nlmsghdr message{};
  message.nlmsg_type = type;
  message.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
  add_header(&message, sizeof message);
  add_header(header, size);
}

void NetlinkMessage::add_header(const void* data, std::size_t size) {
  bytes_.append(static_cast<const char*>(data), size);
  bytes_.resize(NLMSG_ALIGN(bytes_.size()));
}

void NetlinkMessage::add(std::uint16_t type, const void* data, std::size_t size) {
  const std::size_t at = open(type);
  bytes_.append(static_cast<const char*>(data), size);
  close(at);
}

std::size_t NetlinkMessage::open(std::uint16_t type) {
  const std::size_t at = bytes_.size();
  const rtattr attribute{0, type};
  add_header(&attribute, sizeof attribute);
  return at;
}

void NetlinkMessage::close(std::size_t at) {
  const auto length = static_cast<std::uint16_t>(bytes_.size() - at);
  std::memcpy(bytes_.data() + at, &length, sizeof length);
  bytes_.resize(RTA_ALIGN(bytes_.size()));
}

std::string NetlinkMessage::finish(std::uint32_t sequence) {
  nlmsghdr header{};
  std::memcpy(&header, bytes_.data(), sizeof header);
  header.nlmsg_len = static_cast<std::uint32_t>(bytes_.size());
  header.nlmsg_seq = sequence;
  std::memcpy(bytes_.data(), &header, sizeof header);
  return bytes_;
}

std::string NetlinkMessage::finish_answer(std::uint32_t sequence, std::uint32_t port,
                                          std::uint16_t flags) {
  nlmsghdr header{};
  std::memcpy(&header, bytes_.data(), sizeof header);
  header.nlmsg_flags = flags;
  header.nlmsg_pid = port;
  std::memcpy(bytes_.data(), &header, sizeof header);
  return finish(sequence);
}

Netlink::Netlink() : socket_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)) {}

int Netlink::ask(const std::string& request) {
  if (send(socket_.get(), request.data(), request.size(), 0) < 0) return errno;
  alignas(nlmsghdr) char reply[8192];
  const ssize_t size = recv(socket_.get(), reply, sizeof reply, 0);
  if (size < 0) return errno;
  nlmsghdr header{};
  nlmsgerr error{};
  if (static_cast<std::size_t>(size) < sizeof header + sizeof error) return EPROTO;
  std::memcpy(&header, reply, sizeof header);
  std::memcpy(&error, reply + sizeof header, sizeof error);
  return header.nlmsg_type == NLMSG_ERROR ? -error.error : EPROTO;
}

int Netlink::set_up(std::uint32_t index) {
  const ifinfomsg header = link_header(index, IFF_UP);
  NetlinkMessage message(RTM_NEWLINK, 0, &header, sizeof header);
  return ask(message.finish(++sequence_));
}

int Netlink::set_mac(std::uint32_t index, const MacAddress& mac, std::uint32_t mtu) {
  const ifinfomsg header = link_header(index, 0);
  NetlinkMessage message(RTM_NEWLINK, 0, &header, sizeof header);
  message.add(IFLA_ADDRESS, mac.bytes.data(), mac.bytes.size());
  message.add_number(IFLA_MTU, mtu);
  return ask(message.finish(++sequence_));
}

int Netlink::add_pair(const Pair& pair) {
  const ifinfomsg header = link_header(pair.index, 0);
  NetlinkMessage message(RTM_NEWLINK, make_new, &header, sizeof header);
  message.add_text(IFLA_IFNAME, pair.name);
  if (!pair.mac.is_zero()) message.add(IFLA_ADDRESS, pair.mac.bytes.data(), 6);
  message.add_number(IFLA_MTU, pair.mtu);
  const std::size_t info = message.open(IFLA_LINKINFO);
  message.add_text(IFLA_INFO_KIND, "veth");
  const std::size_t data = message.open(IFLA_INFO_DATA);
  const std::size_t peer = message.open(VETH_INFO_PEER);
  const ifinfomsg peer_header = link_header(pair.peer_index, 0);
  message.add_header(&peer_header, sizeof peer_header);
  message.add_text(IFLA_IFNAME, pair.peer_name);
  message.add_number(IFLA_MTU, pair.mtu);
  if (pair.peer_namespace >= 0)
    message.add_number(IFLA_NET_NS_FD, static_cast<std::uint32_t>(pair.peer_namespace));
  message.close(peer);
  message.close(data);
  message.close(info);
  return ask(message.finish(++sequence_));
}

int Netlink::add_address(std::uint32_t index, const IpPrefix& prefix) {
  ifaddrmsg header{};
  header.ifa_family = family_of(prefix.address);
  header.ifa_prefixlen = prefix.length;
  header.ifa_index = index;
  // The lab knows that its addresses are unique; a tentative one could not be bound to at once.
  if (prefix.address.is_v6()) header.ifa_flags = IFA_F_NODAD;
  NetlinkMessage message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &header, sizeof header);
  add_ip(message, IFA_LOCAL, prefix.address);
  add_ip(message, IFA_ADDRESS, prefix.address);
  if (const auto broadcast = prefix.broadcast()) add_ip(message, IFA_BROADCAST, *broadcast);
  return ask(message.finish(++sequence_));
}

int Netlink::add_route(const IpPrefix& destination, const IpAddress& gateway, std::uint32_t index,
                       std::uint32_t metric) {
  rtmsg header{};
  header.rtm_family = family_of(destination.address);
  header.rtm_dst_len = destination.length;
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = RTPROT_STATIC;
  header.rtm_type = RTN_UNICAST;
  const bool is_direct = gateway.is_unspecified();
  header.rtm_scope = is_direct ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  NetlinkMessage message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &header, sizeof header);
  if (destination.length > 0) add_ip(message, RTA_DST, destination.network());
  if (!is_direct) add_ip(message, RTA_GATEWAY, gateway);
  message.add_number(RTA_OIF, index);
  if (metric != 0) message.add_number(RTA_PRIORITY, metric);
  return ask(message.finish(++sequence_));
}

}  // namespace lanyard::guest
