// SPDX-License-Identifier: Apache-2.0
// A learning switch (IEEE 802.1Q, without its protocols): it learns behind which port a MAC address
// is, per VLAN, and floods what it does not know. It decides; whoever owns the ports copies frames.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/drop.hh"
#include "core/time.hh"
#include "wire/address.hh"

namespace lanyard::link {

struct BridgeConfig {
  Duration ageing_time = Duration::seconds(300);  // IEEE 802.1Q 8.8.3
  std::uint32_t addresses_max = 8192;
};

// Which VLANs a port carries. Untagged frames belong to `untagged`.
struct PortVlans {
  std::uint16_t untagged = 1;
  std::vector<std::uint16_t> tagged;
};

class Bridge {
 public:
  using PortIndex = std::uint32_t;  // from 0

  explicit Bridge(const BridgeConfig& config = {}) : config_(config) {}

  PortIndex add_port(const PortVlans& vlans = {});
  // What was learned behind a port that goes down is forgotten.
  void set_up(PortIndex port, bool is_up);

  struct Frame {
    PortIndex port = 0;
    MacAddress destination, source;
    std::optional<std::uint16_t> vlan;  // of its tag, if it has one; 0 says priority only
  };
  struct Decision {
    DropReason reason = DropReason::none;
    std::uint16_t vlan = 0;
    std::span<const PortIndex> ports;  // to send it by; valid until the next frame
  };
  Decision on_frame(Instant now, const Frame& frame);
  // Whether frames of this VLAN leave the port with a tag.
  [[nodiscard]] bool sends_tagged(PortIndex port, std::uint16_t vlan) const;

  struct Row {
    std::uint16_t vlan;
    MacAddress mac;
    PortIndex port;
  };
  // What is known now, by VLAN and address.
  [[nodiscard]] std::vector<Row> rows(Instant now) const;
  [[nodiscard]] std::size_t size() const { return learned_count_; }

 private:
  struct Port {
    PortVlans vlans;
    bool is_up = true;
  };
  using Key = std::uint64_t;  // VLAN and MAC address
  // One place of a table of 2^n with linear probing, half empty at least.
  struct Learned {
    Key key = 0;
    Instant seen;
    PortIndex port = free_place;
  };
  static constexpr PortIndex free_place = 0xffffffff;

  [[nodiscard]] static Key key_of(std::uint16_t vlan, const MacAddress& mac);
  [[nodiscard]] bool carries(const Port& port, std::uint16_t vlan) const;
  void learn(Instant now, Key key, PortIndex port);
  bool make_room(Instant now);
  // Where this key is, or would be; there must be a place.
  [[nodiscard]] std::size_t place_of(Key key) const;
  template <typename Keep>
  void rebuild(std::size_t places, Keep keep);
  [[nodiscard]] std::optional<PortIndex> find(Instant now, Key key) const;
  Decision flood(const Frame& frame, std::uint16_t vlan);

  BridgeConfig config_;
  std::vector<Port> ports_;
  std::vector<Learned> learned_;
  std::size_t learned_count_ = 0;
  std::vector<PortIndex> out_;
  Instant next_sweep_;
};

}  // namespace lanyard::link
