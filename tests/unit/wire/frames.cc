// SPDX-License-Identifier: Apache-2.0
#include "frames.hh"

#include <array>

#include "wire/arp.hh"
#include "wire/dhcp.hh"
#include "wire/dhcp6.hh"
#include "wire/dns.hh"
#include "wire/ethernet.hh"
#include "wire/icmp.hh"
#include "wire/ipv4.hh"
#include "wire/ipv4_options.hh"
#include "wire/ipv6.hh"
#include "wire/ipv6_extensions.hh"
#include "wire/membership.hh"
#include "wire/ndp.hh"
#include "wire/protocol.hh"
#include "wire/tcp.hh"
#include "wire/udp.hh"
#include "wire/vlan.hh"

namespace lanyard::wire::test {

std::vector<std::uint8_t> from_hex(std::string_view text) {
  std::vector<std::uint8_t> bytes;
  int high = -1;
  for (const char c : text) {
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0) continue;
    if (high < 0) {
      high = digit;
      continue;
    }
    bytes.push_back(static_cast<std::uint8_t>(high * 16 + digit));
    high = -1;
  }
  return bytes;
}

std::vector<std::uint8_t> bytes_in(const Packet& packet) {
  std::vector<std::uint8_t> bytes(packet.size());
  packet.copy_to(0, bytes);
  return bytes;
}

Packet sliced(Bytes bytes) {
  Packet packet(128, 0);
  if (!bytes.empty()) packet.append(Slice::copy_of(bytes));
  return packet;
}

void wrap(Packet& packet, std::uint8_t protocol, const IpAddress& source,
          const IpAddress& destination, std::uint8_t hop_limit) {
  const bool is_v4 = source.is_v4();
  if (is_v4) {
    ipv4::Header{.source = source,
                 .destination = destination,
                 .protocol = protocol,
                 .ttl = hop_limit,
                 .identification = 0x1234,
                 .dont_fragment = true}
        .push_onto(packet);
  } else {
    ipv6::Header{.source = source,
                 .destination = destination,
                 .next_header = protocol,
                 .hop_limit = hop_limit,
                 .flow_label = 0xabcde}
        .push_onto(packet);
  }
  ethernet::Header{.destination = destination.is_multicast() ? multicast_mac(destination) : bob_mac,
                   .source = alice_mac,
                   .type = is_v4 ? ethernet::Type::ipv4 : ethernet::Type::ipv6}
      .push_onto(packet);
}

namespace {

// Collects frames and gives each its name.
class Collector {
 public:
  void add(std::string name, const Packet& packet) {
    frames_.push_back({std::move(name), bytes_in(packet)});
  }
  void add_tcp(std::string name, const tcp::Header& header, std::string_view payload) {
    for (const bool is_v4 : {true, false}) {
      Packet packet = sliced(bytes_of(payload));
      const IpAddress& from = is_v4 ? alice4 : alice6;
      const IpAddress& to = is_v4 ? bob4 : bob6;
      header.push_onto(packet, from, to);
      wrap(packet, protocol::tcp, from, to);
      add(name + (is_v4 ? " over IPv4" : " over IPv6"), packet);
    }
  }
  void add_udp(std::string name, const udp::Header& header, Bytes payload) {
    for (const bool is_v4 : {true, false}) {
      Packet packet = sliced(payload);
      const IpAddress& from = is_v4 ? alice4 : alice6;
      const IpAddress& to = is_v4 ? bob4 : bob6;
      header.push_onto(packet, from, to);
      wrap(packet, protocol::udp, from, to);
      add(name + (is_v4 ? " over IPv4" : " over IPv6"), packet);
    }
  }
  void add_icmp(std::string name, const icmp::Header& header, Family family, Bytes body) {
    Packet packet = sliced(body);
    if (family == Family::ipv4) {
      header.push_onto_v4(packet);
      wrap(packet, protocol::icmp);
    } else {
      header.push_onto_v6(packet, alice6, bob6);
      wrap(packet, protocol::icmpv6, alice6, bob6);
    }
    add(std::move(name), packet);
  }
  void add_ndp(std::string name, const ndp::Message& message, const IpAddress& to) {
    Packet packet(128, 0);
    message.push_onto(packet, alice6, to);
    wrap(packet, protocol::icmpv6, alice6, to, ndp::hop_limit);
    add(std::move(name), packet);
  }
  std::vector<NamedFrame> take() { return std::move(frames_); }

