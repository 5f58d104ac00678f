// SPDX-License-Identifier: Apache-2.0
#include "wire/dhcp.hh"

#include <algorithm>
#include <array>
#include <bit>

namespace lanyard::dhcp {

namespace {

constexpr std::size_t op_offset = 0;
constexpr std::size_t hardware_type_offset = 1;
constexpr std::size_t hardware_size_offset = 2;
constexpr std::size_t hops_offset = 3;
constexpr std::size_t transaction_offset = 4;
constexpr std::size_t seconds_offset = 8;
constexpr std::size_t flags_offset = 10;
constexpr std::size_t addresses_offset = 12;
constexpr std::size_t hardware_offset = 28;
constexpr std::size_t server_name_offset = 44;
constexpr std::size_t server_name_size = 64;
constexpr std::size_t file_offset = 108;
constexpr std::size_t file_size = 128;
constexpr std::uint8_t request = 1;
constexpr std::uint8_t reply = 2;
constexpr std::uint8_t ethernet = 1;
constexpr std::uint32_t cookie = 0x63825363;
constexpr std::size_t option_size_max = 255;

Option& option_called(std::vector<Option>& options, std::uint8_t code, std::size_t at) {
  const auto known = std::ranges::find(options, code, &Option::code);
  if (known != options.end()) return *known;
  options.push_back({.code = code, .at = at});
  return options.back();
}

// Adds what stands in bytes [at, end). RFC 2132 3.1, 3.2 [RFC2132-b]: nothing counts behind End,
// and whoever forgot it is read all the same. False: an option leads outside (BI-87).
bool read_options(Bytes bytes, std::size_t at, std::size_t end, std::vector<Option>& options) {
  while (at < end) {
    const std::uint8_t code = bytes[at];
    if (code == option::end) return true;
    if (code == option::pad) {
      ++at;
      continue;
    }
    if (at + 1 >= end || at + 2 + bytes[at + 1] > end) return false;
    const Bytes value = bytes.subspan(at + 2, bytes[at + 1]);
    Option& into = option_called(options, code, at);
    into.value.insert(into.value.end(), value.begin(), value.end());
    at += 2 + value.size();
  }
  return true;
}

std::optional<IpAddress> address_in(const Option& option) {
  if (option.value.size() != 4) return std::nullopt;
  return IpAddress::from_v4_bytes(option.value.data());
}

std::optional<std::uint32_t> number_in(const Option& option) {
  if (option.value.size() != 4) return std::nullopt;
  return load32(option.value.data());
}

// RFC 2132 3.5, 3.8: one address or more, whole.
std::vector<IpAddress> addresses_in(const Option& option) {
  std::vector<IpAddress> list;
  if (option.value.size() % 4 != 0) return list;
  for (std::size_t at = 0; at < option.value.size(); at += 4) {
    list.push_back(IpAddress::from_v4_bytes(option.value.data() + at));
  }
  return list;
}

// A text, which some end with a zero.
std::string text_in(const Option& option) {
  std::string text(text_of(option.value));
  text.resize(std::min(text.size(), text.find('\0')));
  return text;
}

// RFC 2132 2 [RFC2132-a]: each option has the length its kind has, or it is not there.
void take(Message& message, const Option& option) {
  switch (option.code) {
    case option::subnet_mask:
      message.mask = address_in(option);
      break;
    case option::routers:
      message.routers = addresses_in(option);
      break;
    case option::name_servers:
      message.name_servers = addresses_in(option);
      break;
    case option::host_name:
      message.host_name = text_in(option);
      break;
    case option::domain_name:
      message.domain_name = text_in(option);
      break;
    case option::requested_address:
      message.requested = address_in(option);
      break;
    case option::lease_time:
      message.lease_s = number_in(option);
      break;
    case option::server_identifier:
      message.server = address_in(option);
      break;
    case option::parameters:
      message.parameters = option.value;
      break;
    case option::message:
      message.text = text_in(option);
      break;
    case option::renewal_time:
      message.renewal_s = number_in(option);
      break;
    case option::rebinding_time:
      message.rebinding_s = number_in(option);
      break;
    case option::client_identifier:
      // RFC 2132 9.14: a type and at least one byte.
      if (option.value.size() >= 2) message.client_identifier = option.value;
      break;
    default:
      break;
  }
}

class Writer {
 public:
  explicit Writer(std::vector<std::uint8_t>& bytes) : bytes_(bytes) {}

