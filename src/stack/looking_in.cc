// SPDX-License-Identifier: Apache-2.0
// Registration of raw sockets and groups, and the rows for looking in.
#include <algorithm>

#include "stack/parts.hh"
#include "stack/steering.hh"

namespace lanyard::stack {

void Stack::add_raw(Family family, internet::Protocol protocol, RawSink& sink) {
  parts_->raw_sinks.push_back({{family, protocol}, &sink});
}

void Stack::remove_raw(RawSink& sink) {
  std::erase_if(parts_->raw_sinks, [&](const auto& row) { return row.second == &sink; });
}

bool Stack::is_ours(internet::Protocol protocol, const Endpoint& local,
                    const Endpoint& remote) const {
  const Config& config = parts_->config;
  return config.steering == nullptr ||
         config.steering->shard_of(protocol, local, remote) == config.shard;
}

Result<std::uint16_t> Stack::add_echo(Family family, std::uint16_t identifier, RawSink& sink) {
  auto& sinks = parts_->echo_sinks;
  const Config& config = parts_->config;
  const auto is_ours = [&config](std::uint16_t wanted) {
    return config.steering == nullptr || config.steering->shard_of_echo(wanted) == config.shard;
  };
  if (identifier != 0) {
    if (!is_ours(identifier)) return unexpected(Errno::address_not_available);
    if (!sinks.try_emplace({family, identifier}, &sink).second) {
      return unexpected(Errno::address_in_use);
    }
    return identifier;
  }
  constexpr std::uint32_t identifiers = 65535;
  const auto first = static_cast<std::uint32_t>(parts_->chance.below(identifiers));
  for (std::uint32_t i = 0; i < identifiers; ++i) {
    const auto candidate = static_cast<std::uint16_t>((first + i) % identifiers + 1);
    if (is_ours(candidate) && sinks.try_emplace({family, candidate}, &sink).second)
      return candidate;
  }
  return unexpected(Errno::address_in_use);
}

void Stack::remove_echo(Family family, std::uint16_t identifier) {
  parts_->echo_sinks.erase({family, identifier});
}

Result<void> Stack::join_group(Instant now, std::uint32_t interface, const IpAddress& group) {
  parts_->latest = std::max(parts_->latest, now);
  return parts_->network.listen(now, interface, group, std::nullopt, internet::SourceFilter{});
}

Result<void> Stack::leave_group(Instant now, std::uint32_t interface, const IpAddress& group) {
  parts_->latest = std::max(parts_->latest, now);
  return parts_->network.listen(now, interface, group, internet::SourceFilter{}, std::nullopt);
}

std::vector<NeighbourRow> Stack::neighbours() const {
  std::vector<NeighbourRow> rows;
  for (const internet::Interface& interface : parts_->network.interfaces().all()) {
    for (const auto& row : interface.neighbours.rows(parts_->latest)) {
      rows.push_back(
          {interface.link.index, row.address, row.mac, std::string(link::to_text(row.state))});
    }
  }
  return rows;
}

std::vector<Route> Stack::routes() const {
  std::vector<Route> rows;
  for (const internet::Route& route : parts_->network.routes().rows()) {
    rows.push_back({route.destination, route.hop.gateway, route.hop.interface, route.hop.metric});
  }
  return rows;
}

namespace {

InterfaceRow row_of(const internet::Interface& interface) {
  const link::Interface& link = interface.link;
  InterfaceRow row;
  row.index = link.index;
  row.name = link.name;
  row.mac = link.mac;
  row.mtu = link.mtu;
  row.is_up = link.is_up;
  for (const internet::InterfaceAddress& address : interface.addresses) {
    if (address.is_usable()) row.addresses.push_back(address.prefix);
  }
  row.received_frames = link.counters.received_frames;
  row.received_bytes = link.counters.received_bytes;
  row.sent_frames = link.counters.sent_frames;
  row.sent_bytes = link.counters.sent_bytes;
  row.dropped_frames = link.counters.dropped_frames;
  return row;
}

}  // namespace

std::vector<InterfaceRow> Stack::interfaces() const {
  std::vector<InterfaceRow> rows;
  for (const internet::Interface& interface : parts_->network.interfaces().all()) {
    rows.push_back(row_of(interface));
  }
  return rows;
}

std::optional<InterfaceRow> Stack::interface(std::uint32_t index) const {
  const internet::Interface* found = parts_->network.interfaces().find(index);
  if (found == nullptr) return std::nullopt;
  return row_of(*found);
}

std::optional<std::uint32_t> Stack::interface_of(std::string_view name) const {
  const auto& all = parts_->network.interfaces().all();
  const auto found = std::find_if(
      all.begin(), all.end(), [&](const internet::Interface& i) { return i.link.name == name; });
  if (found == all.end()) return std::nullopt;
  return found->link.index;
}

const DropCounters& Stack::drops() const {
  return parts_->drops;
}

const Config& Stack::config() const {
  return parts_->config;
}

}  // namespace lanyard::stack
