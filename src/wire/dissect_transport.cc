// SPDX-License-Identifier: Apache-2.0
// The transport layer, and HTTP as the lines of text it is.
#include <fmt/format.h>

#include <array>

#include "wire/dhcp.hh"
#include "wire/dhcp6.hh"
#include "wire/dissect_layers.hh"
#include "wire/dns.hh"
#include "wire/protocol.hh"
#include "wire/pseudo.hh"
#include "wire/tcp.hh"
#include "wire/udp.hh"

namespace lanyard::wire {
namespace {

std::string judged_checksum(const Carried& carried, Bytes message, std::uint16_t field) {
  if (!carried.is_whole) return fmt::format("0x{:04x} (not checked)", field);
  return checksum_text(
      field, transport_checksum({carried.source, carried.destination, carried.protocol}, message));
}

bool is_http_port(Port port) {
  return port == 80 || port == 8080;
}

std::string tcp_option_name(std::uint8_t kind) {
  switch (kind) {
    case tcp::option::no_operation:
      return "No-Operation";
    case tcp::option::mss:
      return "Maximum Segment Size";
    case tcp::option::window_scale:
      return "Window Scale";
    case tcp::option::sack_permitted:
      return "SACK Permitted";
    case tcp::option::sack:
      return "SACK";
    case tcp::option::timestamps:
      return "Timestamps";
    case tcp::option::md5_signature:
      return "MD5 Signature";
    case tcp::option::user_timeout:
      return "User Timeout";
    case tcp::option::authentication:
      return "TCP Authentication Option";
    case tcp::option::fast_open:
      return "TCP Fast Open Cookie";
    default:
      return fmt::format("Unknown Option {}", kind);
  }
}

std::string sack_text(Bytes data) {
  std::string text;
  for (; data.size() >= 8; data = data.subspan(8)) {
    if (!text.empty()) text += ' ';
    text += fmt::format("0x{:08x}-0x{:08x}", load32(data.data()), load32(data.data() + 4));
  }
  return text;
}

std::string tcp_option_text(const tcp::RawOption& option) {
  const Bytes data = option.data;
  if (option.kind == tcp::option::mss && data.size() == 2) {
    return fmt::format("{}", load16(data.data()));
  }
  if (option.kind == tcp::option::window_scale && data.size() == 1) {
    return fmt::format("{} (multiply by {})", data[0],
                       1U << std::min(data[0], tcp::window_scale_max));
  }
  if (option.kind == tcp::option::timestamps && data.size() == 8) {
    return fmt::format("TSval {}, TSecr {}", load32(data.data()), load32(data.data() + 4));
  }
  if (option.kind == tcp::option::sack && data.size() % 8 == 0) return sack_text(data);
  return hexadecimal(data, 40);
}

void add_tcp_options(Dissection& into, Layer& layer, const tcp::View& view) {
  tcp::OptionReader reader(view.option_bytes());
  while (const auto option = reader.next()) {
    layer.add("Option: " + tcp_option_name(option->kind), tcp_option_text(*option),
              tcp::header_size_min + option->offset, option->bytes.size());
  }
  if (reader.is_malformed()) {
    layer.malformed(into, "option length is impossible", tcp::header_size_min + reader.offset());
  }
}

void add_tcp_flags(Layer& layer, tcp::Flags flags) {
  static constexpr std::array<std::string_view, 8> names{"Congestion Window Reduced",
                                                         "ECN-Echo",
                                                         "Urgent",
                                                         "Acknowledgment",
                                                         "Push",
                                                         "Reset",
                                                         "Syn",
                                                         "Fin"};
  Field& field = layer.add("Flags", fmt::format("0x{:02x} ({})", flags.bits, to_text(flags)),
                           tcp::flags_offset, 1);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const bool is_set = (flags.bits >> (7 - i) & 1) != 0;
    layer.add_to(field, std::string(names[i]), is_set ? "set" : "not set", tcp::flags_offset, 1);
  }
}

void add_tcp_fields(Layer& layer, const tcp::View& view) {
  layer.add("Source Port", fmt::format("{}", view.source_port()), tcp::source_port_offset, 2);
  layer.add("Destination Port", fmt::format("{}", view.destination_port()),
            tcp::destination_port_offset, 2);
  layer.add("Sequence Number",
            fmt::format("{} (0x{:08x})", view.sequence().value(), view.sequence().value()),
            tcp::sequence_offset, 4);
  layer.add(
      "Acknowledgment Number",
      fmt::format("{} (0x{:08x})", view.acknowledgment().value(), view.acknowledgment().value()),
      tcp::acknowledgment_offset, 4);
  layer.add("Data Offset", fmt::format("{} bytes", view.header_size()), tcp::data_offset_offset, 1);
  add_tcp_flags(layer, view.flags());
  layer.add("Window", fmt::format("{}", view.window()), tcp::window_offset, 2);
}

std::string tcp_info(const tcp::View& view) {
  std::string text =
      fmt::format("{} -> {} [{}] Seq=0x{:08x}", view.source_port(), view.destination_port(),
                  to_text(view.flags()), view.sequence().value());
  if (view.flags().ack()) text += fmt::format(" Ack=0x{:08x}", view.acknowledgment().value());
  text += fmt::format(" Win={} Len={}", view.window(), view.payload_size());
  const tcp::Options options = view.options();
  if (options.mss) text += fmt::format(" MSS={}", *options.mss);
  if (options.sack_permitted) text += " SACK_PERM";
  if (options.timestamps) {
    text += fmt::format(" TSval={} TSecr={}", options.timestamps->value, options.timestamps->echo);
  }
  if (options.window_scale) text += fmt::format(" WS={}", 1U << *options.window_scale);
  for (const tcp::SackBlock& block : options.sacked()) {
    text += fmt::format(" SLE=0x{:08x} SRE=0x{:08x}", block.left.value(), block.right.value());
  }
  return text;
}

// DNS over TCP: a length, then a message (RFC 1035 4.2.2). A message in several segments is
// payload.
bool dissect_dns_over_tcp(Dissection& into, Part payload) {
  if (payload.size() < 2 || load16(payload.data()) != payload.size() - 2) return false;
  dissect_dns(into, payload.from(2));
  return true;
}

void dissect_tcp(Dissection& into, Part part, const Carried& carried) {
  const auto view = tcp::View::parse(part.bytes);
  Layer layer("TCP", part, view ? view->header_size() : part.size());
  if (!view) {
    const bool is_short = part.size() < tcp::header_size_min;
    layer.malformed(into,
                    is_short
                        ? fmt::format("header cut short: {} of 20 bytes", part.size())
                        : fmt::format("data offset of {} bytes with {} there",
                                      4 * (part.data()[tcp::data_offset_offset] >> 4), part.size()),
                    is_short ? 0 : tcp::data_offset_offset);
    layer.finish(into);
    return;
  }
  into.say("TCP", tcp_info(*view));
  add_tcp_fields(layer, *view);
  layer.add("Checksum", judged_checksum(carried, part.bytes, view->checksum()),
            tcp::checksum_offset, 2);
  layer.add("Urgent Pointer", fmt::format("{}", view->urgent_pointer()), tcp::urgent_pointer_offset,
            2);
  add_tcp_options(into, layer, *view);
  layer.finish(into);
  const Part payload = part.from(view->header_size());
  const auto is_either = [&view](auto test) {
    return test(view->source_port()) || test(view->destination_port());
  };
  if (payload.size() > 0 && is_either(is_http_port)) return dissect_http(into, payload);
  const bool is_dns = is_either([](Port port) { return port == dns::port; });
  if (is_dns && dissect_dns_over_tcp(into, payload)) return;
  dissect_payload(into, payload);
}

void dissect_udp(Dissection& into, Part part, const Carried& carried) {
  const bool has_header = part.size() >= udp::header_size;
  Layer layer("UDP", part, udp::header_size);
  if (!has_header) {
    layer.malformed(into, fmt::format("header cut short: {} of 8 bytes", part.size()), 0);
    return layer.finish(into);
  }
  const std::uint16_t length = load16(part.data() + udp::length_offset);
  const Port source = load16(part.data() + udp::source_port_offset);
  const Port destination = load16(part.data() + udp::destination_port_offset);
  const std::uint16_t checksum = load16(part.data() + udp::checksum_offset);
  const auto view = udp::View::parse(part.bytes, carried.is_whole ? part.size() : 0xffff);
  layer.add("Source Port", fmt::format("{}", source), udp::source_port_offset, 2);
  layer.add("Destination Port", fmt::format("{}", destination), udp::destination_port_offset, 2);
  layer.add("Length", fmt::format("{}", length), udp::length_offset, 2);
  const std::string sum = checksum == 0 ? "0x0000 (none)"
                          : view ? judged_checksum(carried, part.first(length).bytes, checksum)
                                 : fmt::format("0x{:04x} (not checked)", checksum);
  layer.add("Checksum", sum, udp::checksum_offset, 2);
  into.say("UDP", fmt::format("{} -> {} Len={}", source, destination, length - 8));
  if (!view) {
    layer.malformed(into, fmt::format("length {} with {} bytes there", length, part.size()),
                    udp::length_offset);
  }
  layer.finish(into);
  const Part payload = part.first(view ? length : part.size()).from(udp::header_size);
  const bool is_dns = source == dns::port || destination == dns::port;
  if (view && is_dns && carried.is_whole) return dissect_dns(into, payload);
  const auto is_between = [&](Port a, Port b) {
    return (source == a || source == b) && (destination == a || destination == b);
  };
  if (view && carried.is_whole) {
    if (is_between(dhcp::server_port, dhcp::client_port)) return dissect_dhcp(into, payload);
    if (is_between(dhcp6::server_port, dhcp6::client_port)) return dissect_dhcp6(into, payload);
  }
  dissect_payload(into, payload);
}

// One line of text and its end; the part after it.
Part next_line(Part part, Bytes& line) {
  const auto end = std::find(part.bytes.begin(), part.bytes.end(), std::uint8_t{'\n'});
  const auto size = static_cast<std::size_t>(end - part.bytes.begin());
  line = part.bytes.first(size);
  if (!line.empty() && line.back() == '\r') line = line.first(line.size() - 1);
  return part.from(size + 1);
}

bool looks_like_http(Bytes line) {
  const std::string_view text = text_of(line);
  return text.starts_with("HTTP/1.") || text.ends_with(" HTTP/1.1") || text.ends_with(" HTTP/1.0");
}

}  // namespace

