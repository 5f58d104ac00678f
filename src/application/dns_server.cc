// SPDX-License-Identifier: Apache-2.0
#include "application/dns_server.hh"

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>

#include <fmt/format.h>

#include "application/dns_stream.hh"

namespace lanyard::application {

namespace {

using socket::Process;
using socket::Socket;
using socket::Type;

constexpr std::uint32_t ttl_s = 60;
constexpr std::size_t edns_bytes_max = 1232;  // fits every IPv6 path unfragmented

std::optional<IpAddress> bind_address(std::span<const std::string> arguments) {
  return arguments.size() > 1 ? IpAddress::parse(arguments[1]) : IpAddress::any(Family::ipv6);
}

// RFC 2308 3: a negative answer carries the SOA, so that resolvers know how long to believe it.
dns::Record start_of_authority() {
  dns::Soa soa;
  soa.primary = *dns::Name::parse("lanyard");
  soa.mailbox = *dns::Name::parse("hostmaster.lanyard");
  soa.serial = 1;
  soa.refresh_s = soa.retry_s = soa.expire_s = soa.minimum_s = ttl_s;
  return {.name = {}, .type = dns::Type::soa, .ttl_s = ttl_s, .data = soa};
}

void serve_datagrams(Process& process, const Zone& zone, const IpAddress& address) {
  Socket socket(process, address.family(), Type::datagram);
  if (const auto bound = socket.bind({address, dns::port}); !bound) {
    process.print(2, fmt::format("dns: UDP port 53: {}\n", errno_text(bound.error())));
    return;
  }
  std::vector<std::uint8_t> buffer(65536);
  while (true) {
    const auto received = socket.recvfrom(buffer);
    if (!received) continue;  // an ICMP error about an answer of ours
    const auto answer = zone.answer(Bytes(buffer).first(received->bytes), dns::udp_size_max);
    if (answer) (void)socket.sendto(*answer, received->facts.peer);
  }
}

void serve_stream(Process& process, const Zone& zone, socket::Handle handle) {
  Socket peer(process, handle);
  peer.set_timeout(Duration::seconds(30));
  while (const auto question = receive_dns_message(peer)) {
    const auto answer = zone.answer(*question, 65535);
    if (!answer || !send_dns_message(peer, *answer)) return;
  }
}

// Spread over 32 bits (FNV-1a); the case of letters does not count.
std::uint32_t number_of(std::string_view bytes) {
  std::uint32_t number = 2'166'136'261U;
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    number = (number ^ byte) * 16'777'619U;
  }
  return number;
}
std::uint32_t number_of(const dns::Name& name) {
  return number_of(name.labels());
}
std::uint32_t number_of(const IpAddress& address) {
  return number_of(text_of(Bytes(address.bytes())));
}

}  // namespace

dns::Name reverse_name(const IpAddress& address) {
  std::string text;
  const Bytes bytes = address.wire_bytes();
  for (std::size_t i = bytes.size(); i-- > 0;) {
    if (address.is_v4()) {
      text += fmt::format("{}.", bytes[i]);
    } else {
      text += fmt::format("{:x}.{:x}.", bytes[i] & 15, bytes[i] >> 4);
    }
  }
  return *dns::Name::parse(text + (address.is_v4() ? "in-addr.arpa" : "ip6.arpa"));
}

std::optional<IpAddress> address_of_reverse(const dns::Name& name) {
  std::vector<std::string_view> labels;
  for (std::string_view rest = name.labels(); !rest.empty();) {
    const auto size = static_cast<std::uint8_t>(rest[0]);
    labels.push_back(rest.substr(1, size));
    rest.remove_prefix(size + std::size_t{1});
  }
  constexpr std::size_t v4_labels = 4, v6_labels = 32, zone_labels = 2;
  const bool is_v4 = labels.size() == v4_labels + zone_labels;
  if (!is_v4 && labels.size() != v6_labels + zone_labels) return std::nullopt;
  std::array<std::uint8_t, 16> bytes{};
  for (std::size_t i = 0; i + zone_labels < labels.size(); ++i) {
    std::uint8_t number = 0;
    const std::string_view label = labels[i];
    const auto read =
        std::from_chars(label.data(), label.data() + label.size(), number, is_v4 ? 10 : 16);
    if (read.ec != std::errc() || (!is_v4 && number > 15)) return std::nullopt;
    if (is_v4) {
      bytes[v4_labels - 1 - i] = number;
    } else {
      bytes[15 - i / 2] |= static_cast<std::uint8_t>(i % 2 == 0 ? number : number << 4);
    }
  }
  const IpAddress address =
      is_v4 ? IpAddress::from_v4_bytes(bytes.data()) : IpAddress::from_v6_bytes(bytes.data());
  // Each address has one such name: neither other zones nor leading zeros.
  if (address.is_v4() != is_v4 || reverse_name(address) != name) return std::nullopt;
  return address;
}

Zone::Zone(const std::vector<std::pair<std::string, IpAddress>>& names) {
  all_.reserve(names.size());
  for (const auto& [text, address] : names)
    if (auto name = dns::Name::parse(text)) all_.push_back({std::move(*name), address});
  by_name_.reserve(all_.size());
  by_address_.reserve(all_.size());
  for (std::uint32_t i = 0; i < all_.size(); ++i) {
    by_name_.push_back({number_of(all_[i].name), i});
    by_address_.push_back({number_of(all_[i].address), i});
  }
  std::ranges::sort(by_name_);
  std::ranges::sort(by_address_);
}

template <typename Is>
std::vector<std::uint32_t> Zone::find(const std::vector<Place>& places, std::uint32_t number,
                                      Is is) const {
  std::vector<std::uint32_t> found;
  for (auto at = std::ranges::lower_bound(places, Place{number, 0});
       at != places.end() && at->number == number; ++at)
    if (is(all_[at->index])) found.push_back(at->index);
  return found;
}

