// SPDX-License-Identifier: Apache-2.0
#include "wire/dissect.hh"

#include <fmt/format.h>

#include "core/checksum.hh"
#include "wire/arp.hh"
#include "wire/dissect_layers.hh"
#include "wire/vlan.hh"

namespace lanyard::wire {

void Layer::malformed(Dissection& into, const std::string& words, std::size_t offset) {
  const std::string text = fmt::format("{}, at offset {}", words, at_ + offset);
  add("Malformed", text, offset, 0);
  into.say(field_.name, "malformed: " + text);
}

std::string printable(Bytes bytes, std::size_t size_max) {
  std::string text;
  for (const std::uint8_t byte : bytes) {
    if (text.size() >= size_max) return text + "...";
    if (byte == '\r') {
      text += "\\r";
    } else if (byte == '\n') {
      text += "\\n";
    } else if (byte >= 0x20 && byte < 0x7f) {
      text += static_cast<char>(byte);
    } else {
      text += fmt::format("\\x{:02x}", byte);
    }
  }
  return text;
}

std::string hexadecimal(Bytes bytes, std::size_t size_max) {
  std::string text =
      fmt::format("{:02x}", fmt::join(bytes.first(std::min(bytes.size(), size_max)), " "));
  return bytes.size() > size_max ? text + " ..." : text;
}

std::string checksum_text(std::uint16_t field, std::uint16_t remainder) {
  if (remainder == 0) return fmt::format("0x{:04x} (correct)", field);
  // The remainder is the complement of the sum with the field; without the field it is what should
  // stand there.
  ChecksumSum sum;
  sum.add16(static_cast<std::uint16_t>(~remainder));
  sum.add16(static_cast<std::uint16_t>(~field));
  return fmt::format("0x{:04x} (wrong, 0x{:04x} would be right)", field, sum.finish());
}

void dissect_payload(Dissection& into, Part part) {
  if (part.size() == 0) return;
  const auto is_text = [](std::uint8_t byte) {
    return (byte >= 0x20 && byte < 0x7f) || byte == '\r' || byte == '\n' || byte == '\t';
  };
  const Bytes start = part.bytes.first(std::min<std::size_t>(part.size(), 64));
  const bool reads = std::all_of(start.begin(), start.end(), is_text);
  Layer layer("Payload", part, part.size());
  layer.add("Length", fmt::format("{} bytes", part.size()), 0, part.size());
  if (reads) {
    layer.add("Text", printable(part.bytes), 0, part.size());
  } else {
    layer.add("Bytes", hexadecimal(part.bytes), 0, part.size());
  }
  layer.finish(into);
}

namespace {

std::string type_text(ethernet::Type type) {
  const std::string_view name = ethernet::name_of(type);
  const std::string number = fmt::format("0x{:04x}", static_cast<unsigned>(type));
  return name.empty() ? number : fmt::format("{} ({})", name, number);
}

std::string mac_text(const MacAddress& address) {
  if (address.is_broadcast()) return to_text(address) + " (broadcast)";
  return address.is_group() ? to_text(address) + " (group)" : to_text(address);
}

void dissect_vlan(Dissection& into, Part part, ethernet::Type type) {
  const auto view = vlan::View::parse(part.bytes, type);
  Layer layer(std::string(ethernet::name_of(type)), part, vlan::tag_size);
  if (!view) {
    layer.malformed(into, fmt::format("tag cut short: {} of 4 bytes", part.size()), 0);
    return layer.finish(into);
  }
  const vlan::Tag tag = view->tag();
  layer.add("Priority Code Point", fmt::format("{}", tag.priority), 0, 1);
  layer.add("Drop Eligible Indicator", tag.drop_eligible ? "set" : "not set", 0, 1);
  layer.add("VLAN Identifier", fmt::format("{}", tag.id), 0, 2);
  layer.add("Type", type_text(view->type()), vlan::type_offset, 2);
  layer.finish(into);
  into.say("VLAN", fmt::format("PRI: {} ID: {}", tag.priority, tag.id));
  dissect_by_type(into, part.from(vlan::tag_size), view->type());
}

std::string arp_info(const arp::Message& message) {
  if (message.operation == arp::Operation::reply) {
    return fmt::format("{} is at {}", to_text(message.sender_ip), to_text(message.sender_mac));
  }
  if (message.sender_ip == message.target_ip) {
    return fmt::format("ARP Announcement for {}", to_text(message.sender_ip));
  }
  return fmt::format("Who has {}? Tell {}", to_text(message.target_ip), to_text(message.sender_ip));
}

void dissect_arp(Dissection& into, Part part) {
  const auto view = arp::View::parse(part.bytes);
  Layer layer("ARP", part, arp::message_size);
  if (!view) {
    layer.malformed(into,
                    part.size() < arp::message_size
                        ? fmt::format("message cut short: {} of 28 bytes", part.size())
                        : "not IPv4 over Ethernet",
                    0);
    return layer.finish(into);
  }
  const arp::Message message = view->message();
  const auto operation = static_cast<unsigned>(message.operation);
  const std::string_view name = operation == 1 ? "request" : operation == 2 ? "reply" : "unknown";
  layer.add("Hardware Type", "Ethernet (1)", arp::hardware_type_offset, 2);
  layer.add("Protocol Type", "IPv4 (0x0800)", arp::protocol_type_offset, 2);
  layer.add("Hardware Address Length", "6", arp::hardware_length_offset, 1);
  layer.add("Protocol Address Length", "4", arp::protocol_length_offset, 1);
  layer.add("Operation", fmt::format("{} ({})", name, operation), arp::operation_offset, 2);
  layer.add("Sender Hardware Address", to_text(message.sender_mac), arp::sender_mac_offset, 6);
  layer.add("Sender Protocol Address", to_text(message.sender_ip), arp::sender_ip_offset, 4);
  layer.add("Target Hardware Address", to_text(message.target_mac), arp::target_mac_offset, 6);
  layer.add("Target Protocol Address", to_text(message.target_ip), arp::target_ip_offset, 4);
  layer.finish(into);
  into.say("ARP", arp_info(message));
}

void dissect_llc(Dissection& into, Part part) {
  Layer layer("LLC", part, 3);
  layer.add("DSAP", fmt::format("0x{:02x}", part.data()[0]), 0, 1);
  layer.add("SSAP", fmt::format("0x{:02x}", part.data()[1]), 1, 1);
  layer.add("Control", fmt::format("0x{:02x}", part.data()[2]), 2, 1);
  layer.finish(into);
  into.say("LLC", fmt::format("DSAP 0x{:02x}, {} bytes", part.data()[0], part.size()));
  dissect_payload(into, part.from(3));
}

}  // namespace

void dissect_by_type(Dissection& into, Part part, ethernet::Type type) {
  switch (type) {
    case ethernet::Type::ipv4:
      return dissect_ipv4(into, part, false);
    case ethernet::Type::ipv6:
      return dissect_ipv6(into, part, false);
    case ethernet::Type::arp:
      return dissect_arp(into, part);
    case ethernet::Type::vlan:
    case ethernet::Type::service_vlan:
      // A frame is not all tags: what is nested deeper is shown as bytes.
      if (into.layers.size() < 6) return dissect_vlan(into, part, type);
      break;
    case ethernet::Type::llc:
      // Behind a VLAN tag a zero is no length that anybody checked.
      if (part.size() >= 3) return dissect_llc(into, part);
      break;
  }
  dissect_payload(into, part);
}

void dissect_ethernet(Dissection& into, Part part) {
  const auto view = ethernet::View::parse(part.bytes);
  Layer layer("Ethernet", part, view ? view->header_size() : part.size());
  if (!view) {
    const bool is_short = part.size() < ethernet::header_size;
    layer.malformed(into,
                    is_short ? fmt::format("frame cut short: {} of 14 bytes", part.size())
                             : "802.3 length does not fit the frame",
                    is_short ? 0 : ethernet::type_offset);
    layer.finish(into);
    return dissect_payload(into, part.from(is_short ? 0 : ethernet::header_size));
  }
  layer.add("Destination", mac_text(view->destination()), ethernet::destination_offset, 6);
  layer.add("Source", mac_text(view->source()), ethernet::source_offset, 6);
  const std::uint16_t field = load16(part.data() + ethernet::type_offset);
  if (field < ethernet::type_min) {
    layer.add("Length", fmt::format("{}", field), ethernet::type_offset, 2);
  }
  const bool is_snap = view->header_size() > ethernet::header_size;
  if (is_snap) layer.add("SNAP", "AA AA 03, OUI 00 00 00", ethernet::header_size, 6);
  if (is_snap || field >= ethernet::type_min) {
    layer.add("Type", type_text(view->type()), view->header_size() - 2, 2);
  }
  layer.finish(into);
  into.ends = {to_text(view->source()), to_text(view->destination())};
  into.say("Ethernet", type_text(view->type()));
  dissect_by_type(into, part.from(view->header_size()).first(view->payload_size()), view->type());
}

void dissect_ip(Dissection& into, Part part) {
  if (part.size() > 0 && part.data()[0] >> 4 == 6) return dissect_ipv6(into, part, false);
  dissect_ipv4(into, part, false);
}

namespace {

Dissection run(Bytes frame, Start start) {
  Dissection dissection;
  const Part part{frame, 0};
  if (start == Start::ethernet) {
    dissect_ethernet(dissection, part);
  } else {
    dissect_ip(dissection, part);
  }
  return dissection;
}

}  // namespace

std::vector<Field> dissect(Bytes frame, Start start) {
  return std::move(run(frame, start).layers);
}

std::string summary(Bytes frame, Start start) {
  const Dissection dissection = run(frame, start);
  return fmt::format("{} {}", dissection.protocol, dissection.info);
}

Ends ends(Bytes frame, Start start) {
  return std::move(run(frame, start).ends);
}

}  // namespace lanyard::wire
