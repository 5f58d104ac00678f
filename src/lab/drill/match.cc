// SPDX-License-Identifier: Apache-2.0
// Is a packet what the script said? What good stacks do differently is passed over, unless --strict
// names it (setup.hh).
#include <fmt/format.h>

#include <algorithm>

#include "lab/drill/flow.hh"
#include "wire/icmp.hh"
#include "wire/tcp.hh"

namespace lanyard::lab::drill {

namespace {

using Kind = TcpOption::Kind;

std::string kind_text(PacketEvent::Kind kind) {
  switch (kind) {
    case PacketEvent::Kind::tcp:
      return "TCP";
    case PacketEvent::Kind::udp:
      return "UDP";
    case PacketEvent::Kind::icmp:
      return "ICMP";
  }
  return "";
}

std::string differs(std::string_view what, auto expected, auto actual) {
  return fmt::format("{} {} was expected, {} came", what, expected, actual);
}

std::string compare_ip(const PacketPrefix& said, const Seen& seen) {
  if (said.ttl && *said.ttl != seen.ttl) return differs("ttl", *said.ttl, seen.ttl);
  if (said.tos && *said.tos != seen.traffic_class) {
    return differs("tos", *said.tos, seen.traffic_class);
  }
  constexpr std::string_view names[] = {"noecn", "ect1", "ect0", "ce"};
  const std::uint8_t ecn = seen.traffic_class & 3;
  const auto wanted = [&](std::uint8_t bits) {
    return bits == ecn ? std::string() : differs("ECN field", names[bits], names[ecn]);
  };
  switch (said.ecn) {
    case PacketPrefix::Ecn::unsaid:
      return {};
    case PacketPrefix::Ecn::none:
      return wanted(0);
    case PacketPrefix::Ecn::ect1:
      return wanted(1);
    case PacketPrefix::Ecn::ect0:
      return wanted(2);
    case PacketPrefix::Ecn::ce:
      return wanted(3);
    case PacketPrefix::Ecn::ect01:
      return ecn == 1 || ecn == 2 ? std::string() : differs("ECN field", "ect01", names[ecn]);
  }
  return {};
}

std::string compare_icmp(const PacketEvent& said, const Seen& seen) {
  Seen wanted;
  wanted.icmp_type = said.icmp_type;
  wanted.icmp_code = said.icmp_code;
  if (seen.source.address.is_v6() && !translate_icmp_to_v6(wanted)) {
    return "IPv6 has no such ICMP message";
  }
  if (wanted.icmp_type != seen.icmp_type) {
    return differs("ICMP type", wanted.icmp_type, seen.icmp_type);
  }
  if (wanted.icmp_code != seen.icmp_code) {
    return differs("ICMP code", wanted.icmp_code, seen.icmp_code);
  }
  if (said.icmp_rest != 0 && said.icmp_rest != seen.icmp_rest) {
    return differs("mtu", said.icmp_rest, seen.icmp_rest);
  }
  return {};
}

std::string compare_flags(const PacketEvent& said, const Seen& seen, const Strict& strict) {
  std::uint8_t expected = said.flags, actual = seen.flags;
  bool accurate = said.has_accurate_ecn;
  if (said.ace) {
    expected =
        static_cast<std::uint8_t>(expected | ((*said.ace & 1) << 6) | ((*said.ace & 2) << 6));
    accurate = (*said.ace & 4) != 0;
  }
  if (!strict.push && seen.bytes > 0) {
    expected &= static_cast<std::uint8_t>(~tcp::flags::psh.bits);
    actual &= static_cast<std::uint8_t>(~tcp::flags::psh.bits);
  }
  if (expected == actual && accurate == seen.has_accurate_ecn) return {};
  return differs("flags", flags_text(said.flags, said.has_accurate_ecn),
                 flags_text(seen.flags, seen.has_accurate_ecn));
}

std::string compare_window(std::uint16_t said, const Seen& seen, const Strict& strict) {
  if (strict.window ? said == seen.window : (said == 0) == (seen.window == 0)) return {};
  return differs("win", said, seen.window);
}

// What means something, in the order of the kinds.
std::vector<TcpOption> essence(const std::vector<TcpOption>& options) {
  std::vector<TcpOption> kept;
  for (const TcpOption& option : options) {
    if (option.kind != Kind::no_operation && option.kind != Kind::end_of_list) {
      kept.push_back(option);
    }
  }
  std::stable_sort(kept.begin(), kept.end(), [](const TcpOption& a, const TcpOption& b) {
    return std::pair(a.kind, a.kind == Kind::raw ? a.value : 0) <
           std::pair(b.kind, b.kind == Kind::raw ? b.value : 0);
  });
  return kept;
}

// RFC 2883: whether a duplicate is reported is the receiver's choice; nothing else is said by it.
bool is_only_report(const TcpOption& option, std::uint32_t ack) {
  if (option.kind != Kind::sack || option.blocks.size() != 1) return false;
  return static_cast<std::int32_t>(option.blocks.front().second - ack) <= 0;
}

std::string list_text(const std::vector<TcpOption>& options) {
  std::string text;
  for (const TcpOption& option : options) text += (text.empty() ? "" : ",") + to_text(option);
  return "<" + text + ">";
}

std::string compare_sack(const TcpOption& said, const TcpOption& seen, const Strict& strict) {
  auto expected = said.blocks, actual = seen.blocks;
  // RFC 2018 4: the first block is the newest; the order of the others is the sender's.
  if (!strict.options && expected.size() == actual.size() && expected.size() > 1) {
    std::sort(expected.begin() + 1, expected.end());
    std::sort(actual.begin() + 1, actual.end());
  }
  return expected == actual ? std::string() : differs("option", to_text(said), to_text(seen));
}

}  // namespace

std::string Flow::compare_timestamps(const TcpOption& said, const TcpOption& seen,
                                     const Strict& strict) {
  // `seen` is in the script's numbers as far as they are known: back to the wire's.
  const std::uint32_t live = first_timestamp_
                                 ? seen.value - first_timestamp_->first + first_timestamp_->second
                                 : seen.value;
  if (said.echo != seen.echo) return differs("TS ecr", said.echo, seen.echo);
  if (strict.timestamps && first_timestamp_ && said.value != seen.value) {
    return differs("TS val", said.value, seen.value);
  }
  if (!first_timestamp_) first_timestamp_ = {said.value, live};
  timestamps_[said.value] = live;
  return {};
}

std::string Flow::compare_option(const TcpOption& said, const TcpOption& seen,
                                 const Strict& strict) {
  if (said.kind != seen.kind) return differs("option", to_text(said), to_text(seen));
  switch (said.kind) {
    case Kind::timestamps:
      return compare_timestamps(said, seen, strict);
    case Kind::window_scale:
      if (!strict.window) return {};
      break;
    case Kind::sack:
      return compare_sack(said, seen, strict);
    case Kind::fast_open:
    case Kind::fast_open_experimental:
      // A cookie is whatever the server makes it; whether there is one is what counts.
      if (said.bytes.empty() != seen.bytes.empty()) break;
      cookies_[said.bytes] = seen.bytes;
      return {};
    case Kind::mss:
    case Kind::sack_permitted:
    case Kind::no_operation:
    case Kind::end_of_list:
    case Kind::md5:
    case Kind::raw:
      break;
  }
  const bool is_same = said.value == seen.value && said.bytes == seen.bytes;
  return is_same ? std::string() : differs("option", to_text(said), to_text(seen));
}

std::string Flow::compare_options(const std::vector<TcpOption>& said, const Seen& packet,
                                  const Strict& strict) {
  const auto expected = strict.options ? said : essence(said);
  auto actual = strict.options ? packet.options : essence(packet.options);
  const bool is_silent = !strict.options && std::none_of(expected.begin(), expected.end(),
                                                         [](const TcpOption& option) {
                                                           return option.kind == Kind::sack;
                                                         });
  if (is_silent) {
    std::erase_if(actual, [&](const TcpOption& option) {
      return is_only_report(option, packet.acknowledgment);
    });
  }
  const auto kinds_differ = [](const TcpOption& a, const TcpOption& b) {
    return a.kind == b.kind && (a.kind != Kind::raw || a.value == b.value);
  };
  if (!std::equal(expected.begin(), expected.end(), actual.begin(), actual.end(), kinds_differ)) {
    return differs("options", list_text(said), list_text(packet.options));
  }
  for (std::size_t i = 0; i < expected.size(); ++i) {
    std::string difference = compare_option(expected[i], actual[i], strict);
    if (!difference.empty()) return difference;
  }
  return {};
}

std::string Flow::difference(const PacketEvent& said, const Seen& packet, const Strict& strict) {
  if (said.kind != packet.kind) {
    return differs("a packet of", kind_text(said.kind), kind_text(packet.kind));
  }
  if (std::string wrong = compare_ip(said.prefix, packet); !wrong.empty()) return wrong;
  if (said.kind == PacketEvent::Kind::icmp) return compare_icmp(said, packet);
  if (said.kind == PacketEvent::Kind::udp) {
    return said.range.bytes == packet.bytes
               ? std::string()
               : differs("a datagram of", said.range.bytes, packet.bytes);
  }
  if (std::string wrong = compare_flags(said, packet, strict); !wrong.empty()) return wrong;
  // The script says what our initial sequence number is called.
  const bool is_syn = (said.flags & tcp::flags::syn.bits) != 0;
  if ((!is_syn || is_isn_named_) && said.range.begin != packet.sequence) {
    return differs("seq", said.range.begin, packet.sequence);
  }
  if (said.range.bytes != packet.bytes) {
    return differs("a length of", said.range.bytes, packet.bytes);
  }
  const bool is_ack = (said.flags & tcp::flags::ack.bits) != 0;
  if (is_ack && said.ack && *said.ack != packet.acknowledgment) {
    return differs("ack", *said.ack, packet.acknowledgment);
  }
  if (said.window) {
    std::string wrong = compare_window(*said.window, packet, strict);
    if (!wrong.empty()) return wrong;
  }
  if (said.urgent.value_or(0) != packet.urgent) {
    return differs("urg", said.urgent.value_or(0), packet.urgent);
  }
  if (!said.any_options) {
    std::string wrong = compare_options(said.options, packet, strict);
    if (!wrong.empty()) return wrong;
  }
  learn(said, packet);
  return {};
}

}  // namespace lanyard::lab::drill