 private:
  std::vector<NamedFrame> frames_;
};

void add_link_frames(Collector& to) {
  const arp::Message ask{arp::Operation::request, alice_mac, alice4, {}, bob4};
  const arp::Message answer{arp::Operation::reply, bob_mac, bob4, alice_mac, alice4};
  for (const arp::Message& message : {ask, answer}) {
    Packet packet(128, 0);
    message.push_onto(packet);
    const bool is_request = message.operation == arp::Operation::request;
    ethernet::Header{is_request ? MacAddress::broadcast() : alice_mac, message.sender_mac,
                     ethernet::Type::arp}
        .push_onto(packet);
    to.add(is_request ? "ARP request" : "ARP reply", packet);
    vlan::insert_tag(packet, {.priority = 3, .drop_eligible = false, .id = 42});
    to.add("VLAN tag", packet);
    vlan::insert_tag(packet, {.protocol = ethernet::Type::service_vlan, .id = 7});
    to.add("two VLAN tags", packet);
  }
}

void add_tcp_frames(Collector& to) {
  tcp::Header header{.source_port = 49152,
                     .destination_port = 80,
                     .sequence = tcp::SequenceNumber(0xfffffff0),
                     .flags = tcp::flags::syn,
                     .window = 64240,
                     .options = {.mss = 1460,
                                 .window_scale = std::uint8_t{7},
                                 .sack_permitted = true,
                                 .timestamps = tcp::Timestamps{1000, 0}}};
  to.add_tcp("TCP SYN", header, "");
  header.options = {.mss = 1460, .sack_permitted = true};
  to.add_tcp("TCP SYN without timestamps", header, "");
  header.options = {.fast_open = tcp::FastOpenCookie{{1, 2, 3, 4, 5, 6, 7, 8}, 8},
                    .user_timeout = tcp::UserTimeout{true, 5}};
  to.add_tcp("TCP SYN with cookie and user timeout", header, "");
  header.flags = tcp::flags::ack;
  header.acknowledgment = tcp::SequenceNumber(77);
  header.options = {.timestamps = tcp::Timestamps{1001, 5}};
  header.options.sack[0] = {tcp::SequenceNumber(100), tcp::SequenceNumber(200)};
  header.options.sack[1] = {tcp::SequenceNumber(300), tcp::SequenceNumber(301)};
  header.options.sack_blocks = 2;
  to.add_tcp("TCP ACK with SACK", header, "");
  header.flags = tcp::flags::ack | tcp::flags::psh;
  header.options = {};
  to.add_tcp("TCP data", header, "GET / HTTP/1.1\r\nHost: bob\r\n\r\n");
  header.destination_port = 9;
  to.add_tcp("TCP data of odd length", header, "odd");
  header.flags = tcp::flags::fin | tcp::flags::ack;
  to.add_tcp("TCP FIN", header, "");
}

dns::Message dns_answer() {
  const dns::Name bob = *dns::Name::parse("bob.lab");
  const dns::Name www = *dns::Name::parse("www.bob.lab");
  const dns::Name lab = *dns::Name::parse("lab");
  dns::Message message{.id = 0x4242, .is_response = true, .is_authoritative = true};
  message.questions = {{www, dns::Type::any}};
  const auto record = [](const dns::Name& name, dns::Type type, dns::Data data) {
    return dns::Record{.name = name, .type = type, .ttl_s = 60, .data = std::move(data)};
  };
  message.answers = {
      record(www, dns::Type::cname, bob),
      record(bob, dns::Type::a, bob4),
      record(bob, dns::Type::aaaa, bob6),
      record(lab, dns::Type::mx, dns::Mx{10, bob}),
      record(lab, dns::Type::txt, dns::Txt{{"a text", "another"}}),
      record(*dns::Name::parse("_http._tcp.lab"), dns::Type::srv, dns::Srv{0, 1, 80, bob}),
      record(*dns::Name::parse("2.0.0.10.in-addr.arpa"), dns::Type::ptr, bob)};
  message.authorities = {
      record(lab, dns::Type::ns, bob),
      record(lab, dns::Type::soa, dns::Soa{bob, *dns::Name::parse("root.lab"), 1, 2, 3, 4, 5})};
  message.edns = dns::Edns{};
  return message;
}

void add_udp_frames(Collector& to) {
  to.add_udp("UDP", {5000, 6000}, bytes_of("hello, bob"));
  to.add_udp("UDP without payload", {5000, 6000}, {});
  dns::Message query{.id = 0x4242, .recursion_desired = true};
  query.questions = {{*dns::Name::parse("bob.lab"), dns::Type::aaaa}};
  to.add_udp("DNS query", {5353, 53}, query.write());
  to.add_udp("DNS response", {53, 40000}, dns_answer().write());
}

void add_icmp_frames(Collector& to, Bytes quoted4, Bytes quoted6) {
  namespace v4 = icmp::v4;
  namespace v6 = icmp::v6;
  const Bytes data = bytes_of("abcdefgh");
  to.add_icmp("ICMP echo", icmp::Header::echo(v4::echo_request, 1, 2), Family::ipv4, data);
  to.add_icmp("ICMPv6 echo", icmp::Header::echo(v6::echo_request, 1, 2), Family::ipv6, data);
  to.add_icmp("ICMP port unreachable", {v4::destination_unreachable, v4::port_unreachable, 0},
              Family::ipv4, quoted4);
  to.add_icmp("ICMP fragmentation needed",
              {v4::destination_unreachable, v4::fragmentation_needed, 1400}, Family::ipv4, quoted4);
  to.add_icmp("ICMPv6 packet too big", {v6::packet_too_big, 0, 1280}, Family::ipv6, quoted6);
  to.add_icmp("ICMPv6 time exceeded", {v6::time_exceeded, 0, 0}, Family::ipv6, quoted6);
}

void add_ndp_frames(Collector& to) {
  const IpAddress all_nodes = *IpAddress::parse("ff02::1");
  ndp::Message message{.type = ndp::Type::neighbour_solicitation, .target = bob6};
  message.options.source_link_address = alice_mac;
  message.options.nonce = {1, 2, 3, 4, 5, 6};
  to.add_ndp("neighbour solicitation", message, solicited_node(bob6));
  ndp::Message answer{.type = ndp::Type::neighbour_advertisement,
                      .target = alice6,
                      .is_solicited = true,
                      .is_override = true};
  answer.options.target_link_address = alice_mac;
  to.add_ndp("neighbour advertisement", answer, bob6);
  ndp::Message solicitation{.type = ndp::Type::router_solicitation};
  solicitation.options.source_link_address = alice_mac;
  to.add_ndp("router solicitation", solicitation, *IpAddress::parse("ff02::2"));
  ndp::Message router{.type = ndp::Type::router_advertisement,
                      .current_hop_limit = 64,
                      .has_other_configuration = true,
                      .router_lifetime_s = 1800,
                      .reachable_time_ms = 30000,
                      .retrans_timer_ms = 1000};
  router.options.source_link_address = alice_mac;
  router.options.mtu = 1500;
  router.options.prefixes = {{*IpPrefix::parse("2001:db8::/64"), true, true, 86400, 14400}};
  router.options.dns_servers = ndp::DnsServers{600, {bob6}};
  to.add_ndp("router advertisement", router, all_nodes);
  ndp::Message redirect{
      .type = ndp::Type::redirect, .target = bob6, .destination = *IpAddress::parse("2001:db8::5")};
  redirect.options.target_link_address = bob_mac;
  to.add_ndp("redirect", redirect, bob6);
}

void add_ip_frames(Collector& to) {
  const std::array<std::uint8_t, 7> route{7, 7, 4, 0, 0, 0, 0};
  Packet packet = sliced(bytes_of("payload of an unknown protocol"));
  ipv4::Header{.source = alice4,
               .destination = bob4,
               .protocol = 253,
               .traffic_class = 0xb8,
               .options = route}
      .push_onto(packet);
  ethernet::Header{bob_mac, alice_mac, ethernet::Type::ipv4}.push_onto(packet);
  to.add("IPv4 with options", packet);

  Packet fragment = sliced(bytes_of("0123456789abcdef"));
  ipv6::FragmentHeader{
      .next_header = 253, .offset = 0, .more_fragments = true, .identification = 99}
      .write(fragment.push_front(ipv6::fragment_header_size));
  wrap(fragment, protocol::fragment, alice6, bob6);
  to.add("IPv6 fragment", fragment);

  // Hop-by-hop options: a router alert and padding (RFC 2711).
  Packet alert = sliced(bytes_of("payload of an unknown protocol"));
  const std::array<std::uint8_t, 8> hop_by_hop{253, 0, 5, 2, 0, 0, 1, 0};
  std::copy(hop_by_hop.begin(), hop_by_hop.end(), alert.push_front(8));
  wrap(alert, protocol::hop_by_hop, alice6, bob6);
  to.add("IPv6 hop-by-hop options", alert);
}

// A message of IGMP or MLD, with the router alert.
void add_membership(Collector& collector, const std::string& name, Packet message,
                    const IpAddress& to) {
  const bool is_v4 = to.is_v4();
  membership::put_checksum(message, is_v4 ? alice4 : alice6, to);
  if (is_v4) {
    constexpr std::uint8_t alert[] = {ipv4::option::router_alert, 4, 0, 0};
    ipv4::Header{.source = alice4,
                 .destination = to,
                 .protocol = protocol::igmp,
                 .ttl = 1,
                 .dont_fragment = true,
                 .options = alert}
        .push_onto(message);
  } else {
    constexpr std::uint8_t alert[] = {
        protocol::icmpv6, 0, ipv6::option::router_alert, 2, 0, 0, 1, 0};
    std::copy(std::begin(alert), std::end(alert), message.push_front(sizeof alert));
    ipv6::Header{
        .source = alice6, .destination = to, .next_header = protocol::hop_by_hop, .hop_limit = 1}
        .push_onto(message);
  }
  ethernet::Header{multicast_mac(to), alice_mac,
                   is_v4 ? ethernet::Type::ipv4 : ethernet::Type::ipv6}
      .push_onto(message);
  collector.add(name, message);
}

void add_membership_frames(Collector& collector) {
  using membership::Kind;
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    const bool is_v4 = family == Family::ipv4;
    const std::string name = is_v4 ? "IGMP " : "MLD ";
    const IpAddress group = *IpAddress::parse(is_v4 ? "239.1.2.3" : "ff05::123");
    const IpAddress all = *IpAddress::parse(is_v4 ? "224.0.0.1" : "ff02::1");
    const IpAddress routers = *IpAddress::parse(is_v4 ? "224.0.0.2" : "ff02::2");
    const IpAddress listeners = *IpAddress::parse(is_v4 ? "224.0.0.22" : "ff02::16");
    const std::vector<IpAddress> sources =
        is_v4 ? std::vector{alice4, bob4} : std::vector{alice6, bob6};
    membership::Query query;
    query.group = IpAddress::any(family);
    add_membership(collector, name + "query", membership::query(query), all);
    query.version = 2;
    add_membership(collector, name + "older query", membership::query(query), all);
    query = {.group = group, .max_response = Duration::seconds(60), .sources = sources};
    add_membership(collector, name + "query about sources", membership::query(query), group);
    add_membership(collector, name + "report", membership::single(Kind::report, 2, group), group);
    add_membership(collector, name + "leave", membership::single(Kind::leave, 2, group), routers);
    std::vector<membership::Record> records;
    for (std::uint8_t type = 1; type <= 6; ++type) {
      records.push_back({static_cast<membership::RecordType>(type), group,
                         type % 2 == 0 ? std::vector<IpAddress>{} : sources});
    }
    add_membership(collector, name + "records", membership::report(family, records), listeners);
  }
}

