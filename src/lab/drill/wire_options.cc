// SPDX-License-Identifier: Apache-2.0
// TCP options as bytes, and packets as a person reads them.
#include <fmt/format.h>

#include "lab/drill/wire.hh"
#include "wire/icmp.hh"
#include "wire/tcp.hh"
#include "wire/tcp_options.hh"

namespace lanyard::lab::drill {

namespace {

using Kind = TcpOption::Kind;
constexpr std::uint8_t experimental = 254;         // RFC 4727
constexpr std::uint16_t fast_open_magic = 0xf989;  // RFC 7413 7

void put8(std::vector<std::uint8_t>& out, std::uint32_t value) {
  out.push_back(static_cast<std::uint8_t>(value));
}
void put16(std::vector<std::uint8_t>& out, std::uint32_t value) {
  put8(out, value >> 8);
  put8(out, value);
}
void put32(std::vector<std::uint8_t>& out, std::uint32_t value) {
  put16(out, value >> 16);
  put16(out, value);
}
void put_bytes(std::vector<std::uint8_t>& out, std::uint8_t kind, const TcpOption& option) {
  put8(out, kind);
  put8(out, static_cast<std::uint32_t>(2 + option.bytes.size()));
  out.insert(out.end(), option.bytes.begin(), option.bytes.end());
}

void write_option(std::vector<std::uint8_t>& out, const TcpOption& option) {
  switch (option.kind) {
    case Kind::no_operation:
      return put8(out, tcp::option::no_operation);
    case Kind::end_of_list:
      return put8(out, tcp::option::end_of_list);
    case Kind::mss:
      put16(out, tcp::option::mss << 8 | 4);
      return put16(out, option.value);
    case Kind::sack_permitted:
      return put16(out, tcp::option::sack_permitted << 8 | 2);
    case Kind::window_scale:
      put16(out, tcp::option::window_scale << 8 | 3);
      return put8(out, option.value);
    case Kind::timestamps:
      put16(out, tcp::option::timestamps << 8 | 10);
      put32(out, option.value);
      return put32(out, option.echo);
    case Kind::sack:
      put8(out, tcp::option::sack);
      put8(out, static_cast<std::uint32_t>(2 + 8 * option.blocks.size()));
      for (const auto& [left, right] : option.blocks) {
        put32(out, left);
        put32(out, right);
      }
      return;
    case Kind::fast_open:
      return put_bytes(out, tcp::option::fast_open, option);
    case Kind::fast_open_experimental:
      put8(out, experimental);
      put8(out, static_cast<std::uint32_t>(4 + option.bytes.size()));
      put16(out, fast_open_magic);
      out.insert(out.end(), option.bytes.begin(), option.bytes.end());
      return;
    case Kind::md5:
      return put_bytes(out, tcp::option::md5_signature, option);
    case Kind::raw:
      if (option.has_length) return put_bytes(out, static_cast<std::uint8_t>(option.value), option);
      out.insert(out.end(), option.bytes.begin(), option.bytes.end());
      return;
  }
}

TcpOption read_option(const tcp::RawOption& raw) {
  const Bytes data = raw.data;
  TcpOption option{.kind = Kind::raw, .value = raw.kind};
  if (raw.kind == tcp::option::no_operation) {
    option = {.kind = Kind::no_operation};
  } else if (raw.kind == tcp::option::mss && data.size() == 2) {
    option = {.kind = Kind::mss, .value = load16(data.data())};
  } else if (raw.kind == tcp::option::window_scale && data.size() == 1) {
    option = {.kind = Kind::window_scale, .value = data[0]};
  } else if (raw.kind == tcp::option::sack_permitted && data.empty()) {
    option = {.kind = Kind::sack_permitted};
  } else if (raw.kind == tcp::option::timestamps && data.size() == 8) {
    option = {
        .kind = Kind::timestamps, .value = load32(data.data()), .echo = load32(data.data() + 4)};
  } else if (raw.kind == tcp::option::sack && data.size() % 8 == 0) {
    option = {.kind = Kind::sack};
    for (std::size_t at = 0; at < data.size(); at += 8) {
      option.blocks.emplace_back(load32(data.data() + at), load32(data.data() + at + 4));
    }
  } else if (raw.kind == tcp::option::fast_open || raw.kind == tcp::option::md5_signature) {
    option.kind = raw.kind == tcp::option::fast_open ? Kind::fast_open : Kind::md5;
    option.bytes.assign(data.begin(), data.end());
  } else if (raw.kind == experimental && data.size() >= 2 &&
             load16(data.data()) == fast_open_magic) {
    option.kind = Kind::fast_open_experimental;
    option.bytes.assign(data.begin() + 2, data.end());
  } else {
    option.bytes.assign(data.begin(), data.end());
  }
  return option;
}

std::string hex(const std::vector<std::uint8_t>& bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

std::string ecn_text(std::uint8_t traffic_class) {
  constexpr std::string_view names[] = {"", "[ect1] ", "[ect0] ", "[ce] "};
  return std::string(names[traffic_class & 3]);
}

}  // namespace

std::expected<std::vector<std::uint8_t>, std::string> write_options(
    const std::vector<TcpOption>& options) {
  std::vector<std::uint8_t> bytes;
  for (const TcpOption& option : options) write_option(bytes, option);
  while (bytes.size() % 4 != 0) bytes.push_back(tcp::option::end_of_list);
  if (bytes.size() > tcp::options_size_max) {
    return std::unexpected(
        fmt::format("these options take {} bytes; a header has room for 40", bytes.size()));
  }
  return bytes;
}

std::vector<TcpOption> read_options(Bytes bytes) {
  std::vector<TcpOption> options;
  tcp::OptionReader reader(bytes);
  while (const auto raw = reader.next()) options.push_back(read_option(*raw));
  return options;
}

std::string to_text(const TcpOption& option) {
  switch (option.kind) {
    case Kind::no_operation:
      return "nop";
    case Kind::end_of_list:
      return "eol";
    case Kind::mss:
      return fmt::format("mss {}", option.value);
    case Kind::sack_permitted:
      return "sackOK";
    case Kind::window_scale:
      return fmt::format("wscale {}", option.value);
    case Kind::timestamps:
      return fmt::format("TS val {} ecr {}", option.value, option.echo);
    case Kind::sack: {
      std::string text = "sack";
      for (const auto& [left, right] : option.blocks) text += fmt::format(" {}:{}", left, right);
      return text;
    }
    case Kind::fast_open:
      return option.bytes.empty() ? "FO" : "FO " + hex(option.bytes);
    case Kind::fast_open_experimental:
      return option.bytes.empty() ? "FOEXP" : "FOEXP " + hex(option.bytes);
    case Kind::md5:
      return option.bytes.empty() ? "md5" : "md5 " + hex(option.bytes);
    case Kind::raw:
      return option.has_length ? fmt::format("kind {} {}", option.value, hex(option.bytes))
                               : "raw " + hex(option.bytes);
  }
  return "";
}

std::string flags_text(std::uint8_t flags, bool has_accurate_ecn) {
  constexpr std::string_view letters = "FSRP.UEW";
  std::string text;
  for (const char c : std::string_view("FSRPUEW.")) {
    const std::size_t bit = letters.find(c);
    if ((flags >> bit & 1) != 0) text += c;
  }
  if (has_accurate_ecn) text += 'A';
  return text.empty() ? "-" : text;
}

std::string to_text(const Seen& packet) {
  std::string text = packet.is_inbound ? "< " : "> ";
  text += ecn_text(packet.traffic_class);
  if (packet.kind == PacketEvent::Kind::udp) return text + fmt::format("udp ({})", packet.bytes);
  if (packet.kind == PacketEvent::Kind::icmp) {
    return text + fmt::format("icmp type {} code {}{}", packet.icmp_type, packet.icmp_code,
                              packet.icmp_rest == 0 ? std::string()
                                                    : fmt::format(" mtu {}", packet.icmp_rest));
  }
  text += fmt::format("{} {}:{}({})", flags_text(packet.flags, packet.has_accurate_ecn),
                      packet.sequence, packet.sequence + packet.bytes, packet.bytes);
  if ((packet.flags & tcp::flags::ack.bits) != 0) {
    text += fmt::format(" ack {}", packet.acknowledgment);
  }
  text += fmt::format(" win {}", packet.window);
  if (packet.urgent != 0) text += fmt::format(" urg {}", packet.urgent);
  std::string options;
  for (const TcpOption& option : packet.options) {
    options += (options.empty() ? "" : ",") + to_text(option);
  }
  return options.empty() ? text : text + " <" + options + ">";
}

}  // namespace lanyard::lab::drill
