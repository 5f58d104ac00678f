// SPDX-License-Identifier: Apache-2.0
// The network layer: IPv4 with its options, IPv6 with its extension headers.
#include <fmt/format.h>

#include <array>

#include "wire/dissect_layers.hh"
#include "wire/ipv4.hh"
#include "wire/ipv4_options.hh"
#include "wire/ipv6.hh"
#include "wire/ipv6_extensions.hh"
#include "wire/protocol.hh"

namespace lanyard::wire {

std::string protocol_name(std::uint8_t protocol) {
  switch (protocol) {
    case protocol::hop_by_hop:
      return "IPv6 Hop-by-Hop Options";
    case protocol::icmp:
      return "ICMP";
    case protocol::igmp:
      return "IGMP";
    case protocol::ipv4:
      return "IPv4";
    case protocol::tcp:
      return "TCP";
    case protocol::udp:
      return "UDP";
    case protocol::ipv6:
      return "IPv6";
    case protocol::routing:
      return "IPv6 Routing";
    case protocol::fragment:
      return "IPv6 Fragment";
    case protocol::icmpv6:
      return "ICMPv6";
    case protocol::no_next_header:
      return "No Next Header";
    case protocol::destination_options:
      return "IPv6 Destination Options";
    default:
      return "protocol";
  }
}

namespace {

std::string protocol_text(std::uint8_t protocol) {
  return fmt::format("{} ({})", protocol_name(protocol), protocol);
}

void add_traffic_class(Layer& layer, std::uint8_t value, std::size_t offset, std::size_t size) {
  static constexpr std::array<std::string_view, 4> ecn{"Not-ECT", "ECT(1)", "ECT(0)", "CE"};
  layer.add("DSCP", fmt::format("{}", value >> 2), offset, size);
  layer.add("ECN", fmt::format("{} ({})", ecn[value & 3], value & 3), offset, size);
}

std::string_view option_name(std::uint8_t type) {
  switch (type) {
    case ipv4::option::no_operation:
      return "No Operation";
    case ipv4::option::record_route:
      return "Record Route";
    case ipv4::option::timestamp:
      return "Timestamp";
    case ipv4::option::security:
      return "Security";
    case ipv4::option::loose_source_route:
      return "Loose Source Route";
    case ipv4::option::stream_identifier:
      return "Stream Identifier";
    case ipv4::option::strict_source_route:
      return "Strict Source Route";
    case ipv4::option::router_alert:
      return "Router Alert";
    default:
      return "Unknown Option";
  }
}

void add_ipv4_options(Dissection& into, Layer& layer, Bytes options) {
  ipv4::OptionReader reader(options);
  while (const auto option = reader.next()) {
    layer.add(fmt::format("Option: {}", option_name(option->type)),
              fmt::format("type {}{}{}", option->type, option->data.empty() ? "" : ": ",
                          hexadecimal(option->data)),
              ipv4::header_size_min + option->offset, option->bytes.size());
  }
  if (reader.is_malformed()) {
    layer.malformed(into, "option length is impossible", ipv4::header_size_min + reader.offset());
  }
}

void add_ipv4_fields(Layer& layer, const ipv4::View& view) {
  layer.add("Version", "4", ipv4::version_ihl_offset, 1);
  layer.add("Header Length", fmt::format("{} bytes", view.header_size()), ipv4::version_ihl_offset,
            1);
  add_traffic_class(layer, view.traffic_class(), ipv4::traffic_class_offset, 1);
  layer.add("Total Length", fmt::format("{}", view.total_length()), ipv4::total_length_offset, 2);
  layer.add("Identification", fmt::format("0x{:04x}", view.identification()),
            ipv4::identification_offset, 2);
  Field& flags = layer.add("Flags", "", ipv4::fragment_offset, 1);
  const auto set = [](bool is_set) { return is_set ? "set" : "not set"; };
  layer.add_to(flags, "Reserved", set(view.is_reserved_flag_set()), ipv4::fragment_offset, 1);
  layer.add_to(flags, "Don't Fragment", set(view.dont_fragment()), ipv4::fragment_offset, 1);
  layer.add_to(flags, "More Fragments", set(view.more_fragments()), ipv4::fragment_offset, 1);
  layer.add("Fragment Offset", fmt::format("{}", view.offset()), ipv4::fragment_offset, 2);
  layer.add("Time to Live", fmt::format("{}", view.ttl()), ipv4::ttl_offset, 1);
  layer.add("Protocol", protocol_text(view.protocol()), ipv4::protocol_offset, 1);
  layer.add("Header Checksum", checksum_text(view.header_checksum(), checksum(view.header())),
            ipv4::checksum_offset, 2);
  layer.add("Source Address", to_text(view.source()), ipv4::source_offset, 4);
  layer.add("Destination Address", to_text(view.destination()), ipv4::destination_offset, 4);
}

// Why these bytes are no IPv4 header.
std::string ipv4_trouble(Part part, DropReason reason) {
  if (part.size() == 0) return "no bytes for a header";
  if (reason == DropReason::bad_version) {
    return fmt::format("version is {}", part.data()[0] >> 4);
  }
  if (reason == DropReason::bad_header_length) {
    return fmt::format("header length {} with {} bytes there", 4 * (part.data()[0] & 15),
                       part.size());
  }
  return fmt::format("total length {} is below the header's", load16(part.data() + 2));
}

}  // namespace

void dissect_ipv4(Dissection& into, Part part, bool is_quoted) {
  const auto view = ipv4::View::parse_quoted(part.bytes);
  Layer layer("IPv4", part, view ? view->header_size() : part.size());
  if (!view) {
    layer.malformed(into, ipv4_trouble(part, view.error()), 0);
    layer.finish(into);
    return dissect_payload(into, part);
  }
  add_ipv4_fields(layer, *view);
  const Carried carried{.source = view->source(),
                        .destination = view->destination(),
                        .protocol = view->protocol(),
                        .is_whole = view->total_length() <= part.size() && !view->is_fragment(),
                        .ttl = view->ttl()};
  into.ends = {to_text(carried.source), to_text(carried.destination)};
  into.say("IPv4", protocol_text(view->protocol()));
  add_ipv4_options(into, layer, view->options());
  if (view->total_length() > part.size() && !is_quoted) {
    layer.malformed(
        into, fmt::format("total length {} with {} bytes there", view->total_length(), part.size()),
        ipv4::total_length_offset);
  }
  layer.finish(into);
  const Part payload = part.from(view->header_size()).first(view->payload_size());
  if (view->is_fragment()) {
    into.say("IPv4", fmt::format("Fragmented IP protocol (proto={} {}, off={}, ID={:04x})",
                                 protocol_name(view->protocol()), view->protocol(), view->offset(),
                                 view->identification()));
  }
  if (view->offset() != 0) return dissect_payload(into, payload);
  dissect_transport(into, payload, carried);
}

namespace {

std::string_view extension_option_name(std::uint8_t type) {
  switch (type) {
    case ipv6::option::pad1:
      return "Pad1";
    case ipv6::option::pad_n:
      return "PadN";
    case ipv6::option::router_alert:
      return "Router Alert";
    default:
      return "Unknown Option";
  }
}

void add_extension_options(Dissection& into, Layer& layer, Bytes header) {
  ipv6::OptionReader reader(header.subspan(2));
  while (const auto option = reader.next()) {
    layer.add(fmt::format("Option: {}", extension_option_name(option->type)),
              fmt::format("type 0x{:02x}, {} bytes", option->type, option->data.size()),
              2 + option->offset, reader.offset() - option->offset);
  }
  if (reader.is_malformed())
    layer.malformed(into, "option leads past its header", 2 + reader.offset());
}

void add_fragment_fields(Layer& layer, const ipv6::FragmentView& view) {
  layer.add("Fragment Offset", fmt::format("{}", view.offset()), 2, 2);
  layer.add("More Fragments", view.more_fragments() ? "set" : "not set", 3, 1);
  layer.add("Identification", fmt::format("0x{:08x}", view.identification()), 4, 4);
}

bool is_extension(std::uint8_t protocol) {
  return protocol == protocol::hop_by_hop || protocol == protocol::routing ||
         protocol == protocol::fragment || protocol == protocol::destination_options;
}

// Adds the extension header at the start of `part` and returns its size; 0 when it is cut short.
std::size_t dissect_extension(Dissection& into, Part part, Carried& carried, bool& is_later) {
  const bool is_fragment = carried.protocol == protocol::fragment;
  const std::size_t wanted =
      part.size() < 2 || is_fragment ? 8 : 8 + std::size_t{8} * part.data()[1];
  Layer layer(protocol_name(carried.protocol), part, wanted);
  if (wanted > part.size()) {
    layer.malformed(into, fmt::format("header cut short: {} of {} bytes", part.size(), wanted), 0);
    layer.finish(into);
    return 0;
  }
  const Bytes header = part.bytes.first(wanted);
  layer.add("Next Header", protocol_text(header[0]), 0, 1);
  if (!is_fragment) layer.add("Header Extension Length", fmt::format("{}", header[1]), 1, 1);
  if (carried.protocol == protocol::routing) {
    layer.add("Routing Type", fmt::format("{}", header[2]), 2, 1);
    layer.add("Segments Left", fmt::format("{}", header[3]), 3, 1);
  } else if (is_fragment) {
    const auto view = ipv6::FragmentView::parse(header);
    add_fragment_fields(layer, *view);
    is_later = view->offset() != 0;
    carried.is_whole = carried.is_whole && view->is_atomic();
    into.say("IPv6",
             fmt::format("fragment (off={} more={} ident=0x{:08x} nxt={})", view->offset(),
                         view->more_fragments() ? "y" : "n", view->identification(), header[0]));
  } else {
    add_extension_options(into, layer, header);
  }
  layer.finish(into);
  carried.protocol = header[0];
  return wanted;
}

void add_ipv6_fields(Layer& layer, const ipv6::View& view) {
  layer.add("Version", "6", ipv6::first_word_offset, 1);
  add_traffic_class(layer, view.traffic_class(), ipv6::first_word_offset, 2);
  layer.add("Flow Label", fmt::format("0x{:05x}", view.flow_label()), 1, 3);
  layer.add("Payload Length", fmt::format("{}", view.payload_length()), ipv6::payload_length_offset,
            2);
  layer.add("Next Header", protocol_text(view.next_header()), ipv6::next_header_offset, 1);
  layer.add("Hop Limit", fmt::format("{}", view.hop_limit()), ipv6::hop_limit_offset, 1);
  layer.add("Source Address", to_text(view.source()), ipv6::source_offset, 16);
  layer.add("Destination Address", to_text(view.destination()), ipv6::destination_offset, 16);
}

std::string ipv6_trouble(Part part, DropReason reason) {
  if (part.size() == 0) return "no bytes for a header";
  if (reason == DropReason::bad_version) return fmt::format("version is {}", part.data()[0] >> 4);
  if (reason == DropReason::bad_header_length) {
    return fmt::format("header cut short: {} of 40 bytes", part.size());
  }
  return "an IPv4-mapped address, which no wire may carry";
}

}  // namespace

void dissect_ipv6(Dissection& into, Part part, bool is_quoted) {
  const auto view = ipv6::View::parse_quoted(part.bytes);
  Layer layer("IPv6", part, view ? ipv6::header_size : part.size());
  if (!view) {
    layer.malformed(into, ipv6_trouble(part, view.error()), 0);
    layer.finish(into);
    return dissect_payload(into, part);
  }
  add_ipv6_fields(layer, *view);
  const std::size_t whole = ipv6::header_size + view->payload_size();
  Carried carried{.source = view->source(),
                  .destination = view->destination(),
                  .protocol = view->next_header(),
                  .is_whole = whole <= part.size(),
                  .ttl = view->hop_limit()};
  into.ends = {to_text(carried.source), to_text(carried.destination)};
  into.say("IPv6", protocol_text(view->next_header()));
  if (!carried.is_whole && !is_quoted) {
    layer.malformed(into,
                    fmt::format("payload length {} with {} bytes there", view->payload_length(),
                                part.size() - ipv6::header_size),
                    ipv6::payload_length_offset);
  }
  layer.finish(into);
  Part rest = part.first(whole).from(ipv6::header_size);
  bool is_later = false;
  for (unsigned headers = 0; headers < ipv6::extension_headers_max; ++headers) {
    if (is_later || !is_extension(carried.protocol)) break;
    const std::size_t size = dissect_extension(into, rest, carried, is_later);
    if (size == 0) return;
    rest = rest.from(size);
  }
  if (is_later) return dissect_payload(into, rest);
  dissect_transport(into, rest, carried);
}

}  // namespace lanyard::wire