  // RFC 3396 5: a long value goes in pieces.
  void put(std::uint8_t code, Bytes value) {
    do {
      const Bytes piece = value.first(std::min(value.size(), option_size_max));
      bytes_.push_back(code);
      bytes_.push_back(static_cast<std::uint8_t>(piece.size()));
      bytes_.insert(bytes_.end(), piece.begin(), piece.end());
      value = value.subspan(piece.size());
    } while (!value.empty());
  }
  void put(std::uint8_t code, const std::optional<IpAddress>& address) {
    if (address) put(code, address->wire_bytes());
  }
  void put(std::uint8_t code, const std::optional<std::uint32_t>& number) {
    if (!number) return;
    std::array<std::uint8_t, 4> value;
    store32(value.data(), *number);
    put(code, Bytes(value));
  }
  void put(std::uint8_t code, const std::vector<IpAddress>& addresses) {
    std::vector<std::uint8_t> value;
    for (const IpAddress& each : addresses) {
      const Bytes four = each.wire_bytes();
      value.insert(value.end(), four.begin(), four.end());
    }
    if (!value.empty()) put(code, Bytes(value));
  }
  void put(std::uint8_t code, const std::vector<std::uint8_t>& value) {
    if (!value.empty()) put(code, Bytes(value));
  }
  void put(std::uint8_t code, const std::string& text) {
    if (!text.empty()) put(code, bytes_of(text));
  }

