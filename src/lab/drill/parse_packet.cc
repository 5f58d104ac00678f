// SPDX-License-Identifier: Apache-2.0
// Packets: `< [ect0] P. 1:1001(1000) ack 1 win 257 <nop,nop,TS val 1 ecr 2>`.
#include <fmt/format.h>

#include <algorithm>

#include "lab/drill/parser.hh"
#include "wire/tcp.hh"

namespace lanyard::lab::drill {

namespace {

void parse_flag(Lexer& lexer, PacketEvent& packet) {
  const char c = lexer.next();
  constexpr std::string_view letters = "FSRP.UEW";  // the bits of the header, lowest first
  const std::size_t bit = letters.find(c);
  if (bit != std::string_view::npos) {
    packet.flags |= static_cast<std::uint8_t>(1U << bit);
  } else if (c == 'C') {
    packet.flags |= tcp::flags::cwr.bits;
  } else if (c == 'A') {
    packet.has_accurate_ecn = true;
  } else if (c >= '0' && c <= '7') {
    packet.ace = static_cast<std::uint8_t>(c - '0');
  } else if (c != '-') {
    lexer.wrong(fmt::format("`{}` is no TCP flag (F S R P . U E W A, or - for none)", c));
  }
}

void parse_tcp(Lexer& lexer, PacketEvent& packet) {
  lexer.skip_spaces();
  std::size_t count = 0;
  for (char c = lexer.peek(); c != ' ' && c != '\t' && c != '\n' && c != '\0' && c != '\r';
       c = lexer.peek(), ++count) {
    parse_flag(lexer, packet);
  }
  if (count == 0) lexer.wrong("expected the packet's flags, as S. or P.");
  packet.range = parse_range(lexer);
  if (lexer.take("ack")) packet.ack = lexer.unsigned32("an acknowledgment number");
  if (lexer.take("win")) {
    packet.window = static_cast<std::uint16_t>(lexer.unsigned32("a window"));
  }
  if (lexer.take("urg")) {
    packet.urgent = static_cast<std::uint16_t>(lexer.unsigned32("an urgent pointer"));
  }
  lexer.skip_spaces();
  if (lexer.peek() != '<') return;
  lexer.next();
  parse_options(lexer, packet);
}

void parse_udp(Lexer& lexer, PacketEvent& packet) {
  packet.kind = PacketEvent::Kind::udp;
  lexer.expect("(", "before the number of bytes");
  packet.range.bytes = lexer.unsigned32("a number of bytes");
  if (packet.range.bytes > 65'507) lexer.wrong("a datagram holds at most 65507 bytes");
  lexer.expect(")", "behind the number of bytes");
}

void parse_prefix_word(Lexer& lexer, PacketPrefix& prefix, const std::string& word) {
  const auto small = [&] { return static_cast<std::uint8_t>(lexer.unsigned32("a byte") & 0xff); };
  if (word == "noecn") {
    prefix.ecn = PacketPrefix::Ecn::none;
  } else if (word == "ect0") {
    prefix.ecn = PacketPrefix::Ecn::ect0;
  } else if (word == "ect1") {
    prefix.ecn = PacketPrefix::Ecn::ect1;
  } else if (word == "ect01") {
    prefix.ecn = PacketPrefix::Ecn::ect01;
  } else if (word == "ce") {
    prefix.ecn = PacketPrefix::Ecn::ce;
  } else if (word == "ttl" || word == "hlim") {
    prefix.ttl = small();
  } else if (word == "tos" || word == "tclass") {
    prefix.tos = small();
  } else if (word == "flow") {
    prefix.flow = lexer.unsigned32("the number of a connection");
  } else if (word == "ipopt") {
    lexer.skip_spaces();
    prefix.ip_options = lexer.hex_bytes();
    if (prefix.ip_options.size() > 40) lexer.wrong("an IPv4 header has room for 40 bytes");
  } else if (word == "badsum") {
    prefix.has_bad_checksum = true;
  } else if (word == "from" || word == "to") {
    lexer.skip_spaces();
    (word == "from" ? prefix.source : prefix.destination) = lexer.until(" ,]\n");
  } else {
    Lexer::unsupported_at(lexer.mark(), fmt::format("`[{}]` before a packet is not known", word));
  }
}

}  // namespace

SequenceRange parse_range(Lexer& lexer) {
  lexer.skip_spaces();
  SequenceRange range;
  const Mark begin = lexer.mark();
  range.begin = range.end = lexer.unsigned32("a sequence number");
  if (lexer.take(":")) range.end = lexer.unsigned32("a sequence number");
  lexer.expect("(", "before the number of bytes");
  range.bytes = lexer.unsigned32("a number of bytes");
  lexer.expect(")", "behind the number of bytes");
  if (range.end - range.begin != range.bytes) {
    Lexer::wrong_at(begin, fmt::format("{}:{} are {} bytes, not {}", range.begin, range.end,
                                       range.end - range.begin, range.bytes));
  }
  // Larger than an IP packet: only what the stack sends may be, as a super-segment.
  if (range.bytes > 1'000'000) Lexer::wrong_at(begin, "a packet this long is not known");
  return range;
}

PacketPrefix parse_prefix(Lexer& lexer) {
  PacketPrefix prefix;
  while (lexer.take("[")) {
    do {
      lexer.skip_spaces();
      const std::string word = lexer.word();
      if (word.empty()) lexer.wrong("expected a word, as [ect0] or [ttl 64]");
      parse_prefix_word(lexer, prefix, word);
    } while (lexer.take(","));
    lexer.expect("]", "behind this");
  }
  return prefix;
}

PacketEvent parse_packet(Lexer& lexer) {
  PacketEvent packet;
  packet.is_inbound = lexer.next() == '<';
  packet.prefix = parse_prefix(lexer);
  lexer.skip_spaces();
  Lexer ahead = lexer;
  const std::string word = ahead.word();
  constexpr std::string_view tunnels[] = {"ipv4", "ipv6", "gre", "mpls", "sctp", "udplite"};
  if (word == "icmp" || word == "icmpv4" || word == "icmpv6") {
    lexer = ahead;
    parse_icmp(lexer, packet);
  } else if (word == "udp") {
    lexer = ahead;
    parse_udp(lexer, packet);
  } else if (std::find(std::begin(tunnels), std::end(tunnels), word) != std::end(tunnels)) {
    Lexer::unsupported_at(lexer.mark(), fmt::format("packets of `{}` are not known", word));
  } else {
    parse_tcp(lexer, packet);
  }
  if (packet.is_inbound && packet.range.bytes > 65'000) {
    lexer.wrong("a packet holds at most 65000 bytes");
  }
  return packet;
}

}  // namespace lanyard::lab::drill
