// SPDX-License-Identifier: Apache-2.0
// A router's latest pairs of IPv4 ends that are forwarded without a word: what was found out about
// both, and the way, hold as long as addresses, routes and links stay.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "internet/interfaces.hh"
#include "wire/address.hh"

namespace lanyard::internet {

class Flows {
 public:
  struct Flow {
    std::uint64_t version = 0;  // of all tables, when this was found out
    std::uint64_t ends = 0;     // source and destination, as they lie in the header
    std::uint32_t arrived_on = 0;
    std::uint32_t mtu = 0;  // of the way out
    Interface* interface = nullptr;
    IpAddress next{};
  };
  // Null when it is not known. Each has two places.
  [[nodiscard]] const Flow* find(std::uint64_t version, std::uint64_t ends,
                                 std::uint32_t arrived_on) const {
    if (!flows_) return nullptr;
    const std::size_t place = place_of(ends, arrived_on);
    const auto is_it = [&](const Flow& flow) {
      return flow.ends == ends && flow.version == version && flow.arrived_on == arrived_on;
    };
    const Flow& first = (*flows_)[place];
    if (is_it(first)) return &first;
    const Flow& second = (*flows_)[place ^ 1];
    return is_it(second) ? &second : nullptr;
  }
  void keep(const Flow& flow) {
    if (!flows_) flows_ = std::make_unique<std::array<Flow, kept>>();
    const std::size_t place = place_of(flow.ends, flow.arrived_on);
    Flow& first = (*flows_)[place];
    if (first.version == flow.version) (*flows_)[place ^ 1] = first;
    first = flow;
  }

 private:
  static constexpr std::size_t kept = 256;
  [[nodiscard]] static std::size_t place_of(std::uint64_t ends, std::uint32_t arrived_on) {
    constexpr std::uint64_t spread = 0x9e3779b97f4a7c15ULL;
    return static_cast<std::size_t>(((ends ^ arrived_on) * spread) >> 56);
  }
  std::unique_ptr<std::array<Flow, kept>> flows_;  // made with the first: hosts have none
};

}  // namespace lanyard::internet
