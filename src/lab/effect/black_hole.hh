// SPDX-License-Identifier: Apache-2.0
// Packets longer than the path takes vanish, and nobody is told: a path MTU black hole (RFC 2923
// 2.1). The Ethernet header and a VLAN tag do not count.
#pragma once

#include "lab/effect/wire.hh"
#include "wire/ethernet.hh"

namespace lanyard::lab {

class BlackHole final : public Effect {
 public:
  explicit BlackHole(Wire& next) : Effect(next) {}
  void set(std::uint32_t bytes_max) { bytes_max_ = bytes_max; }  // 0: none vanish
  void carry(Instant at, Packet frame) override {
    const auto view = ethernet::View::parse(frame.front(), frame.size());
    const bool is_long = bytes_max_ != 0 && view && view->payload_size() > bytes_max_;
    if (is_long)
      next().drop(at, std::move(frame), DropReason::black_holed);
    else
      next().carry(at, std::move(frame));
  }

 private:
  std::uint32_t bytes_max_ = 0;
};

}  // namespace lanyard::lab
