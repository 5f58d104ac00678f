// SPDX-License-Identifier: Apache-2.0
#include "application/dhcp_server.hh"

#include <algorithm>

namespace lanyard::application {

namespace {

using dhcp::Message;
using dhcp::Type;

constexpr Duration offer_held_for = Duration::seconds(120);
constexpr Duration declined_for = Duration::seconds(3600);
constexpr std::size_t bindings_max = 65536;
constexpr std::uint8_t hops_max = 16;  // RFC 1542 4.1.1

std::vector<std::uint8_t> client_of(const Message& message) {
  if (!message.client_identifier.empty()) return message.client_identifier;
  std::vector<std::uint8_t> client(1 + message.hardware.bytes.size(), 1);
  std::ranges::copy(message.hardware.bytes, client.begin() + 1);
  return client;
}

std::uint32_t seconds_of(Duration duration) {
  return static_cast<std::uint32_t>(
      std::min<std::int64_t>(duration / Duration::seconds(1), dhcp::for_ever_s - 1));
}

bool is_host_of(const IpPrefix& network, const IpAddress& address) {
  return network.contains(address) &&
         (network.length >= 31 || (address != network.network() && address != network.broadcast()));
}

IpAddress next_of(const IpAddress& address) {
  return IpAddress::v4(address.v4_number() + 1);
}

}  // namespace

std::optional<DhcpPool> DhcpPool::parse(const std::string& text,
                                        const std::optional<IpPrefix>& network) {
  const std::size_t dash = text.find('-');
  if (dash == std::string::npos) return std::nullopt;
  const std::size_t slash = std::min(text.find('/'), text.size());
  if (slash < dash) return std::nullopt;
  const auto first = IpAddress::parse(text.substr(0, dash));
  const auto last = IpAddress::parse(text.substr(dash + 1, slash - dash - 1));
  if (!first || !last || !first->is_v4() || !last->is_v4() || *last < *first) return std::nullopt;
  DhcpPool pool{.network = {}, .first = *first, .last = *last};
  if (slash < text.size()) {
    const auto prefix = IpPrefix::parse(text.substr(dash + 1));
    if (!prefix) return std::nullopt;
    pool.network = {prefix->network(), prefix->length};
  } else if (network) {
    pool.network = {network->network(), network->length};
  } else {
    return std::nullopt;
  }
  const bool is_inside = is_host_of(pool.network, *first) && is_host_of(pool.network, *last);
  return is_inside ? std::optional(pool) : std::nullopt;
}

// RFC 2131 4.3.1: the network is the relay's, else that of the interface.
std::optional<DhcpServer::Place> DhcpServer::place_of(const Message& message, const IpPrefix& own,
                                                      bool is_router) const {
  if (message.relay.is_unspecified()) {
    return Place{.network = {own.network(), own.length},
                 .own = own.address,
                 .router = is_router ? own.address : IpAddress::any(Family::ipv4)};
  }
  const auto pool = std::ranges::find_if(
      settings_.pools, [&](const DhcpPool& each) { return each.network.contains(message.relay); });
  if (pool == settings_.pools.end()) return std::nullopt;
  return Place{.network = pool->network, .own = own.address, .router = message.relay};
}

std::optional<DhcpServer::Answer> DhcpServer::on_message(Instant now, const Message& message,
                                                         const IpPrefix& own, bool is_router) {
  if (message.is_reply || message.hops > hops_max) return std::nullopt;
  const auto place = place_of(message, own, is_router);
  if (!place) return std::nullopt;
  const auto mine = [&](const IpAddress& address) {
    const auto found = bindings_.find(address);
    return found != bindings_.end() && found->second.client == client_of(message) ? &found->second
                                                                                  : nullptr;
  };
  switch (message.type) {
    case Type::discover:
      return on_discover(now, message, *place);
    case Type::request:
      return on_request(now, message, *place);
    case Type::decline:
      // RFC 2131 4.3.3: somebody we do not know has it.
      if (message.server != place->own || !message.requested) return std::nullopt;
      if (Binding* binding = mine(*message.requested)) {
        *binding = {.use = Use::declined, .until = now + declined_for};
      }
      return std::nullopt;
    case Type::release:
      // RFC 2131 4.3.4: kept in mind, so that the client may get it again.
      if (Binding* binding = mine(message.client)) binding->use = Use::released;
      return std::nullopt;
    case Type::inform: {
      // RFC 2131 4.3.5: everything but an address.
      if (message.client.is_unspecified()) return std::nullopt;
      return give(message, Type::ack, IpAddress::any(Family::ipv4), *place);
    }
    case Type::offer:
    case Type::ack:
    case Type::nak:
      break;
  }
  return std::nullopt;
}

bool DhcpServer::is_in_pool(const IpAddress& address, const Place& place) const {
  bool has_pool = false;
  for (const DhcpPool& pool : settings_.pools) {
    if (pool.network != place.network) continue;
    if (pool.contains(address)) return true;
    has_pool = true;
  }
  return !has_pool && is_host_of(place.network, address);
}

// May this client have that address now?
bool DhcpServer::may_have(Instant now, const Client& client, const IpAddress& address,
                          const Message& message, const Place& place) const {
  if (!is_host_of(place.network, address) || address == place.own || address == place.router) {
    return false;
  }
  const auto reserved = settings_.reservations.find(message.hardware);
  if (reserved != settings_.reservations.end() && place.network.contains(reserved->second)) {
    return address == reserved->second;
  }
  const bool is_anothers = std::ranges::any_of(
      settings_.reservations, [&](const auto& each) { return each.second == address; });
  if (is_anothers || !is_in_pool(address, place)) return false;
  const auto bound = bindings_.find(address);
  if (bound == bindings_.end() || bound->second.client == client) return true;
  return bound->second.use == Use::released || bound->second.until <= now;
}

std::optional<IpAddress> DhcpServer::held_by(const Client& client, const Place& place) const {
  for (const auto& [address, binding] : bindings_) {
    if (binding.client == client && place.network.contains(address)) return address;
  }
  return std::nullopt;
}

// RFC 2131 4.3.1: the address it has or had, the one it asks for, a fresh one, one that is over.
std::optional<IpAddress> DhcpServer::choose(Instant now, const Message& message,
                                            const Place& place) const {
  const Client client = client_of(message);
  const auto suits = [&](const IpAddress& address) {
    return may_have(now, client, address, message, place);
  };
  const auto reserved = settings_.reservations.find(message.hardware);
  if (reserved != settings_.reservations.end() && suits(reserved->second)) return reserved->second;
  if (const auto held = held_by(client, place); held && suits(*held)) return held;
  if (message.requested && suits(*message.requested)) return message.requested;
  std::vector<DhcpPool> pools;
  std::ranges::copy_if(settings_.pools, std::back_inserter(pools),
                       [&](const DhcpPool& each) { return each.network == place.network; });
  if (pools.empty()) {
    // The upper half first: people and plans number from below.
    const std::uint32_t network = place.network.network().v4_number();
    const std::uint32_t size = std::uint32_t{1} << (32 - std::max<int>(place.network.length, 8));
    const IpAddress first = IpAddress::v4(network), last = IpAddress::v4(network + size - 1);
    const IpAddress middle = IpAddress::v4(network + size / 2);
    pools = {{place.network, middle, last}, {place.network, first, middle}};
  }
  for (const bool is_fresh : {true, false}) {
    for (const DhcpPool& pool : pools) {
      for (IpAddress each = pool.first; each <= pool.last; each = next_of(each)) {
        if (is_fresh && bindings_.contains(each)) continue;
        if (suits(each)) return each;
      }
    }
  }
  return std::nullopt;
}

std::optional<DhcpServer::Answer> DhcpServer::on_discover(Instant now, const Message& message,
                                                          const Place& place) {
  if (bindings_.size() >= bindings_max) {
    std::erase_if(bindings_, [&](const auto& each) { return each.second.until <= now; });
    if (bindings_.size() >= bindings_max) return std::nullopt;
  }
  const auto address = choose(now, message, place);
  if (!address) return std::nullopt;
  Binding& binding = bindings_[*address];
  const bool is_running = binding.use == Use::leased && binding.until > now;
  if (!is_running) {
    binding = {.client = client_of(message),
               .use = Use::offered,
               .until = now + offer_held_for,
               .mac = message.hardware,
               .host_name = message.host_name};
  }
  return give(message, Type::offer, *address, place);
}

// RFC 2131 4.3.2: what the client fills in tells which of its states it is in.
std::optional<DhcpServer::Answer> DhcpServer::on_request(Instant now, const Message& message,
                                                         const Place& place) {
  const Client client = client_of(message);
  const bool is_selecting = message.server.has_value();
  const auto held = held_by(client, place);
  if (is_selecting && *message.server != place.own) {
    // Another server's offer was taken: ours is free again.
    if (held && bindings_[*held].use == Use::offered) bindings_.erase(*held);
    return std::nullopt;
  }
  const IpAddress wanted = message.requested.value_or(message.client);
  if (wanted.is_unspecified()) return std::nullopt;
  if (!place.network.contains(wanted)) return refuse(message, place);
  // Of a client nobody here knows we say nothing: another server may.
  if (!held && !is_selecting) return std::nullopt;
  const bool is_right = held == wanted && may_have(now, client, wanted, message, place);
  if (!is_right) return refuse(message, place);
  bindings_[wanted] = {.client = client,
                       .use = Use::leased,
                       .until = now + settings_.lease,
                       .mac = message.hardware,
                       .host_name = message.host_name};
  return give(message, Type::ack, wanted, place);
}

DhcpServer::Answer DhcpServer::give(const Message& message, Type type, const IpAddress& address,
                                    const Place& place) const {
  Answer answer;
  Message& out = answer.message;
  out.is_reply = true;
  out.type = type;
  out.transaction = message.transaction;
  out.wants_broadcast = message.wants_broadcast;
  out.client = type == Type::ack ? message.client : IpAddress::any(Family::ipv4);
  out.yours = address;
  out.relay = message.relay;
  out.hardware = message.hardware;
  out.server = place.own;
  out.mask = dhcp::mask_of_length(place.network.length);
  // Behind a relay that is the way out, whatever it is here.
  const bool is_here = message.relay.is_unspecified();
  if (is_here) out.routers = settings_.routers;
  if (out.routers.empty() && !place.router.is_unspecified()) out.routers = {place.router};
  out.name_servers = settings_.name_servers;
  out.domain_name = settings_.domain_name;
  if (!address.is_unspecified()) {
    const std::uint32_t lease = seconds_of(settings_.lease);
    out.lease_s = lease;
    out.renewal_s = lease / 2;
    out.rebinding_s = lease / 8 * 7;
  }
  address_answer(answer, message);
  return answer;
}

DhcpServer::Answer DhcpServer::refuse(const Message& message, const Place& place) const {
  Answer answer;
  answer.message.is_reply = true;
  answer.message.type = Type::nak;
  answer.message.transaction = message.transaction;
  answer.message.relay = message.relay;
  answer.message.hardware = message.hardware;
  answer.message.server = place.own;
  answer.message.text = "not your address here";
  // RFC 2131 4.3.2: the relay must broadcast it too.
  answer.message.wants_broadcast = !message.relay.is_unspecified();
  address_answer(answer, message);
  return answer;
}

// RFC 2131 4.1.
void DhcpServer::address_answer(Answer& answer, const Message& message) const {
  if (!message.relay.is_unspecified()) {
    answer.to = Answer::To::relay;
    answer.address = message.relay;
  } else if (answer.message.type == Type::nak) {
    answer.to = Answer::To::everybody;
  } else if (!message.client.is_unspecified()) {
    answer.to = Answer::To::client;
    answer.address = message.client;
  } else if (message.wants_broadcast) {
    answer.to = Answer::To::everybody;
  } else {
    answer.to = Answer::To::hardware;
    answer.address = answer.message.yours;
  }
}

std::vector<DhcpServer::Row> DhcpServer::leases(Instant now) const {
  std::vector<Row> rows;
  for (const auto& [address, binding] : bindings_) {
    if (binding.use != Use::leased || binding.until <= now) continue;
    rows.push_back({address, binding.mac, binding.host_name, binding.until});
  }
  return rows;
}

}  // namespace lanyard::application
