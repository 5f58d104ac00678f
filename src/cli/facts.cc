// SPDX-License-Identifier: Apache-2.0
#include "cli/facts.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/facts_icmp.hh"
#include "wire/arp.hh"
#include "wire/ethernet.hh"
#include "wire/ipv4.hh"
#include "wire/ipv6.hh"
#include "wire/ipv6_extensions.hh"
#include "wire/protocol.hh"
#include "wire/tcp.hh"
#include "wire/udp.hh"
#include "wire/vlan.hh"

namespace lanyard::cli {
namespace {

constexpr Port dns_port = 53;
constexpr Port dhcp_server_port = 67;
constexpr Port dhcp_client_port = 68;

void name_it(Facts& facts, std::string_view protocol, std::string_view title, Ink ink) {
  facts.protocols.push_back(protocol);
  facts.title = title;
  facts.ink = ink;
}

std::string unreadable(DropReason reason) {
  return fmt::format("unreadable: {}", to_text(reason));
}

void read_arp(Bytes bytes, Facts& facts) {
  name_it(facts, "arp", "ARP", Ink::yellow);
  const auto view = arp::View::parse(bytes);
  if (!view.has_value()) {
    facts.detail = unreadable(view.error());
    return;
  }
  facts.source = view->sender_ip();
  facts.destination = view->target_ip();
  facts.target = view->target_ip();
  const std::string target = to_text(view->target_ip());
  if (view->operation() == arp::Operation::reply) {
    facts.detail =
        fmt::format("{} is at {}", to_text(view->sender_ip()), to_text(view->sender_mac()));
  } else if (view->sender_ip().is_unspecified()) {
    facts.detail = fmt::format("does anyone have {}?", target);
  } else if (view->sender_ip() == view->target_ip()) {
    facts.detail = fmt::format("I have {}", target);
  } else {
    facts.detail = fmt::format("who has {}? tell {}", target, to_text(view->sender_ip()));
  }
}

// "SYN,ACK" as the RFC writes control bits; PSH says nothing in a story.
std::string flags_title(tcp::Flags flags, bool has_payload) {
  std::string title;
  const auto add = [&](bool is_set, std::string_view name) {
    if (is_set) title += (title.empty() ? "" : ",") + std::string(name);
  };
  add(flags.syn(), "SYN");
  add(flags.fin(), "FIN");
  add(flags.rst(), "RST");
  add(flags.urg(), "URG");
  if (has_payload && title.empty()) return "DATA";
  add(flags.ack(), "ACK");
  return title.empty() ? "no flags" : title;
}

void read_tcp(Bytes bytes, std::size_t size, Facts& facts) {
  name_it(facts, "tcp", "TCP", Ink::green);
  const auto view = tcp::View::parse(bytes, size);
  if (!view.has_value()) {
    facts.detail = unreadable(view.error());
    return;
  }
  facts.source_port = view->source_port();
  facts.destination_port = view->destination_port();
  facts.payload = view->payload();
  facts.tcp = TcpFacts{view->sequence(), view->acknowledgment(), view->flags(), view->window(),
                       static_cast<std::uint32_t>(view->payload_size())};
  facts.title = flags_title(view->flags(), view->payload_size() != 0);
  if (view->flags().rst()) facts.ink = Ink::red;
  const std::string_view line = http_first_line(text_of(facts.payload));
  if (line.empty()) return;
  name_it(facts, "http", "HTTP", Ink::cyan);
  facts.detail = printable(line);
}

void read_udp(Bytes bytes, std::size_t size, Facts& facts) {
  name_it(facts, "udp", "UDP", Ink::blue);
  const auto view = udp::View::parse(bytes, size);
  if (!view.has_value()) {
    facts.detail = unreadable(view.error());
    return;
  }
  facts.source_port = view->source_port();
  facts.destination_port = view->destination_port();
  facts.payload = view->payload();
  if (facts.source_port == dns_port || facts.destination_port == dns_port) {
    name_it(facts, "dns", "DNS", Ink::magenta);
    facts.detail = dns_detail(facts.payload);
    return;
  }
  if (facts.source_port == dhcp_server_port || facts.source_port == dhcp_client_port) {
    name_it(facts, "dhcp", "DHCP", Ink::magenta);
  }
  facts.detail = fmt::format("{} -> {}, {}", facts.source_port, facts.destination_port,
                             bytes_text(view->payload_size()));
}

// `front`: what of the IP payload is in the frame; `size`: what the header says it is.
void read_transport(std::uint8_t protocol, Bytes front, std::size_t size, Facts& facts) {
  switch (protocol) {
    case protocol::tcp:
      read_tcp(front, size, facts);
      return;
    case protocol::udp:
      read_udp(front, size, facts);
      return;
    case protocol::icmp:
      read_icmp_v4(front, facts);
      return;
    case protocol::icmpv6:
      read_icmp_v6(front, facts);
      return;
    case protocol::igmp:
      name_it(facts, "igmp", "IGMP", Ink::yellow);
      return;
    default:
      break;
  }
  facts.detail = fmt::format("protocol {}, {}", protocol, bytes_text(size));
}

void read_ipv4(Bytes bytes, Facts& facts) {
  name_it(facts, "ipv4", "IPv4", Ink::plain);
  const auto view = ipv4::View::parse(bytes);
  if (!view.has_value()) {
    facts.detail = unreadable(view.error());
    return;
  }
  facts.source = view->source();
  facts.destination = view->destination();
  facts.target = view->destination();
  if (view->offset() != 0) {
    facts.title = "fragment";
    facts.detail = fmt::format("bytes {}..{} of datagram {:#06x}", view->offset(),
                               view->offset() + view->payload_size() - 1, view->identification());
    return;
  }
  read_transport(view->protocol(), view->payload(), view->payload_size(), facts);
  if (view->more_fragments()) facts.detail += " (first fragment)";
}

void read_ipv6(Bytes bytes, Facts& facts) {
  name_it(facts, "ipv6", "IPv6", Ink::plain);
  const auto view = ipv6::View::parse(bytes, bytes.size());
  if (!view.has_value()) {
    facts.detail = unreadable(view.error());
    return;
  }
  facts.source = view->source();
  facts.destination = view->destination();
  facts.target = view->destination();
  const ipv6::UpperLayer upper = ipv6::find_upper_layer(*view);
  if (!upper.is_found) {
    facts.title = upper.is_later_fragment ? "fragment" : "IPv6";
    facts.detail = bytes_text(view->payload_size());
    return;
  }
  const Bytes rest = view->packet().subspan(upper.offset);
  read_transport(upper.protocol, rest, rest.size(), facts);
}

void read_ethernet(Bytes frame, Facts& facts) {
  name_it(facts, "ethernet", "frame", Ink::plain);
  const auto view = ethernet::View::parse(frame);
  if (!view.has_value()) {
    facts.detail = unreadable(view.error());
    return;
  }
  ethernet::Type type = view->type();
  Bytes payload = view->payload();
  while (vlan::is_tag(type)) {
    const auto tag = vlan::View::parse(payload, type);
    if (!tag.has_value()) return;
    facts.protocols.push_back("vlan");
    type = tag->type();
    payload = tag->payload();
  }
  if (type == ethernet::Type::arp) return read_arp(payload, facts);
  if (type == ethernet::Type::ipv4) return read_ipv4(payload, facts);
  if (type == ethernet::Type::ipv6) return read_ipv6(payload, facts);
  facts.detail =
      fmt::format("type {:#06x}, {}", static_cast<unsigned>(type), bytes_text(payload.size()));
}

}  // namespace

bool Facts::is(std::string_view protocol) const {
  return std::find(protocols.begin(), protocols.end(), protocol) != protocols.end();
}

std::span<const std::string> protocol_names() {
  static const std::vector<std::string> names{"arp",  "ndp",  "icmp", "icmpv6",  "igmp",
                                              "dns",  "dhcp", "http", "tcp",     "udp",
                                              "ipv4", "ipv6", "vlan", "ethernet"};
  return names;
}

Facts facts_of(Bytes frame) {
  Facts facts;
  read_ethernet(frame, facts);
  return facts;
}

std::string_view http_first_line(std::string_view text) {
  constexpr std::array<std::string_view, 10> starts{"GET ",      "HEAD ",    "POST ",  "PUT ",
                                                    "DELETE ",   "OPTIONS ", "PATCH ", "CONNECT ",
                                                    "HTTP/1.1 ", "HTTP/1.0 "};
  const bool begins = std::any_of(starts.begin(), starts.end(),
                                  [&](std::string_view start) { return text.starts_with(start); });
  if (!begins) return {};
  const std::string_view line = text.substr(0, text.find_first_of("\r\n"));
  const bool is_message = line.starts_with("HTTP/") || line.find(" HTTP/1.") != line.npos;
  return is_message ? line : std::string_view{};
}

}  // namespace lanyard::cli
