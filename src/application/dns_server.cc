// SPDX-License-Identifier: Apache-2.0
#include "application/dns_server.hh"

#include <algorithm>
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

Zone::Zone(const std::vector<std::pair<std::string, IpAddress>>& names) {
  for (const auto& [text, address] : names) {
    const auto name = dns::Name::parse(text);
    if (name) add(*name, address);
  }
}

void Zone::add(const dns::Name& name, const IpAddress& address) {
  const dns::Type type = address.is_v4() ? dns::Type::a : dns::Type::aaaa;
  records_[name].push_back({.name = name, .type = type, .ttl_s = ttl_s, .data = address});
  const dns::Name reverse = reverse_name(address);
  records_[reverse].push_back(
      {.name = reverse, .type = dns::Type::ptr, .ttl_s = ttl_s, .data = name});
}

void Zone::set(std::string_view text, const std::vector<IpAddress>& addresses) {
  const auto name = dns::Name::parse(text);
  if (!name) return;
  // The way back goes too; other names of the same address keep theirs.
  if (const auto found = records_.find(*name); found != records_.end()) {
    for (const dns::Record& record : found->second) {
      const auto* address = std::get_if<IpAddress>(&record.data);
      if (address == nullptr) continue;
      const auto back = records_.find(reverse_name(*address));
      if (back == records_.end()) continue;
      std::erase_if(back->second, [&](const dns::Record& each) {
        const auto* owner = std::get_if<dns::Name>(&each.data);
        return owner != nullptr && *owner == *name;
      });
      if (back->second.empty()) records_.erase(back);
    }
    records_.erase(*name);
  }
  for (const IpAddress& address : addresses) add(*name, address);
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
  const auto found = records_.find(asked.name);
  if (found == records_.end()) {
    answer.authorities.push_back(start_of_authority());
    return refuse(dns::ResponseCode::name_error);
  }
  for (const dns::Record& record : found->second) {
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
