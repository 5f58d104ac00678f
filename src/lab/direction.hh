// SPDX-License-Identifier: Apache-2.0
// One direction of a link: its effects in a row, its counters, and whether it is cut.
//   frame -> cut? -> queue -> rate -> loss -> delay -> far port
#pragma once

#include "core/random.hh"
#include "lab/effect/delay.hh"
#include "lab/effect/drop_tail.hh"
#include "lab/effect/loss.hh"
#include "lab/effect/rate.hh"
#include "lab/traffic.hh"
#include "lab/world.hh"

namespace lanyard::lab {

class Direction final : private Wire {
 public:
  // What becomes of a frame: told once for each frame that entered.
  class Owner {
   public:
    virtual void on_carried(const Direction& direction, Instant arrives, Packet frame) = 0;
    virtual void on_dropped(const Direction& direction, const Packet& frame, DropReason reason) = 0;

   protected:
    ~Owner() = default;
  };

  Direction(const LinkQuality& quality, const RandomStream& dice, Owner& owner)
      : owner_(owner),
        quality_(quality),
        delay_(quality.delay, *this),
        loss_(quality.loss_parts_per_billion, dice, delay_),
        rate_(quality.rate_bits_per_second, loss_),
        queue_(quality.queue_bytes, rate_) {}

  // The ports, as the plan numbers them.
  std::uint32_t from_port = 0, to_port = 0;
  std::uint32_t bytes_max = 0;  // the largest frame
  std::uint32_t cuts = 0;  // how often it was cut: what was on its way at a cut does not arrive
  Traffic traffic;

  void send(Instant now, Packet frame);
  void change(const LinkChange& change);
  void cut() {
    is_up_ = false;
    ++cuts;
  }
  void heal() { is_up_ = true; }
  [[nodiscard]] bool is_up() const { return is_up_; }
  [[nodiscard]] const LinkQuality& quality() const { return quality_; }
  [[nodiscard]] const DirectionCounters& counters() const { return counters_; }
  void count_lost_on_the_way() {
    ++counters_.drops[static_cast<std::size_t>(DropReason::link_down)];
  }

 private:
  void carry(Instant at, Packet frame) override { owner_.on_carried(*this, at, std::move(frame)); }
  void drop(Instant at, Packet frame, DropReason reason) override;

  Owner& owner_;
  LinkQuality quality_;
  Delay delay_;
  Loss loss_;
  Rate rate_;
  DropTail queue_;
  bool is_up_ = true;
  DirectionCounters counters_;
};

}  // namespace lanyard::lab
