// SPDX-License-Identifier: Apache-2.0
#include "application/dhcp6_server.hh"

#include <algorithm>

namespace lanyard::application {

namespace {

using dhcp6::Ia;
using dhcp6::Message;
using dhcp6::Status;
using dhcp6::Type;

constexpr Duration declined_for = Duration::seconds(3600);
constexpr std::size_t bindings_max = 65536;

std::uint32_t seconds_of(Duration duration) {
  return static_cast<std::uint32_t>(
      std::min<std::int64_t>(duration / Duration::seconds(1), dhcp6::for_ever_s - 1));
}

IpAddress next_of(const IpAddress& address) {
  std::array<std::uint8_t, 16> bytes = address.bytes();
  store64(bytes.data() + 8, load64(bytes.data() + 8) + 1);
  return IpAddress::from_v6_bytes(bytes.data());
}

}  // namespace

// RFC 8415 16 [RFC8415-16-a]: who must be named, and who must not.
bool Dhcp6Server::is_acceptable(const Message& message) const {
  if (message.client.empty() && message.type != Type::information_request) return false;
  switch (message.type) {
    case Type::solicit:
    case Type::confirm:
    case Type::rebind:
      return message.server.empty();
    case Type::request:
    case Type::renew:
    case Type::release:
    case Type::decline:
      return message.server == settings_.duid;
    case Type::information_request:
      return !message.ia && (message.server.empty() || message.server == settings_.duid);
    case Type::advertise:
    case Type::reply:
      break;
  }
  return false;
}

Message Dhcp6Server::blank(const Message& message, Type type) const {
  Message answer;
  answer.type = type;
  answer.transaction = message.transaction;
  answer.client = message.client;
  answer.server = settings_.duid;
  answer.name_servers = settings_.name_servers;
  return answer;
}

bool Dhcp6Server::may_have(Instant now, const Client& client, const IpAddress& address) const {
  if (address < settings_.first || address > settings_.last) return false;
  const auto bound = bindings_.find(address);
  if (bound == bindings_.end()) return true;
  if (bound->second.use == Use::declined) return bound->second.until <= now;
  return bound->second.client == client || bound->second.use == Use::released ||
         bound->second.until <= now;
}

std::optional<IpAddress> Dhcp6Server::held_by(Instant now, const Client& client) const {
  for (const auto& [address, binding] : bindings_) {
    const bool is_running = binding.use == Use::leased && binding.until > now;
    if (is_running && binding.client == client) return address;
  }
  return std::nullopt;
}

// RFC 8415 13: the one it has, the one it would like, the next that is free.
std::optional<IpAddress> Dhcp6Server::choose(Instant now, const Message& message) const {
  const Client client{message.client, message.ia->id};
  if (const auto held = held_by(now, client)) return held;
  for (const dhcp6::IaAddress& wish : message.ia->addresses) {
    if (may_have(now, client, wish.address)) return wish.address;
  }
  if (bindings_.size() >= bindings_max) return std::nullopt;
  for (IpAddress each = settings_.first; each <= settings_.last; each = next_of(each)) {
    if (may_have(now, client, each)) return each;
  }
  return std::nullopt;
}

Ia Dhcp6Server::ia_with(const Message& message, const IpAddress& address) const {
  const std::uint32_t valid = seconds_of(settings_.lease);
  const std::uint32_t preferred = valid / 8 * 5;
  return {.id = message.ia->id,
          .t1_s = preferred / 2,
          .t2_s = preferred / 10 * 8,
          .addresses = {{address, preferred, valid}}};
}

void Dhcp6Server::end(Instant now, const Message& message, Use use) {
  for (const dhcp6::IaAddress& each : message.ia->addresses) {
    const auto bound = bindings_.find(each.address);
    const Client client{message.client, message.ia->id};
    if (bound == bindings_.end() || bound->second.client != client) continue;
    bound->second.use = use;
    if (use == Use::declined) bound->second = {.use = use, .until = now + declined_for};
  }
}

// RFC 8415 18.3.4, 18.3.5.
Message Dhcp6Server::extend(Instant now, const Message& message) {
  Message answer = blank(message, Type::reply);
  const auto held = held_by(now, {message.client, message.ia->id});
  if (!held) {
    answer.ia = Ia{.id = message.ia->id, .status = Status::no_binding};
    return answer;
  }
  bindings_[*held].until = now + settings_.lease;
  answer.ia = ia_with(message, *held);
  return answer;
}

std::optional<Message> Dhcp6Server::on_message(Instant now, const Message& message) {
  if (!is_acceptable(message)) return std::nullopt;
  const bool is_about_ia = message.type != Type::information_request;
  if (is_about_ia && !message.ia) return std::nullopt;
  switch (message.type) {
    case Type::solicit:
    case Type::request: {
      const bool is_solicit = message.type == Type::solicit;
      Message answer = blank(message, is_solicit ? Type::advertise : Type::reply);
      if (is_solicit) answer.preference = settings_.preference;
      const auto address = choose(now, message);
      if (!address) {
        // RFC 8415 18.3.9, 18.3.2.
        answer.ia = Ia{.id = message.ia->id, .status = Status::no_addresses};
        if (is_solicit) answer.status = Status::no_addresses;
        return answer;
      }
      answer.ia = ia_with(message, *address);
      if (is_solicit) return answer;
      bindings_[*address] = {.client = {message.client, message.ia->id},
                             .use = Use::leased,
                             .until = now + settings_.lease};
      return answer;
    }
    case Type::confirm: {
      // RFC 8415 18.3.3: is it right for this link?
      if (message.ia->addresses.empty()) return std::nullopt;
      Message answer = blank(message, Type::reply);
      const bool is_right = std::ranges::all_of(
          message.ia->addresses,
          [&](const dhcp6::IaAddress& each) { return settings_.network.contains(each.address); });
      answer.status = is_right ? Status::success : Status::not_on_link;
      return answer;
    }
    case Type::renew:
    case Type::rebind:
      return extend(now, message);
    case Type::release:
    case Type::decline:
      end(now, message, message.type == Type::release ? Use::released : Use::declined);
      return blank(message, Type::reply);
    case Type::information_request:
      return blank(message, Type::reply);
    case Type::advertise:
    case Type::reply:
      break;
  }
  return std::nullopt;
}

}  // namespace lanyard::application
