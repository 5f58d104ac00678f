// SPDX-License-Identifier: Apache-2.0
#include "link/bridge.hh"

#include <algorithm>

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
    std::erase_if(learned_, [port](const auto& row) { return row.second.port == port; });
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

void Bridge::learn(Instant now, Key key, PortIndex port) {
  const auto known = learned_.find(key);
  if (known != learned_.end()) {
    known->second = {port, now};
  } else if (learned_.size() < config_.addresses_max || make_room(now)) {
    learned_.emplace(key, Learned{port, now});
  }
}

// A full table keeps what it knows until it ages: a flood of invented addresses costs the invented
// ones, not the real ones. The sweep runs once a second at most.
bool Bridge::make_room(Instant now) {
  if (now < next_sweep_) return false;
  next_sweep_ = now + Duration::seconds(1);
  std::erase_if(learned_,
                [&](const auto& row) { return row.second.seen + config_.ageing_time <= now; });
  return learned_.size() < config_.addresses_max;
}

std::optional<Bridge::PortIndex> Bridge::find(Instant now, Key key) const {
  const auto known = learned_.find(key);
  if (known == learned_.end() || known->second.seen + config_.ageing_time <= now) {
    return std::nullopt;
  }
  return known->second.port;
}

std::vector<Bridge::Row> Bridge::rows(Instant now) const {
  std::vector<Row> rows;
  std::for_each(learned_.begin(), learned_.end(), [&](const auto& row) {  // order: sorted below
    if (row.second.seen + config_.ageing_time <= now) return;
    MacAddress mac;
    store16(mac.bytes.data(), static_cast<std::uint16_t>(row.first >> 32));
    store32(mac.bytes.data() + 2, static_cast<std::uint32_t>(row.first));
    rows.push_back({static_cast<std::uint16_t>(row.first >> 48), mac, row.second.port});
  });
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return std::pair(a.vlan, a.mac) < std::pair(b.vlan, b.mac);
  });
  return rows;
}

}  // namespace lanyard::link
