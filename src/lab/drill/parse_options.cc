// SPDX-License-Identifier: Apache-2.0
// TCP options and ICMP messages, as they are named in scripts.
#include <fmt/format.h>

#include <array>
#include <map>

#include "lab/drill/parser.hh"
#include "wire/icmp.hh"
#include "wire/tcp_options.hh"

namespace lanyard::lab::drill {

namespace {

using Kind = TcpOption::Kind;

TcpOption parse_sack(Lexer& lexer) {
  TcpOption option{.kind = Kind::sack};
  for (lexer.skip_spaces(); lexer.peek() >= '0' && lexer.peek() <= '9'; lexer.skip_spaces()) {
    const std::uint32_t left = lexer.unsigned32("a sequence number");
    lexer.expect(":", "between the edges of a block");
    option.blocks.emplace_back(left, lexer.unsigned32("a sequence number"));
  }
  if (option.blocks.size() > tcp::sack_blocks_max) lexer.wrong("at most four blocks fit");
  return option;
}

TcpOption parse_timestamps(Lexer& lexer) {
  TcpOption option{.kind = Kind::timestamps};
  lexer.expect("val", "behind TS");
  option.value = lexer.unsigned32("a timestamp");
  lexer.expect("ecr", "behind the timestamp's value");
  option.echo = lexer.unsigned32("a timestamp");
  return option;
}

TcpOption parse_bytes(Lexer& lexer, Kind kind, std::size_t most) {
  TcpOption option{.kind = kind};
  lexer.skip_spaces();
  option.bytes = lexer.hex_bytes();
  if (option.bytes.size() > most) lexer.wrong("this option is too long for a header");
  return option;
}

// kind 77 0102, kind 77 bare (no length byte), raw 0400 (these bytes as they are).
TcpOption parse_raw(Lexer& lexer, bool is_bare) {
  const std::uint32_t kind = is_bare ? 0 : lexer.unsigned32("the kind of an option");
  TcpOption option = parse_bytes(lexer, Kind::raw, 38);
  option.value = kind;
  option.has_length = !is_bare;
  return option;
}

TcpOption parse_tcp_option(Lexer& lexer) {
  lexer.skip_blanks();
  const Mark mark = lexer.mark();
  const std::string name = lexer.word();
  if (name == "mss") return {.kind = Kind::mss, .value = lexer.unsigned32("a segment size")};
  if (name == "sackOK") return {.kind = Kind::sack_permitted};
  if (name == "wscale") return {.kind = Kind::window_scale, .value = lexer.unsigned32("a shift")};
  if (name == "nop") return {.kind = Kind::no_operation};
  if (name == "eol") return {.kind = Kind::end_of_list};
  if (name == "TS") return parse_timestamps(lexer);
  if (name == "sack") return parse_sack(lexer);
  if (name == "FO") return parse_bytes(lexer, Kind::fast_open, 16);
  if (name == "FOEXP") return parse_bytes(lexer, Kind::fast_open_experimental, 16);
  if (name == "md5") return parse_bytes(lexer, Kind::md5, 16);
  if (name == "kind") return parse_raw(lexer, false);
  if (name == "raw") return parse_raw(lexer, true);
  if (name.empty()) lexer.wrong("expected a TCP option, as mss 1460");
  Lexer::unsupported_at(mark, fmt::format("the TCP option `{}` is not known", name));
}

struct IcmpName {
  std::string_view name;
  std::uint8_t v4, v6;  // none: 255
};
constexpr std::uint8_t none = 255;

// Messages are held with IPv4's numbers; the runner asks icmp_v6_of for IPv6's.
constexpr std::array<IcmpName, 7> types{{
    {"unreachable", icmp::v4::destination_unreachable, icmp::v6::destination_unreachable},
    {"source_quench", icmp::v4::source_quench, none},
    {"time_exceeded", icmp::v4::time_exceeded, icmp::v6::time_exceeded},
    {"parameter_problem", icmp::v4::parameter_problem, icmp::v6::parameter_problem},
    {"packet_too_big", icmp::v4::destination_unreachable, icmp::v6::packet_too_big},
    {"echo_request", icmp::v4::echo_request, icmp::v6::echo_request},
    {"echo_reply", icmp::v4::echo_reply, icmp::v6::echo_reply},
}};

const std::map<std::string_view, std::uint8_t>& unreachable_codes() {
  static const std::map<std::string_view, std::uint8_t> codes{
      {"net_unreachable", 0},
      {"host_unreachable", 1},
      {"protocol_unreachable", 2},
      {"port_unreachable", 3},
      {"frag_needed", 4},
      {"source_route_failed", 5},
      {"dest_net_unknown", 6},
      {"dest_host_unknown", 7},
      {"source_host_isolated", 8},
      {"net_unknown", 6},
      {"host_unknown", 7},
      {"net_prohibited", 9},
      {"host_prohibited", 10},
      {"net_unreachable_for_tos", 11},
      {"net_tos", 11},
      {"host_tos", 12},
      {"host_unreachable_for_tos", 12},
      {"packet_filtered", 13},
      {"admin_prohibited", 13},
      {"precedence_violation", 14},
      {"precedence_cutoff", 15},
      {"no_route", 0},
      {"addr_unreachable", 1},
      {"address_unreachable", 1},
      {"not_neighbour", 1},
      {"beyond_scope", 1},
  };
  return codes;
}

bool parse_code(Lexer& lexer, PacketEvent& packet, const std::string& word) {
  if (word == "ttl_exceeded" || word == "exceeded_in_transit" || word == "exc_ttl" ||
      word == "hop_limit") {
    packet.icmp_code = 0;
    return true;
  }
  if (word == "exc_fragtime" || word == "reassembly_time_exceeded") {
    packet.icmp_code = 1;
    return true;
  }
  if (word == "code") {
    packet.icmp_code = static_cast<std::uint8_t>(lexer.unsigned32("a code"));
    return true;
  }
  const auto found = unreachable_codes().find(word);
  if (found == unreachable_codes().end()) return false;
  packet.icmp_code = found->second;
  return true;
}

void parse_quote(Lexer& lexer, PacketEvent& packet) {
  if (lexer.take("udp")) {
    packet.quotes_udp = true;
    lexer.expect("(", "before the number of bytes");
    packet.quoted = SequenceRange{};
    packet.quoted->bytes = lexer.unsigned32("a number of bytes");
    lexer.expect(")", "behind the number of bytes");
  } else {
    packet.quoted = parse_range(lexer);
  }
  lexer.expect("]", "behind the quoted packet");
}

}  // namespace

void parse_options(Lexer& lexer, PacketEvent& packet) {
  if (lexer.take("...")) {
    packet.any_options = true;
    lexer.expect(">", "behind the options");
    return;
  }
  if (lexer.take(">")) return;
  do {
    packet.options.push_back(parse_tcp_option(lexer));
  } while (lexer.take(","));
  lexer.expect(">", "behind the options");
}

void parse_icmp(Lexer& lexer, PacketEvent& packet) {
  packet.kind = PacketEvent::Kind::icmp;
  lexer.skip_spaces();
  const Mark mark = lexer.mark();
  const std::string name = lexer.word();
  bool is_known = false;
  for (const IcmpName& type : types) {
    if (type.name != name) continue;
    is_known = true;
    packet.icmp_type = type.v4;
  }
  if (!is_known) {
    Lexer::unsupported_at(mark, fmt::format("the ICMP message `{}` is not known", name));
  }
  if (name == "packet_too_big") packet.icmp_code = icmp::v4::fragmentation_needed;
  for (lexer.skip_spaces(); lexer.peek() != '[' && lexer.peek() != '\n'; lexer.skip_spaces()) {
    const Mark at = lexer.mark();
    const std::string word = lexer.word();
    if (word.empty()) break;
    if (word == "mtu") {
      packet.icmp_rest = lexer.unsigned32("an MTU");
    } else if (!parse_code(lexer, packet, word)) {
      Lexer::unsupported_at(at, fmt::format("the ICMP code `{}` is not known", word));
    }
  }
  if (lexer.take("[")) parse_quote(lexer, packet);
}

}  // namespace lanyard::lab::drill
