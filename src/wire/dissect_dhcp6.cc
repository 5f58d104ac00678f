// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "wire/dhcp6.hh"
#include "wire/dissect_layers.hh"

namespace lanyard::wire {
namespace {

std::string_view option_name(std::uint16_t code) {
  switch (code) {
    case dhcp6::option::client_identifier:
      return "Client Identifier";
    case dhcp6::option::server_identifier:
      return "Server Identifier";
    case dhcp6::option::ia_na:
      return "Identity Association for Non-temporary Address";
    case dhcp6::option::requested:
      return "Option Request";
    case dhcp6::option::preference:
      return "Preference";
    case dhcp6::option::elapsed_time:
      return "Elapsed time";
    case dhcp6::option::status:
      return "Status code";
    case dhcp6::option::name_servers:
      return "DNS recursive name server";
    default:
      return "Unknown Option";
  }
}

std::string ia_text(const dhcp6::Ia& ia) {
  std::string text = fmt::format("IAID {}, T1 {} s, T2 {} s", ia.id, ia.t1_s, ia.t2_s);
  for (const dhcp6::IaAddress& each : ia.addresses) {
    text += fmt::format(", {} preferred {} s valid {} s", to_text(each.address), each.preferred_s,
                        each.valid_s);
  }
  if (ia.status != dhcp6::Status::success) {
    text += fmt::format(", status {}", static_cast<unsigned>(ia.status));
  }
  return text;
}

std::string info(const dhcp6::Message& message) {
  std::string text = fmt::format("{} XID: 0x{:06x}", to_text(message.type), message.transaction);
  if (message.ia && !message.ia->addresses.empty()) {
    text += " IAA: " + to_text(message.ia->addresses.front().address);
  }
  return text;
}

}  // namespace

void dissect_dhcp6(Dissection& into, Part part) {
  Layer layer("DHCPv6", part, part.size());
  const auto message = dhcp6::parse(part.bytes);
  if (!message) {
    layer.malformed(into, std::string(message.error()), 0);
    return layer.finish(into);
  }
  layer.add("Message type",
            fmt::format("{} ({})", to_text(message->type), static_cast<unsigned>(message->type)), 0,
            1);
  layer.add("Transaction ID", fmt::format("0x{:06x}", message->transaction), 1, 3);
  // It was read whole, so every option is where its length says.
  for (std::size_t at = 4; at + 4 <= part.size();) {
    const std::uint16_t code = load16(part.data() + at);
    const std::size_t size = load16(part.data() + at + 2);
    const bool is_ia = code == dhcp6::option::ia_na && message->ia;
    layer.add(fmt::format("Option: {} ({})", option_name(code), code),
              is_ia ? ia_text(*message->ia) : hexadecimal(part.bytes.subspan(at + 4, size)), at,
              4 + size);
    at += 4 + size;
  }
  into.say("DHCPv6", info(*message));
  layer.finish(into);
}

}  // namespace lanyard::wire