void Zone::set(std::string_view text, const std::vector<IpAddress>& addresses) {
  const auto name = dns::Name::parse(text);
  if (!name) return;
  // The way back goes too; other names of the same address keep theirs.
  const auto is_gone = [this](const Place& place) { return all_[place.index].is_gone; };
  const std::uint32_t number = number_of(*name);
  const auto old =
      find(by_name_, number, [&name](const Named& named) { return named.name == *name; });
  for (const std::uint32_t index : old) all_[index].is_gone = true;
  if (!old.empty()) {
    std::erase_if(by_name_, is_gone);
    std::erase_if(by_address_, is_gone);
  }
  for (const IpAddress& address : addresses) {
    const auto index = static_cast<std::uint32_t>(all_.size());
    all_.push_back({*name, address});
    const auto put = [index](std::vector<Place>& places, std::uint32_t at) {
      const Place place{at, index};
      places.insert(std::ranges::lower_bound(places, place), place);
    };
    put(by_name_, number);
    put(by_address_, number_of(address));
  }
}

std::vector<dns::Record> Zone::records_of(const dns::Name& name) const {
  std::vector<dns::Record> records;
  for (const std::uint32_t index : find(
           by_name_, number_of(name), [&name](const Named& named) { return named.name == name; })) {
    const Named& named = all_[index];
    const dns::Type type = named.address.is_v4() ? dns::Type::a : dns::Type::aaaa;
    records.push_back({.name = named.name, .type = type, .ttl_s = ttl_s, .data = named.address});
  }
  const auto address = address_of_reverse(name);
  if (!address) return records;
  for (const std::uint32_t index :
       find(by_address_, number_of(*address),
            [&address](const Named& named) { return named.address == *address; }))
    records.push_back({.name = reverse_name(*address),
                       .type = dns::Type::ptr,
                       .ttl_s = ttl_s,
                       .data = all_[index].name});
  return records;
}

std::optional<std::vector<std::uint8_t>> Zone::answer(Bytes question, std::size_t size_max) const {
  if (question.size() < dns::header_size) return std::nullopt;
  const auto message = dns::Message::parse(question);
  if (!message) {
    if ((question[2] & 0x80) != 0)
      return std::nullopt;  // RFC 1035 4.1.1 QR: never answer an answer
    dns::Message refusal;
    refusal.id = load16(question.data());
    refusal.is_response = true;
    refusal.response_code = static_cast<std::uint16_t>(dns::ResponseCode::format_error);
    return refusal.write(size_max);
  }
  if (message->is_response) return std::nullopt;
  if (message->edns) {
    size_max = std::max(size_max, std::min<std::size_t>(message->edns->udp_size, edns_bytes_max));
  }
  return answer_to(*message).write(size_max);
}

dns::Message Zone::answer_to(const dns::Message& question) const {
  dns::Message answer;
  answer.id = question.id;
  answer.is_response = true;
  answer.opcode = question.opcode;
  answer.is_authoritative = true;
  answer.recursion_desired = question.recursion_desired;
  answer.recursion_available = true;  // a resolver that asks for recursion gets all there is
  answer.questions = question.questions;
  if (question.edns) answer.edns.emplace().udp_size = edns_bytes_max;
  const auto refuse = [&](dns::ResponseCode code) {
    answer.response_code = static_cast<std::uint16_t>(code);
    return answer;
  };
  constexpr std::uint16_t bad_version = 16;  // RFC 6891 6.1.3
  if (question.edns && question.edns->version != 0) {
    answer.response_code = bad_version;
    return answer;
  }
  if (question.opcode != 0) return refuse(dns::ResponseCode::not_implemented);
  if (question.questions.size() != 1) return refuse(dns::ResponseCode::format_error);
  const dns::Question& asked = question.questions[0];
  if (asked.qclass != dns::Class::internet && asked.qclass != dns::Class::any) {
    return refuse(dns::ResponseCode::refused);
  }
  const std::vector<dns::Record> found = records_of(asked.name);
  if (found.empty()) {
    answer.authorities.push_back(start_of_authority());
    return refuse(dns::ResponseCode::name_error);
  }
  for (const dns::Record& record : found) {
    if (record.type == asked.type || asked.type == dns::Type::any) answer.answers.push_back(record);
  }
  if (answer.answers.empty()) answer.authorities.push_back(start_of_authority());
  return answer;
}

socket::Program dns_server(Zone zone) {
  return dns_server(std::make_shared<const Zone>(std::move(zone)));
}

socket::Program dns_server(std::shared_ptr<const Zone> zone_served) {
  // Shared: the tasks of one run, and several runs, serve the same zone.
  return [zone = std::move(zone_served)](Process& process,
                                         std::span<const std::string> arguments) -> int {
    const auto address = bind_address(arguments);
    if (!address) {
      process.print(2, fmt::format("dns: '{}' is not an address\n", arguments[1]));
      return 2;
    }
    Socket listener(process, address->family(), Type::stream);
    (void)listener.set_option(socket::Option::reuse_address, std::int64_t{1});
    if (const auto bound = listener.bind({*address, dns::port}); !bound) {
      process.print(2, fmt::format("dns: TCP port 53: {}\n", errno_text(bound.error())));
      return 1;
    }
    (void)listener.listen(64);
    process.spawn(
        [zone, address = *address](Process& own) { serve_datagrams(own, *zone, address); });
    while (true) {
      auto peer = listener.accept();
      if (!peer) return 1;
      process.spawn(
          [zone, handle = peer->release()](Process& own) { serve_stream(own, *zone, handle); });
    }
  };
}

}  // namespace lanyard::application
