// SPDX-License-Identifier: Apache-2.0
#include "wire/dhcp6.hh"

#include <algorithm>
#include <array>

namespace lanyard::dhcp6 {

namespace {

constexpr std::size_t header_size = 4;
constexpr std::size_t option_header_size = 4;
constexpr std::size_t ia_fixed_size = 12;
constexpr std::size_t ia_address_fixed_size = 24;
constexpr std::uint16_t duid_of_link_address = 3;
constexpr std::uint16_t ethernet = 1;

struct Option {
  std::uint16_t code;
  Bytes value;
};

// Walks options; is_malformed() after one that leads outside.
class OptionReader {
 public:
  explicit OptionReader(Bytes bytes) : bytes_(bytes) {}
  [[nodiscard]] std::optional<Option> next() {
    if (bytes_.empty()) return std::nullopt;
    const std::size_t size = bytes_.size() < option_header_size ? 0 : load16(bytes_.data() + 2);
    if (bytes_.size() < option_header_size + size) {
      is_malformed_ = true;
      return std::nullopt;
    }
    const Option option{load16(bytes_.data()), bytes_.subspan(option_header_size, size)};
    bytes_ = bytes_.subspan(option_header_size + size);
    return option;
  }
  [[nodiscard]] bool is_malformed() const { return is_malformed_; }

 private:
  Bytes bytes_;
  bool is_malformed_ = false;
};

using Problem = std::string_view;
constexpr Problem leads_outside = "an option is longer than what is left";

// The status there, if the option holds one.
std::optional<Status> status_in(Bytes value) {
  if (value.size() < 2) return std::nullopt;
  return static_cast<Status>(load16(value.data()));
}

// RFC 8415 21.6: an address, its lifetimes, and options of its own; a status there other than
// success means it is not given.
std::expected<std::optional<IaAddress>, Problem> read_ia_address(Bytes value) {
  if (value.size() < ia_address_fixed_size) return std::unexpected(leads_outside);
  IaAddress address{IpAddress::from_v6_bytes(value.data()), load32(value.data() + 16),
                    load32(value.data() + 20)};
  bool is_given = true;
  OptionReader reader(value.subspan(ia_address_fixed_size));
  while (const auto option = reader.next()) {
    if (option->code != option::status) continue;
    is_given = status_in(option->value).value_or(Status::unspecified) == Status::success;
  }
  if (reader.is_malformed()) return std::unexpected(leads_outside);
  // RFC 8415 21.6: preferred beyond valid is to be discarded.
  if (!is_given || address.preferred_s > address.valid_s) return std::nullopt;
  return address;
}

// BI-90: an IA in an IA means nothing, and a thousand addresses are a few.
std::expected<Ia, Problem> read_ia(Bytes value) {
  if (value.size() < ia_fixed_size) return std::unexpected("an IA is cut short");
  Ia ia{.id = load32(value.data()),
        .t1_s = load32(value.data() + 4),
        .t2_s = load32(value.data() + 8)};
  OptionReader reader(value.subspan(ia_fixed_size));
  while (const auto option = reader.next()) {
    if (option->code == option::status) {
      ia.status = status_in(option->value).value_or(Status::unspecified);
    } else if (option->code == option::ia_address) {
      const auto address = read_ia_address(option->value);
      if (!address) return std::unexpected(address.error());
      if (*address && ia.addresses.size() < addresses_max) ia.addresses.push_back(**address);
    }
  }
  if (reader.is_malformed()) return std::unexpected(leads_outside);
  return ia;
}

bool read_duid(Bytes value, Duid& into) {
  // RFC 8415 11.1, BI-90: a type, and something of it.
  if (value.size() < 3 || value.size() > duid_size_max) return false;
  into.assign(value.begin(), value.end());
  return true;
}

// The problem with an option, empty if there is none.
Problem take(Message& message, const Option& option) {
  const Bytes value = option.value;
  switch (option.code) {
    case option::client_identifier:
      return read_duid(value, message.client) ? Problem{} : "a DUID of an impossible length";
    case option::server_identifier:
      return read_duid(value, message.server) ? Problem{} : "a DUID of an impossible length";
    case option::ia_na: {
      auto ia = read_ia(value);
      if (!ia) return ia.error();
      if (!message.ia) message.ia = std::move(*ia);
      return {};
    }
    case option::requested:
      for (std::size_t at = 0; at + 2 <= value.size(); at += 2) {
        message.requested.push_back(load16(value.data() + at));
      }
      return {};
    case option::preference:
      if (value.size() == 1) message.preference = value[0];
      return {};
    case option::elapsed_time:
      if (value.size() == 2) message.elapsed = load16(value.data());
      return {};
    case option::status:
      message.status = status_in(value).value_or(Status::unspecified);
      return {};
    case option::name_servers:
      if (value.size() % 16 != 0) return {};
      for (std::size_t at = 0; at < value.size(); at += 16) {
        message.name_servers.push_back(IpAddress::from_v6_bytes(value.data() + at));
      }
      return {};
    default:
      return {};
  }
}

class Writer {
 public:
  explicit Writer(std::vector<std::uint8_t>& bytes) : bytes_(bytes) {}