 private:
  std::vector<std::uint8_t>& bytes_;
};

void write_fixed(const Message& message, std::uint8_t* to) {
  to[op_offset] = message.is_reply ? reply : request;
  to[hardware_type_offset] = ethernet;
  to[hardware_size_offset] = static_cast<std::uint8_t>(message.hardware.bytes.size());
  to[hops_offset] = message.hops;
  store32(to + transaction_offset, message.transaction);
  store16(to + seconds_offset, message.seconds);
  store16(to + flags_offset, message.wants_broadcast ? 0x8000 : 0);
  std::uint8_t* address = to + addresses_offset;
  for (const IpAddress& each : {message.client, message.yours, message.next, message.relay}) {
    const Bytes four = each.wire_bytes();
    address = std::copy(four.begin(), four.end(), address);
  }
  std::ranges::copy(message.hardware.bytes, to + hardware_offset);
}

}  // namespace

std::string_view to_text(Type type) {
  switch (type) {
    case Type::discover:
      return "DHCPDISCOVER";
    case Type::offer:
      return "DHCPOFFER";
    case Type::request:
      return "DHCPREQUEST";
    case Type::decline:
      return "DHCPDECLINE";
    case Type::ack:
      return "DHCPACK";
    case Type::nak:
      return "DHCPNAK";
    case Type::release:
      return "DHCPRELEASE";
    case Type::inform:
      return "DHCPINFORM";
  }
  return "unknown type";
}

// RFC 2131 4.1 [RFC2131-4.1-b]: the options field, then file, then sname. BI-87.
std::expected<std::vector<Option>, std::string_view> options_of(Bytes bytes) {
  if (bytes.size() < fixed_size + 4) return std::unexpected("cut short");
  if (load32(bytes.data() + fixed_size) != cookie) return std::unexpected("no magic cookie");
  std::vector<Option> options;
  const auto leads_outside = std::unexpected("an option is longer than what is left");
  if (!read_options(bytes, fixed_size + 4, bytes.size(), options)) return leads_outside;
  const auto overload = std::ranges::find(options, option::overload, &Option::code);
  if (overload == options.end() || overload->value.size() != 1) return options;
  const std::uint8_t fields = overload->value[0];
  if (fields == 0 || fields > 3) return options;
  const bool has_file = (fields & 1) != 0;
  const bool has_server_name = (fields & 2) != 0;
  if (has_file && !read_options(bytes, file_offset, file_offset + file_size, options)) {
    return leads_outside;
  }
  if (has_server_name &&
      !read_options(bytes, server_name_offset, server_name_offset + server_name_size, options)) {
    return leads_outside;
  }
  return options;
}

std::expected<Message, std::string_view> parse(Bytes bytes) {
  const auto options = options_of(bytes);
  if (!options) return std::unexpected(options.error());
  const std::uint8_t op = bytes[op_offset];
  if (op != request && op != reply) return std::unexpected("neither request nor reply");
  Message message;
  if (bytes[hardware_type_offset] != ethernet ||
      bytes[hardware_size_offset] != message.hardware.bytes.size()) {
    return std::unexpected("no Ethernet address");
  }
  message.is_reply = op == reply;
  message.hops = bytes[hops_offset];
  message.transaction = load32(bytes.data() + transaction_offset);
  message.seconds = load16(bytes.data() + seconds_offset);
  message.wants_broadcast = (load16(bytes.data() + flags_offset) & 0x8000) != 0;
  std::size_t at = addresses_offset;
  for (IpAddress* each : {&message.client, &message.yours, &message.next, &message.relay}) {
    *each = IpAddress::from_v4_bytes(bytes.data() + at);
    at += 4;
  }
  std::copy_n(bytes.data() + hardware_offset, message.hardware.bytes.size(),
              message.hardware.bytes.begin());
  const auto type = std::ranges::find(*options, option::message_type, &Option::code);
  const bool has_type = type != options->end() && type->value.size() == 1 && type->value[0] >= 1 &&
                        type->value[0] <= 8;
  if (!has_type) return std::unexpected("no message type");
  message.type = static_cast<Type>(type->value[0]);
  for (const Option& option : *options) take(message, option);
  return message;
}

std::vector<std::uint8_t> write(const Message& message) {
  std::vector<std::uint8_t> bytes(fixed_size + 4);
  write_fixed(message, bytes.data());
  store32(bytes.data() + fixed_size, cookie);
  Writer writer(bytes);
  const std::array<std::uint8_t, 1> type{static_cast<std::uint8_t>(message.type)};
  writer.put(option::message_type, Bytes(type));
  writer.put(option::client_identifier, message.client_identifier);
  writer.put(option::server_identifier, message.server);
  writer.put(option::requested_address, message.requested);
  writer.put(option::lease_time, message.lease_s);
  writer.put(option::renewal_time, message.renewal_s);
  writer.put(option::rebinding_time, message.rebinding_s);
  writer.put(option::subnet_mask, message.mask);
  writer.put(option::routers, message.routers);
  writer.put(option::name_servers, message.name_servers);
  writer.put(option::host_name, message.host_name);
  writer.put(option::domain_name, message.domain_name);
  writer.put(option::parameters, message.parameters);
  writer.put(option::message, message.text);
  bytes.push_back(option::end);
  if (bytes.size() < message_size_min) bytes.resize(message_size_min);
  return bytes;
}

void set_relay(MutableBytes message, std::uint8_t hops, const IpAddress& relay) {
  constexpr std::size_t relay_offset = addresses_offset + 12;
  message[hops_offset] = hops;
  const Bytes four = relay.wire_bytes();
  std::copy(four.begin(), four.end(), message.begin() + relay_offset);
}

std::optional<std::uint8_t> length_of_mask(const IpAddress& mask) {
  const std::uint32_t bits = mask.v4_number();
  const int ones = std::countl_one(bits);
  if (ones == 0 || (ones < 32 && (bits << ones) != 0)) return std::nullopt;
  return static_cast<std::uint8_t>(ones);
}

IpAddress mask_of_length(std::uint8_t length) {
  return IpAddress::v4(length == 0 ? 0U : ~std::uint32_t{0} << (32 - length));
}

}  // namespace lanyard::dhcp
