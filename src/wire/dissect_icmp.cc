// SPDX-License-Identifier: Apache-2.0
// ICMP, ICMPv6 and neighbour discovery; an error's quoted packet is dissected in its place.
#include <fmt/format.h>

#include "core/checksum.hh"
#include "wire/dissect_layers.hh"
#include "wire/icmp.hh"
#include "wire/membership.hh"
#include "wire/ndp.hh"
#include "wire/protocol.hh"
#include "wire/pseudo.hh"

namespace lanyard::wire {
namespace {

std::string_view type_name_v4(std::uint8_t type) {
  switch (type) {
    case icmp::v4::echo_reply:
      return "Echo (ping) reply";
    case icmp::v4::destination_unreachable:
      return "Destination unreachable";
    case icmp::v4::source_quench:
      return "Source quench";
    case icmp::v4::redirect:
      return "Redirect";
    case icmp::v4::echo_request:
      return "Echo (ping) request";
    case icmp::v4::time_exceeded:
      return "Time-to-live exceeded";
    case icmp::v4::parameter_problem:
      return "Parameter problem";
    case icmp::v4::timestamp_request:
      return "Timestamp request";
    case icmp::v4::timestamp_reply:
      return "Timestamp reply";
    default:
      return "Unknown type";
  }
}

std::string_view type_name_v6(std::uint8_t type) {
  switch (type) {
    case icmp::v6::destination_unreachable:
      return "Destination Unreachable";
    case icmp::v6::packet_too_big:
      return "Packet Too Big";
    case icmp::v6::time_exceeded:
      return "Time Exceeded";
    case icmp::v6::parameter_problem:
      return "Parameter Problem";
    case icmp::v6::echo_request:
      return "Echo (ping) request";
    case icmp::v6::echo_reply:
      return "Echo (ping) reply";
    case 130:
      return "Multicast Listener Query";
    case 131:
      return "Multicast Listener Report";
    case 132:
      return "Multicast Listener Done";
    case 133:
      return "Router Solicitation";
    case 134:
      return "Router Advertisement";
    case 135:
      return "Neighbor Solicitation";
    case 136:
      return "Neighbor Advertisement";
    case 137:
      return "Redirect";
    case 143:
      return "Multicast Listener Report Message v2";
    default:
      return "Unknown type";
  }
}

std::string_view unreachable_name(Family family, std::uint8_t code) {
  if (family == Family::ipv4) {
    switch (code) {
      case icmp::v4::network_unreachable:
        return "Network unreachable";
      case icmp::v4::host_unreachable:
        return "Host unreachable";
      case icmp::v4::protocol_unreachable:
        return "Protocol unreachable";
      case icmp::v4::port_unreachable:
        return "Port unreachable";
      case icmp::v4::fragmentation_needed:
        return "Fragmentation needed";
      case icmp::v4::source_route_failed:
        return "Source route failed";
      case icmp::v4::administratively_prohibited:
        return "Administratively prohibited";
      default:
        return {};
    }
  }
  switch (code) {
    case icmp::v6::no_route:
      return "no route to destination";
    case icmp::v6::administratively_prohibited:
      return "Administratively prohibited";
    case icmp::v6::beyond_scope:
      return "beyond scope of source address";
    case icmp::v6::address_unreachable:
      return "Address unreachable";
    case icmp::v6::port_unreachable:
      return "Port unreachable";
    default:
      return {};
  }
}

bool is_unreachable(Family family, std::uint8_t type) {
  return type == (family == Family::ipv4 ? icmp::v4::destination_unreachable
                                         : icmp::v6::destination_unreachable);
}
bool is_echo(Family family, std::uint8_t type) {
  if (family == Family::ipv4) {
    return type == icmp::v4::echo_request || type == icmp::v4::echo_reply;
  }
  return type == icmp::v6::echo_request || type == icmp::v6::echo_reply;
}

std::string code_text(Family family, std::uint8_t type, std::uint8_t code) {
  const std::string_view name = is_unreachable(family, type) ? unreachable_name(family, code) : "";
  return name.empty() ? fmt::format("{}", code) : fmt::format("{} ({})", name, code);
}

// The four bytes whose meaning the type decides.
void add_rest(Layer& layer, const icmp::View& view, Family family) {
  const bool is_v4 = family == Family::ipv4;
  if (is_echo(family, view.type())) {
    layer.add("Identifier", fmt::format("0x{:04x}", view.identifier()), 4, 2);
    layer.add("Sequence Number", fmt::format("{}", view.sequence()), 6, 2);
  } else if (is_v4 && view.type() == icmp::v4::redirect) {
    layer.add("Gateway Address", to_text(view.gateway()), 4, 4);
  } else if (is_v4 ? view.type() == icmp::v4::parameter_problem
                   : view.type() == icmp::v6::parameter_problem) {
    layer.add("Pointer", fmt::format("{}", view.pointer(family)), 4, is_v4 ? 1 : 4);
  } else if (is_v4 && is_unreachable(family, view.type()) &&
             view.code() == icmp::v4::fragmentation_needed) {
    layer.add("MTU of next hop", fmt::format("{}", view.mtu(family)), 6, 2);
  } else if (!is_v4 && view.type() == icmp::v6::packet_too_big) {
    layer.add("MTU", fmt::format("{}", view.mtu(family)), 4, 4);
  }
}

std::string info(const icmp::View& view, Family family, std::uint8_t ttl) {
  const std::uint8_t type = view.type();
  const std::string name{family == Family::ipv4 ? type_name_v4(type) : type_name_v6(type)};
  if (is_echo(family, type)) {
    return fmt::format("{} id=0x{:04x}, seq={}, {}={}", name, view.identifier(), view.sequence(),
                       family == Family::ipv4 ? "ttl" : "hop limit", ttl);
  }
  if (is_unreachable(family, type)) {
    return fmt::format("{} ({})", name, code_text(family, type, view.code()));
  }
  return name;
}

// The packet that an error is about, as layers below a field of the error.
void add_quote(Dissection& into, Layer& layer, Part body, Family family) {
  if (body.size() == 0 || into.quotes_left == 0) return;
  Dissection quoted{.quotes_left = into.quotes_left - 1};
  if (family == Family::ipv4) {
    dissect_ipv4(quoted, body, true);
  } else {
    dissect_ipv6(quoted, body, true);
  }
  Field& field = layer.add("Quoted packet", fmt::format("{} {}", quoted.protocol, quoted.info),
                           icmp::header_size, body.size());
  field.children = std::move(quoted.layers);
}

void dissect_message(Dissection& into, Part part, const Carried& carried, Family family) {
  const bool is_v4 = family == Family::ipv4;
  const std::string name = is_v4 ? "ICMP" : "ICMPv6";
  const auto view = icmp::View::parse(part.bytes);
  if (!view) {
    Layer layer(name, part, part.size());
    layer.malformed(into, fmt::format("message cut short: {} of 8 bytes", part.size()), 0);
    return layer.finish(into);
  }
  const bool is_ndp = !is_v4 && ndp::is_ndp(view->type());
  const bool is_quoting = icmp::is_error(family, view->type());
  const bool is_mld = !is_v4 && membership::is_mld(view->type());
  const bool is_all_fields = is_ndp || is_quoting || is_mld;
  Layer layer(name, part, is_all_fields ? part.size() : icmp::header_size);
  const std::string_view type = is_v4 ? type_name_v4(view->type()) : type_name_v6(view->type());
  layer.add("Type", fmt::format("{} ({})", type, view->type()), icmp::type_offset, 1);
  layer.add("Code", code_text(family, view->type(), view->code()), icmp::code_offset, 1);
  const std::uint16_t remainder =
      is_v4
          ? checksum(part.bytes)
          : transport_checksum({carried.source, carried.destination, protocol::icmpv6}, part.bytes);
  layer.add("Checksum",
            carried.is_whole ? checksum_text(view->checksum(), remainder)
                             : fmt::format("0x{:04x} (not checked)", view->checksum()),
            icmp::checksum_offset, 2);
  into.say(name, info(*view, family, carried.ttl));
  add_rest(layer, *view, family);
  const Part body = part.from(icmp::header_size);
  if (is_ndp) dissect_ndp(into, part, layer);
  if (is_mld) dissect_mld(into, part, layer);
  if (is_quoting) add_quote(into, layer, body, family);
  layer.finish(into);
  if (!is_all_fields) dissect_payload(into, body);
}

std::string_view ndp_option_name(std::uint8_t type) {
  switch (type) {
    case ndp::option::source_link_address:
      return "Source Link-Layer Address";
    case ndp::option::target_link_address:
      return "Target Link-Layer Address";
    case ndp::option::prefix_information:
      return "Prefix Information";
    case ndp::option::redirected_header:
      return "Redirected Header";
    case ndp::option::mtu:
      return "MTU";
    case ndp::option::nonce:
      return "Nonce";
    case ndp::option::dns_servers:
      return "Recursive DNS Server";
    default:
      return "Unknown Option";
  }
}

std::string ndp_option_text(Bytes bytes) {
  const auto options = ndp::Options::parse(bytes);
  if (options && options->source_link_address) return to_text(*options->source_link_address);
  if (options && options->target_link_address) return to_text(*options->target_link_address);
  if (options && options->mtu) return fmt::format("{}", *options->mtu);
  if (options && !options->prefixes.empty()) {
    const ndp::PrefixInformation& information = options->prefixes[0];
    return fmt::format("{}, {}{}valid {} s, preferred {} s", to_text(information.prefix),
                       information.is_on_link ? "on-link, " : "",
                       information.is_autonomous ? "autonomous, " : "",
                       information.valid_lifetime_s, information.preferred_lifetime_s);
  }
  return hexadecimal(bytes.subspan(std::min<std::size_t>(bytes.size(), 2)));
}

void add_ndp_options(Layer& layer, Bytes message, std::size_t fixed) {
  ndp::OptionReader reader(message.subspan(std::min(message.size(), fixed)));
  while (const auto option = reader.next()) {
    layer.add(fmt::format("Option: {}", ndp_option_name(option->type)),
              ndp_option_text(option->bytes), fixed + option->offset, option->bytes.size());
  }
}

void add_router_fields(Layer& layer, const ndp::View& view) {
  layer.add("Cur Hop Limit", fmt::format("{}", view.current_hop_limit()), 4, 1);
  layer.add("Managed address configuration", view.is_managed() ? "set" : "not set", 5, 1);
  layer.add("Other configuration", view.has_other_configuration() ? "set" : "not set", 5, 1);
  layer.add("Router Lifetime", fmt::format("{} s", view.router_lifetime_s()), 6, 2);
  layer.add("Reachable Time", fmt::format("{} ms", view.reachable_time_ms()), 8, 4);
  layer.add("Retrans Timer", fmt::format("{} ms", view.retrans_timer_ms()), 12, 4);
}

std::string neighbour_info(const ndp::View& view) {
  const auto& options = view.options();
  std::string text(type_name_v6(static_cast<std::uint8_t>(view.type())));
  if (view.type() == ndp::Type::neighbour_solicitation) {
    text += " for " + to_text(view.target());
    if (options.source_link_address) text += " from " + to_text(*options.source_link_address);
  } else if (view.type() == ndp::Type::neighbour_advertisement) {
    text += " " + to_text(view.target()) + " (";
    text += view.is_router() ? "rtr, " : "";
    text += view.is_solicited() ? "sol, " : "";
    text += view.is_override() ? "ovr, " : "";
    text = text.ends_with(", ") ? text.substr(0, text.size() - 2) + ")"
                                : text.substr(0, text.size() - 2);
    if (options.target_link_address) text += " is at " + to_text(*options.target_link_address);
  } else if (options.source_link_address) {
    text += " from " + to_text(*options.source_link_address);
  }
  return text;
}

}  // namespace

// Adds what follows type, code and checksum to the ICMPv6 layer.
void dissect_ndp(Dissection& into, Part part, Layer& layer) {
  const auto view = ndp::View::parse(part.bytes);
  if (!view)
    return layer.malformed(into, "message is too short, or code, target or options bad", 0);
  into.say("ICMPv6", neighbour_info(*view));
  switch (view->type()) {
    case ndp::Type::router_solicitation:
      return add_ndp_options(layer, part.bytes, 8);
    case ndp::Type::router_advertisement:
      add_router_fields(layer, *view);
      return add_ndp_options(layer, part.bytes, 16);
    case ndp::Type::redirect:
      layer.add("Target Address", to_text(view->target()), 8, 16);
      layer.add("Destination Address", to_text(view->destination()), 24, 16);
      return add_ndp_options(layer, part.bytes, 40);
    case ndp::Type::neighbour_advertisement:
      layer.add("Router", view->is_router() ? "set" : "not set", 4, 1);
      layer.add("Solicited", view->is_solicited() ? "set" : "not set", 4, 1);
      layer.add("Override", view->is_override() ? "set" : "not set", 4, 1);
      break;
    case ndp::Type::neighbour_solicitation:
      break;
  }
  layer.add("Target Address", to_text(view->target()), 8, 16);
  add_ndp_options(layer, part.bytes, 24);
}

void dissect_icmp(Dissection& into, Part part, const Carried& carried) {
  dissect_message(into, part, carried, Family::ipv4);
}

void dissect_icmpv6(Dissection& into, Part part, const Carried& carried) {
  dissect_message(into, part, carried, Family::ipv6);
}

}  // namespace lanyard::wire