void add_dhcp_frames(Collector& collector) {
  dhcp::Message message;
  message.transaction = 0x12345678;
  message.wants_broadcast = true;
  message.hardware = alice_mac;
  message.client_identifier = {1, 2, 0, 0, 0, 0, 0xa};
  message.parameters = {dhcp::option::subnet_mask, dhcp::option::routers};
  message.host_name = "alice";
  for (std::uint8_t type = 1; type <= 8; ++type) {
    message.type = static_cast<dhcp::Type>(type);
    message.is_reply = message.type == dhcp::Type::offer || message.type == dhcp::Type::ack ||
                       message.type == dhcp::Type::nak;
    if (message.is_reply) {
      message.yours = alice4;
      message.server = bob4;
      message.mask = IpAddress::v4(255, 255, 255, 0);
      message.lease_s = 3600;
      message.routers = message.name_servers = {bob4};
      message.domain_name = "lab";
    }
    Packet packet = sliced(dhcp::write(message));
    const Port from = message.is_reply ? dhcp::server_port : dhcp::client_port;
    const Port to = message.is_reply ? dhcp::client_port : dhcp::server_port;
    udp::Header{from, to}.push_onto(packet, alice4, bob4);
    wrap(packet, protocol::udp);
    collector.add(std::string(dhcp::to_text(message.type)), packet);
  }
  dhcp6::Message six;
  six.transaction = 0x123456;
  six.client = dhcp6::duid_of(alice_mac);
  six.elapsed = 100;
  six.requested = {dhcp6::option::name_servers};
  six.ia = dhcp6::Ia{.id = 1};
  for (const dhcp6::Type type :
       {dhcp6::Type::solicit, dhcp6::Type::advertise, dhcp6::Type::reply, dhcp6::Type::release}) {
    six.type = type;
    if (type != dhcp6::Type::solicit) {
      six.server = dhcp6::duid_of(bob_mac);
      six.ia->addresses = {{*IpAddress::parse("2001:db8::1000"), 200, 300}};
      six.preference = 255;
      six.name_servers = {bob6};
    }
    Packet packet = sliced(dhcp6::write(six));
    udp::Header{dhcp6::client_port, dhcp6::server_port}.push_onto(packet, alice6, bob6);
    wrap(packet, protocol::udp, alice6, bob6);
    collector.add("DHCPv6 " + std::string(dhcp6::to_text(type)), packet);
  }
}

}  // namespace

std::vector<NamedFrame> all_frames() {
  Collector collector;
  add_link_frames(collector);
  add_tcp_frames(collector);
  add_udp_frames(collector);
  add_ip_frames(collector);
  Packet quoted4 = sliced(bytes_of("quoted payload"));
  udp::Header{1000, 2000}.push_onto(quoted4, bob4, alice4);
  wrap(quoted4, protocol::udp, bob4, alice4);
  Packet quoted6 = sliced(bytes_of("quoted payload"));
  udp::Header{1000, 2000}.push_onto(quoted6, bob6, alice6);
  wrap(quoted6, protocol::udp, bob6, alice6);
  const auto bytes4 = bytes_in(quoted4);
  const auto bytes6 = bytes_in(quoted6);
  add_icmp_frames(collector, Bytes(bytes4).subspan(ethernet::header_size),
                  Bytes(bytes6).subspan(ethernet::header_size));
  add_ndp_frames(collector);
  add_membership_frames(collector);
  add_dhcp_frames(collector);
  return collector.take();
}

}  // namespace lanyard::wire::test
