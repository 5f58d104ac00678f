// SPDX-License-Identifier: Apache-2.0
#include "link/bridge.hh"

#include <algorithm>
#include <utility>

namespace lanyard::link {

namespace {

// IEEE 802.1Q table 8-1: 01-80-C2-00-00-00 to -0F stay on their own wire.
bool is_reserved_group(const MacAddress& mac) {
  constexpr std::array<std::uint8_t, 5> prefix = {0x01, 0x80, 0xc2, 0x00, 0x00};
  return std::equal(prefix.begin(), prefix.end(), mac.bytes.begin()) && mac.bytes[5] <= 0x0f;
}

}  // namespace

Bridge::PortIndex Bridge::add_port(const PortVlans& vlans) {
  ports_.push_back({vlans, true});
  return static_cast<PortIndex>(ports_.size() - 1);
}

void Bridge::set_up(PortIndex port, bool is_up) {
  ports_[port].is_up = is_up;
  if (!is_up) {
    rebuild(learned_.size(), [port](const Learned& row) { return row.port != port; });
  }
}

Bridge::Key Bridge::key_of(std::uint16_t vlan, const MacAddress& mac) {
  return std::uint64_t{vlan} << 48 | std::uint64_t{load16(mac.bytes.data())} << 32 |
         load32(mac.bytes.data() + 2);
}

bool Bridge::carries(const Port& port, std::uint16_t vlan) const {
  return port.vlans.untagged == vlan ||
         std::find(port.vlans.tagged.begin(), port.vlans.tagged.end(), vlan) !=
             port.vlans.tagged.end();
}

bool Bridge::sends_tagged(PortIndex port, std::uint16_t vlan) const {
  return ports_[port].vlans.untagged != vlan;
}

Bridge::Decision Bridge::on_frame(Instant now, const Frame& frame) {
  const Port& in = ports_[frame.port];
  if (!in.is_up) return {DropReason::link_down, 0, {}};
  const std::uint16_t tag = frame.vlan.value_or(0);
  const std::uint16_t vlan = tag == 0 ? in.vlans.untagged : tag;
  if (vlan >= 4095 || !carries(in, vlan)) return {DropReason::bad_vlan, vlan, {}};
  // A group address is nobody's; a frame from one is not learned from and goes nowhere.
  if (frame.source.is_group()) return {DropReason::not_for_us, vlan, {}};
  learn(now, key_of(vlan, frame.source), frame.port);
  if (is_reserved_group(frame.destination)) return {DropReason::port_blocked, vlan, {}};
  if (frame.destination.is_group()) return flood(frame, vlan);
  const auto port = find(now, key_of(vlan, frame.destination));
  if (!port) return flood(frame, vlan);
  if (*port == frame.port) return {DropReason::same_segment, vlan, {}};
  out_.assign(1, *port);
  return {DropReason::none, vlan, out_};
}

Bridge::Decision Bridge::flood(const Frame& frame, std::uint16_t vlan) {
  out_.clear();
  for (PortIndex port = 0; port < ports_.size(); ++port) {
    if (port == frame.port || !ports_[port].is_up || !carries(ports_[port], vlan)) continue;
    out_.push_back(port);
  }
  return {out_.empty() ? DropReason::no_carrier : DropReason::none, vlan, out_};
}

std::size_t Bridge::place_of(Key key) const {
  constexpr std::uint64_t odd = 0x9e3779b97f4a7c15ULL;
  const std::size_t mask = learned_.size() - 1;
  std::size_t place = static_cast<std::size_t>((key * odd) >> 32) & mask;
  while (learned_[place].port != free_place && learned_[place].key != key) {
    place = (place + 1) & mask;
  }
  return place;
}

// Puts what is to be kept into a table of so many places.
template <typename Keep>
void Bridge::rebuild(std::size_t places, Keep keep) {
  const std::vector<Learned> before = std::exchange(learned_, std::vector<Learned>(places));
  learned_count_ = 0;
  for (const Learned& row : before) {
    if (row.port == free_place || !keep(row)) continue;
    learned_[place_of(row.key)] = row;
    ++learned_count_;
  }
}

void Bridge::learn(Instant now, Key key, PortIndex port) {
  constexpr std::size_t places_first = 16;
  if (!learned_.empty()) {
    Learned& known = learned_[place_of(key)];
    if (known.port != free_place) {
      known.seen = now;
      known.port = port;
      return;
    }
  }
  if (learned_count_ >= config_.addresses_max && !make_room(now)) return;
  if (2 * (learned_count_ + 1) > learned_.size()) {
    rebuild(std::max(places_first, 2 * learned_.size()), [](const Learned&) { return true; });
  }
  learned_[place_of(key)] = {key, now, port};
  ++learned_count_;
}

// A full table keeps what it knows until it ages: a flood of invented addresses costs the invented
// ones, not the real ones. The sweep runs once a second at most.
bool Bridge::make_room(Instant now) {
  if (now < next_sweep_) return false;
  next_sweep_ = now + Duration::seconds(1);
  rebuild(learned_.size(),
          [&](const Learned& row) { return row.seen + config_.ageing_time > now; });
  return learned_count_ < config_.addresses_max;
}

std::optional<Bridge::PortIndex> Bridge::find(Instant now, Key key) const {
  if (learned_.empty()) return std::nullopt;
  const Learned& known = learned_[place_of(key)];
  if (known.port == free_place || known.seen + config_.ageing_time <= now) return std::nullopt;
  return known.port;
}

std::vector<Bridge::Row> Bridge::rows(Instant now) const {
  std::vector<Row> rows;
  for (const Learned& row : learned_) {
    if (row.port == free_place || row.seen + config_.ageing_time <= now) continue;
    MacAddress mac;
    store16(mac.bytes.data(), static_cast<std::uint16_t>(row.key >> 32));
    store32(mac.bytes.data() + 2, static_cast<std::uint32_t>(row.key));
    rows.push_back({static_cast<std::uint16_t>(row.key >> 48), mac, row.port});
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return std::pair(a.vlan, a.mac) < std::pair(b.vlan, b.mac);
  });
  return rows;
}

}  // namespace lanyard::link
