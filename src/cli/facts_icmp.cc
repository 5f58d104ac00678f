// SPDX-License-Identifier: Apache-2.0
#include "cli/facts_icmp.hh"

#include <fmt/format.h>

#include "wire/icmp.hh"
#include "wire/protocol.hh"

namespace lanyard::cli {
namespace {

// RFC 4861 4: the messages of neighbour discovery, and where their target address stands.
constexpr std::uint8_t router_solicitation = 133;
constexpr std::uint8_t router_advertisement = 134;
constexpr std::uint8_t neighbour_solicitation = 135;
constexpr std::uint8_t neighbour_advertisement = 136;
constexpr std::uint8_t redirect = 137;
constexpr std::size_t ndp_target_size = 16;

void begin(Facts& facts, std::string_view protocol, std::string_view title, Ink ink) {
  facts.protocols.push_back(protocol);
  facts.title = title;
  facts.ink = ink;
}

std::string_view unreachable_v4(std::uint8_t code) {
  switch (code) {
    case icmp::v4::network_unreachable:
      return "network unreachable";
    case icmp::v4::host_unreachable:
      return "host unreachable";
    case icmp::v4::protocol_unreachable:
      return "protocol unreachable";
    case icmp::v4::port_unreachable:
      return "port unreachable";
    case icmp::v4::fragmentation_needed:
      return "fragmentation needed";
    case icmp::v4::source_route_failed:
      return "source route failed";
    case icmp::v4::administratively_prohibited:
      return "prohibited";
    default:
      return "destination unreachable";
  }
}

std::string_view unreachable_v6(std::uint8_t code) {
  switch (code) {
    case icmp::v6::no_route:
      return "no route";
    case icmp::v6::administratively_prohibited:
      return "prohibited";
    case icmp::v6::beyond_scope:
      return "beyond scope of source address";
    case icmp::v6::address_unreachable:
      return "address unreachable";
    case icmp::v6::port_unreachable:
      return "port unreachable";
    default:
      return "destination unreachable";
  }
}

std::string echo_detail(const icmp::View& view, std::string_view what) {
  return fmt::format("{} id {} seq {}, {}", what, view.identifier(), view.sequence(),
                     bytes_text(view.body_size()));
}

// What the message says, without what it quotes.
std::string detail_v4(const icmp::View& view) {
  switch (view.type()) {
    case icmp::v4::echo_request:
      return echo_detail(view, "echo request");
    case icmp::v4::echo_reply:
      return echo_detail(view, "echo reply");
    case icmp::v4::time_exceeded:
      return view.code() == 0 ? "TTL exceeded" : "reassembly time exceeded";
    case icmp::v4::redirect:
      return fmt::format("redirect to {}", to_text(view.gateway()));
    case icmp::v4::parameter_problem:
      return fmt::format("parameter problem at byte {}", view.pointer(Family::ipv4));
    case icmp::v4::destination_unreachable:
      break;
    default:
      return fmt::format("type {} code {}", view.type(), view.code());
  }
  std::string text(unreachable_v4(view.code()));
  if (view.code() == icmp::v4::fragmentation_needed) {
    text += fmt::format(", MTU {}", view.mtu(Family::ipv4));
  }
  return text;
}

std::string detail_v6(const icmp::View& view) {
  switch (view.type()) {
    case icmp::v6::echo_request:
      return echo_detail(view, "echo request");
    case icmp::v6::echo_reply:
      return echo_detail(view, "echo reply");
    case icmp::v6::destination_unreachable:
      return std::string(unreachable_v6(view.code()));
    case icmp::v6::packet_too_big:
      return fmt::format("packet too big, MTU {}", view.mtu(Family::ipv6));
    case icmp::v6::time_exceeded:
      return view.code() == 0 ? "hop limit exceeded" : "reassembly time exceeded";
    case icmp::v6::parameter_problem:
      return fmt::format("parameter problem at byte {}", view.pointer(Family::ipv6));
    default:
      return fmt::format("type {} code {}", view.type(), view.code());
  }
}

// "about 10.0.1.2 -> 10.0.2.2" behind an error.
std::string quote_detail(const icmp::View& view, Family family) {
  if (!icmp::is_error(family, view.type())) return {};
  const auto quote = icmp::parse_quote(view.body(), family);
  if (!quote.has_value()) return {};
  return fmt::format(", about {} -> {}", to_text(quote->source), to_text(quote->destination));
}

bool is_ndp(std::uint8_t type) {
  return type >= router_solicitation && type <= redirect;
}

void read_ndp(const icmp::View& view, Facts& facts) {
  begin(facts, "ndp", "NDP", Ink::yellow);
  const bool has_target =
      view.type() >= neighbour_solicitation && view.body().size() >= ndp_target_size;
  const std::string target =
      has_target ? to_text(IpAddress::from_v6_bytes(view.body().data())) : "";
  if (has_target && view.type() == neighbour_solicitation) {
    facts.target = IpAddress::from_v6_bytes(view.body().data());
    facts.detail = facts.source.is_unspecified()
                       ? fmt::format("does anyone have {}?", target)
                       : fmt::format("who has {}? tell {}", target, to_text(facts.source));
  } else if (has_target && view.type() == neighbour_advertisement) {
    facts.detail = fmt::format("I have {}", target);
  } else if (view.type() == router_solicitation) {
    facts.detail = "is there a router?";
  } else if (view.type() == router_advertisement) {
    facts.detail = fmt::format("{} is a router", to_text(facts.source));
  } else {
    facts.detail = has_target ? fmt::format("redirect to {}", target) : "unreadable";
  }
}

}  // namespace

void read_icmp_v4(Bytes message, Facts& facts) {
  begin(facts, "icmp", "ICMP", Ink::blue);
  const auto view = icmp::View::parse(message);
  if (!view.has_value()) {
    facts.detail = fmt::format("unreadable: {}", to_text(view.error()));
    return;
  }
  if (icmp::is_error(Family::ipv4, view->type())) facts.ink = Ink::red;
  facts.detail = detail_v4(*view) + quote_detail(*view, Family::ipv4);
}

void read_icmp_v6(Bytes message, Facts& facts) {
  begin(facts, "icmpv6", "ICMPv6", Ink::blue);
  facts.protocols.push_back("icmp");
  const auto view = icmp::View::parse(message);
  if (!view.has_value()) {
    facts.detail = fmt::format("unreadable: {}", to_text(view.error()));
    return;
  }
  if (is_ndp(view->type())) return read_ndp(*view, facts);
  if (icmp::is_error(Family::ipv6, view->type())) facts.ink = Ink::red;
  facts.detail = detail_v6(*view) + quote_detail(*view, Family::ipv6);
}

}  // namespace lanyard::cli
