// SPDX-License-Identifier: Apache-2.0
#include "application/resolver.hh"

#include <algorithm>

#include <fmt/format.h>

#include "application/dns_stream.hh"
#include "internet/network.hh"
#include "internet/source_selection.hh"

namespace lanyard::application {

namespace {

using socket::Process;
using socket::Socket;
using socket::Type;

constexpr int tries = 3;  // of each server
constexpr Duration try_time = Duration::seconds(2);
constexpr Duration round_time = Duration::seconds(1);  // a server that refuses may be starting
constexpr int aliases_max = 8;  // a longer chain of CNAMEs is a loop or may as well be one

// RFC 6724 6 [RFC6724-6-a]: by what this host would send from to each of them.
std::vector<IpAddress> ordered(Process& process, const std::vector<IpAddress>& addresses) {
  const internet::Network& network = process.sockets().stack().network();
  std::vector<internet::DestinationCandidate> candidates;
  for (const IpAddress& address : addresses) {
    internet::DestinationCandidate candidate{address, std::nullopt, false};
    const auto path = network.find(address, IpAddress::any(address.family()), 0);
    const internet::Interface* out = path ? network.interfaces().find(path->interface) : nullptr;
    if (out != nullptr) {
      const internet::InterfaceAddress* own = out->find(path->source);
      const std::uint8_t all = address.is_v4() ? 32 : 128;
      candidate.source = own != nullptr ? own->prefix : IpPrefix{path->source, all};
      candidate.is_source_deprecated =
          own != nullptr && own->state == internet::AddressState::deprecated;
    }
    candidates.push_back(candidate);
  }
  internet::order_destinations(candidates);
  std::vector<IpAddress> best_first;
  for (const auto& candidate : candidates) best_first.push_back(candidate.address);
  return best_first;
}

// RFC 5452 9.1: the answer must repeat the question and the id; address and port the connected
// socket has checked.
bool fits(const dns::Message& answer, const dns::Message& question) {
  return answer.is_response && answer.id == question.id && answer.questions == question.questions;
}

std::optional<dns::Message> ask_by_stream(Process& process, const Endpoint& server,
                                          const dns::Message& question) {
  Socket socket(process, server.address.family(), Type::stream);
  socket.set_timeout(try_time);
  if (!socket.connect(server) || !send_dns_message(socket, question.write())) return std::nullopt;
  const auto bytes = receive_dns_message(socket);
  if (!bytes) return std::nullopt;
  auto answer = dns::Message::parse(*bytes);
  if (!answer || !fits(*answer, question)) return std::nullopt;
  return *std::move(answer);
}

// One try: the first answer that fits within the time, forged and broken ones ignored.
std::optional<dns::Message> ask_once(Process& process, const Endpoint& server,
                                     const dns::Message& question) {
  Socket socket(process, server.address.family(), Type::datagram);
  if (!socket.connect(server) || !socket.send(Bytes(question.write()))) return std::nullopt;
  const Instant deadline = process.now() + try_time;
  std::vector<std::uint8_t> buffer(65536);
  while (process.now() < deadline) {
    socket.set_timeout(deadline - process.now());
    const auto bytes = socket.recv(MutableBytes(buffer));
    if (!bytes) return std::nullopt;  // nobody there, or the time is over
    auto answer = dns::Message::parse(Bytes(buffer).first(*bytes));
    if (!answer || !fits(*answer, question)) continue;
    if (answer->is_truncated) return ask_by_stream(process, server, question);
    return *std::move(answer);
  }
  return std::nullopt;
}

// The addresses of one family; follows CNAMEs within the answer and by asking again.
Resolved addresses_of(Process& process, dns::Name name, dns::Type type) {
  std::vector<IpAddress> addresses;
  for (int aliases = 0; aliases <= aliases_max; ++aliases) {
    const auto answer = ask(process, {.name = name, .type = type});
    if (!answer) return std::unexpected(answer.error());
    if (answer->response_code != 0)
      return std::unexpected(dns::response_code_text(answer->response_code));
    std::optional<dns::Name> alias;
    // CNAMEs come before what they lead to (RFC 1034 4.3.2), so one pass follows a chain.
    for (const dns::Record& record : answer->answers) {
      if (record.name != name && !(alias && record.name == *alias)) continue;
      if (record.type == dns::Type::cname) {
        if (const auto* target = std::get_if<dns::Name>(&record.data)) alias = *target;
      } else if (const auto* address = std::get_if<IpAddress>(&record.data);
                 address && record.type == type) {
        addresses.push_back(*address);
      }
    }
    if (!addresses.empty() || !alias) return addresses;
    name = *alias;
  }
  return std::unexpected("too many aliases");
}

std::vector<IpAddress> own_table(Process& process, std::string_view name,
                                 std::optional<Family> family) {
  std::vector<IpAddress> addresses;
  for (const auto& [known, address] : process.names().hosts) {
    if (known == name && (!family || address.family() == *family)) addresses.push_back(address);
  }
  return addresses;
}

}  // namespace

std::expected<dns::Message, std::string> ask(Process& process, const dns::Question& question) {
  dns::Message message;
  message.recursion_desired = true;
  message.questions = {question};
  message.edns = dns::Edns{};
  if (process.names().name_servers.empty()) return std::unexpected("no name server is known");
  for (int i = 0; i < tries; ++i) {
    const Instant next_round = process.now() + round_time;
    for (const Endpoint& server : process.names().name_servers) {
      message.id = static_cast<std::uint16_t>(process.random().next());
      if (auto answer = ask_once(process, server, message)) return *std::move(answer);
    }
    if (process.now() < next_round) process.sleep(next_round - process.now());
  }
  return std::unexpected("no name server answers");
}

Resolved resolve(Process& process, std::string_view name, std::optional<Family> family) {
  if (const auto address = IpAddress::parse(name)) {
    if (family && address->family() != *family) {
      return std::unexpected(fmt::format("{} is not of the family asked for", name));
    }
    return std::vector{*address};
  }
  std::vector<IpAddress> addresses = own_table(process, name, family);
  if (addresses.empty()) {
    const auto parsed = dns::Name::parse(name);
    if (!parsed) return std::unexpected(fmt::format("{} is not a name", name));
    std::string problem = "no address of the family asked for";
    for (const dns::Type type : {dns::Type::a, dns::Type::aaaa}) {
      if (family && (*family == Family::ipv4) != (type == dns::Type::a)) continue;
      const auto found = addresses_of(process, *parsed, type);
      if (!found) problem = found.error();
      if (found) addresses.insert(addresses.end(), found->begin(), found->end());
      if (!found && addresses.empty()) break;  // the name is not there, or nobody answers
    }
    if (addresses.empty()) return std::unexpected(fmt::format("{}: {}", name, problem));
  }
  return ordered(process, addresses);
}

std::expected<Socket, std::string> connect_to(Process& process, std::string_view name, Port port,
                                              std::optional<Family> family) {
  const auto addresses = resolve(process, name, family);
  if (!addresses) return std::unexpected(addresses.error());
  std::string problem;
  for (const IpAddress& address : *addresses) {
    Socket socket(process, address.family(), Type::stream);
    const auto connected = socket.connect({address, port});
    if (connected) return socket;
    problem = fmt::format("{} ({}) port {}: {}", name, to_text(address), port,
                          errno_text(connected.error()));
  }
  return std::unexpected(problem);
}

}  // namespace lanyard::application
