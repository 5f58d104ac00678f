// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "wire/dhcp.hh"
#include "wire/dissect_layers.hh"

namespace lanyard::wire {
namespace {

std::string_view option_name(std::uint8_t code) {
  switch (code) {
    case dhcp::option::subnet_mask:
      return "Subnet Mask";
    case dhcp::option::routers:
      return "Router";
    case dhcp::option::name_servers:
      return "Domain Name Server";
    case dhcp::option::host_name:
      return "Host Name";
    case dhcp::option::domain_name:
      return "Domain Name";
    case dhcp::option::requested_address:
      return "Requested IP Address";
    case dhcp::option::lease_time:
      return "IP Address Lease Time";
    case dhcp::option::overload:
      return "Option Overload";
    case dhcp::option::message_type:
      return "DHCP Message Type";
    case dhcp::option::server_identifier:
      return "DHCP Server Identifier";
    case dhcp::option::parameters:
      return "Parameter Request List";
    case dhcp::option::message:
      return "Message";
    case dhcp::option::renewal_time:
      return "Renewal Time Value";
    case dhcp::option::rebinding_time:
      return "Rebinding Time Value";
    case dhcp::option::client_identifier:
      return "Client Identifier";
    default:
      return "Unknown Option";
  }
}

std::string option_text(const dhcp::Option& option) {
  const Bytes value = option.value;
  switch (option.code) {
    case dhcp::option::subnet_mask:
    case dhcp::option::routers:
    case dhcp::option::name_servers:
    case dhcp::option::requested_address:
    case dhcp::option::server_identifier: {
      if (value.empty() || value.size() % 4 != 0) break;
      std::string text;
      for (std::size_t at = 0; at < value.size(); at += 4) {
        if (!text.empty()) text += ", ";
        text += to_text(IpAddress::from_v4_bytes(value.data() + at));
      }
      return text;
    }
    case dhcp::option::lease_time:
    case dhcp::option::renewal_time:
    case dhcp::option::rebinding_time:
      if (value.size() != 4) break;
      return fmt::format("{} s", load32(value.data()));
    case dhcp::option::host_name:
    case dhcp::option::domain_name:
    case dhcp::option::message:
      return printable(value);
    case dhcp::option::message_type:
      if (value.size() != 1) break;
      return fmt::format("{} ({})", to_text(static_cast<dhcp::Type>(value[0])), value[0]);
    default:
      break;
  }
  return hexadecimal(value);
}

void add_fixed(Layer& layer, const dhcp::Message& message) {
  layer.add("Message op", message.is_reply ? "Reply (2)" : "Request (1)", 0, 1);
  layer.add("Hops", fmt::format("{}", message.hops), 3, 1);
  layer.add("Transaction ID", fmt::format("0x{:08x}", message.transaction), 4, 4);
  layer.add("Seconds elapsed", fmt::format("{}", message.seconds), 8, 2);
  layer.add("Broadcast flag", message.wants_broadcast ? "set" : "not set", 10, 2);
  layer.add("Client IP address", to_text(message.client), 12, 4);
  layer.add("Your (client) IP address", to_text(message.yours), 16, 4);
  layer.add("Next server IP address", to_text(message.next), 20, 4);
  layer.add("Relay agent IP address", to_text(message.relay), 24, 4);
  layer.add("Client MAC address", to_text(message.hardware), 28, 6);
}

std::string info(const dhcp::Message& message) {
  std::string text = fmt::format("{} 0x{:08x}", to_text(message.type), message.transaction);
  if (!message.yours.is_unspecified()) text += " yours " + to_text(message.yours);
  if (message.requested) text += " wants " + to_text(*message.requested);
  if (!message.client.is_unspecified()) text += " has " + to_text(message.client);
  if (message.server) text += " server " + to_text(*message.server);
  return text;
}

}  // namespace

void dissect_dhcp(Dissection& into, Part part) {
  Layer layer("DHCP", part, part.size());
  const auto message = dhcp::parse(part.bytes);
  if (!message) {
    layer.malformed(into, std::string(message.error()), 0);
    return layer.finish(into);
  }
  add_fixed(layer, *message);
  const auto options = dhcp::options_of(part.bytes);
  for (const dhcp::Option& option : *options) {
    layer.add(fmt::format("Option: {} ({})", option_name(option.code), option.code),
              option_text(option), option.at, 2 + part.bytes[option.at + 1]);
  }
  into.say("DHCP", info(*message));
  layer.finish(into);
}

}  // namespace lanyard::wire