void dissect_transport(Dissection& into, Part part, const Carried& carried) {
  switch (carried.protocol) {
    case protocol::tcp:
      return dissect_tcp(into, part, carried);
    case protocol::udp:
      return dissect_udp(into, part, carried);
    case protocol::icmp:
      return dissect_icmp(into, part, carried);
    case protocol::icmpv6:
      return dissect_icmpv6(into, part, carried);
    case protocol::igmp:
      return dissect_igmp(into, part, carried);
    default:
      return dissect_payload(into, part);
  }
}

// A segment in the middle of a message is payload; tshark would wait for the whole message.
void dissect_http(Dissection& into, Part part) {
  Bytes line;
  Part rest = next_line(part, line);
  if (!looks_like_http(line)) return dissect_payload(into, part);
  constexpr std::size_t lines_max = 100;
  Layer layer("HTTP", part, part.size());
  const bool is_response = text_of(line).starts_with("HTTP/");
  layer.add(is_response ? "Status Line" : "Request Line", printable(line, 256), 0, line.size());
  into.say("HTTP", printable(line, 256));
  for (std::size_t lines = 0; rest.size() > 0 && lines < lines_max; ++lines) {
    const std::size_t offset = rest.at - part.at;
    rest = next_line(rest, line);
    if (line.empty()) break;
    const std::string_view text = text_of(line);
    const std::size_t colon = std::min(text.find(':'), text.size());
    const std::size_t value = std::min(text.find_first_not_of(": ", colon), text.size());
    layer.add(printable(line.first(colon), 64), printable(line.subspan(value), 256), offset,
              line.size());
  }
  if (rest.size() > 0) {
    layer.add("Body", fmt::format("{} bytes", rest.size()), rest.at - part.at, rest.size());
  }
  layer.finish(into);
}

}  // namespace lanyard::wire