  void number16(std::uint16_t number) {
    bytes_.push_back(static_cast<std::uint8_t>(number >> 8));
    bytes_.push_back(static_cast<std::uint8_t>(number));
  }
  void number32(std::uint32_t number) {
    number16(static_cast<std::uint16_t>(number >> 16));
    number16(static_cast<std::uint16_t>(number));
  }
  void address(const IpAddress& address) {
    bytes_.insert(bytes_.end(), address.bytes().begin(), address.bytes().end());
  }
  // Opens an option; what is written until end() is its value.
  [[nodiscard]] std::size_t begin(std::uint16_t code) {
    number16(code);
    number16(0);
    return bytes_.size();
  }
  void end(std::size_t began) {
    store16(bytes_.data() + began - 2, static_cast<std::uint16_t>(bytes_.size() - began));
  }
  void put(std::uint16_t code, Bytes value) {
    const std::size_t began = begin(code);
    bytes_.insert(bytes_.end(), value.begin(), value.end());
    end(began);
  }
  void put_status(Status status) {
    if (status == Status::success) return;
    const std::size_t began = begin(option::status);
    number16(static_cast<std::uint16_t>(status));
    end(began);
  }
  void put_ia(const Ia& ia) {
    const std::size_t began = begin(option::ia_na);
    number32(ia.id);
    number32(ia.t1_s);
    number32(ia.t2_s);
    for (const IaAddress& each : ia.addresses) {
      const std::size_t inner = begin(option::ia_address);
      address(each.address);
      number32(each.preferred_s);
      number32(each.valid_s);
      end(inner);
    }
    put_status(ia.status);
    end(began);
  }

 private:
  std::vector<std::uint8_t>& bytes_;
};

bool is_known(std::uint8_t type) {
  return (type >= 1 && type <= 9) || type == static_cast<std::uint8_t>(Type::information_request);
}

}  // namespace

IpAddress all_servers() {
  return *IpAddress::parse("ff02::1:2");
}

Duid duid_of(const MacAddress& mac) {
  Duid duid(4 + mac.bytes.size());
  store16(duid.data(), duid_of_link_address);
  store16(duid.data() + 2, ethernet);
  std::ranges::copy(mac.bytes, duid.begin() + 4);
  return duid;
}

std::string_view to_text(Type type) {
  switch (type) {
    case Type::solicit:
      return "Solicit";
    case Type::advertise:
      return "Advertise";
    case Type::request:
      return "Request";
    case Type::confirm:
      return "Confirm";
    case Type::renew:
      return "Renew";
    case Type::rebind:
      return "Rebind";
    case Type::reply:
      return "Reply";
    case Type::release:
      return "Release";
    case Type::decline:
      return "Decline";
    case Type::information_request:
      return "Information-request";
  }
  return "unknown type";
}

std::expected<Message, std::string_view> parse(Bytes bytes) {
  if (bytes.size() < header_size) return std::unexpected("cut short");
  if (!is_known(bytes[0])) return std::unexpected("no message between client and server");
  Message message;
  message.type = static_cast<Type>(bytes[0]);
  message.transaction = load32(bytes.data()) & 0xffffff;
  OptionReader reader(bytes.subspan(header_size));
  while (const auto option = reader.next()) {
    const Problem problem = take(message, *option);
    if (!problem.empty()) return std::unexpected(problem);
  }
  if (reader.is_malformed()) return std::unexpected(leads_outside);
  return message;
}

std::vector<std::uint8_t> write(const Message& message) {
  std::vector<std::uint8_t> bytes;
  Writer writer(bytes);
  writer.number32((std::uint32_t{static_cast<std::uint8_t>(message.type)} << 24) |
                  (message.transaction & 0xffffff));
  if (!message.client.empty()) writer.put(option::client_identifier, message.client);
  if (!message.server.empty()) writer.put(option::server_identifier, message.server);
  if (message.ia) writer.put_ia(*message.ia);
  if (!message.requested.empty()) {
    const std::size_t began = writer.begin(option::requested);
    for (const std::uint16_t each : message.requested) writer.number16(each);
    writer.end(began);
  }
  if (message.preference != 0) {
    writer.put(option::preference, Bytes(&message.preference, 1));
  }
  if (message.elapsed) {
    const std::size_t began = writer.begin(option::elapsed_time);
    writer.number16(*message.elapsed);
    writer.end(began);
  }
  writer.put_status(message.status);
  if (!message.name_servers.empty()) {
    const std::size_t began = writer.begin(option::name_servers);
    for (const IpAddress& each : message.name_servers) writer.address(each);
    writer.end(began);
  }
  return bytes;
}

}  // namespace lanyard::dhcp6
