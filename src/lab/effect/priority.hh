// SPDX-License-Identifier: Apache-2.0
// Strict priority: three bands, and a frame goes only when no band above it has one. By the DSCP
// (RFC 2474, RFC 4594): CS5 and more, EF among them, and what is not IP (ARP) first; CS1 and LE
// (RFC 8622) last; the rest between.
#pragma once

#include <algorithm>
#include <array>

#include "lab/effect/ecn.hh"
#include "lab/effect/queue.hh"

namespace lanyard::lab {

class Priority final : public Queue {
 public:
  explicit Priority(std::size_t packets_max) : packets_max_(packets_max) {}  // of each band
  void push(Instant now, Packet frame, Wire& book) override {
    Fifo& band = bands_[band_of(frame)];
    if (band.packets() >= packets_max_)
      return book.drop(now, std::move(frame), DropReason::queue_full);
    band.push(now, std::move(frame));
  }
  std::optional<Packet> pull(Instant, Wire&) override {
    for (Fifo& band : bands_)
      if (!band.is_empty()) return band.pull().frame;
    return {};
  }
  [[nodiscard]] std::size_t packets() const override {
    std::size_t sum = 0;
    for (const Fifo& band : bands_) sum += band.packets();
    return sum;
  }
  [[nodiscard]] std::uint64_t bytes() const override {
    std::uint64_t sum = 0;
    for (const Fifo& band : bands_) sum += band.bytes();
    return sum;
  }
  [[nodiscard]] static std::size_t band_of(const Packet& frame) {
    bool is_ip = false;
    const std::uint32_t dscp = traffic_class_of(frame, is_ip) >> 2U;
    if (!is_ip || dscp >= 40) return 0;
    return dscp == 8 || dscp == 1 ? 2 : 1;
  }

 private:
  std::array<Fifo, 3> bands_;
  std::size_t packets_max_;
};

}  // namespace lanyard::lab
