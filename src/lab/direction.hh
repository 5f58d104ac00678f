// SPDX-License-Identifier: Apache-2.0
// One direction of a link: its effects in a row, its counters, and whether it is cut.
//   frame -> cut? -> the effects asked for, in the order of Stage -> far port
// A link that asks for nothing has no effects. One that asks later gets them then; one whose
// timeline asks has them from the start (prepare), so that their dice do not depend on when.
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/random.hh"
#include "lab/direction_owner.hh"
#include "lab/direction_stage.hh"
#include "lab/effect/delay.hh"
#include "lab/effect/drop_tail.hh"
#include "lab/effect/queued.hh"
#include "lab/effect/wire.hh"
#include "lab/model.hh"
#include "lab/traffic.hh"
#include "lab/world.hh"

namespace lanyard::lab {

class Direction final : private Wire {
 public:
  using Owner = DirectionOwner;
  using Stage = DirectionStage;

  Direction(const LinkQuality& quality, const Seed& dice, Owner& owner);

  std::uint32_t index = 0;  // among the world's
  // The ports, as the plan numbers them, and whose the far one is.
  std::uint32_t from_port = 0, to_port = 0, to_node = 0;
  std::uint32_t bytes_max = 0;  // the largest frame
  std::uint32_t cuts = 0;  // how often it was cut: what was on its way at a cut does not arrive
  Traffic traffic;

  void send(Instant now, Packet&& frame);
  // A super-segment may pass uncut: it meets nothing here that looks at single frames.
  [[nodiscard]] bool takes_whole(const Packet& frame) const;
  // The bytes of a frame are nothing to it: they come out as they go in.
  [[nodiscard]] bool is_plain() const { return plain_.is_it; }
  void poll(Instant now);  // a queue's turn
  [[nodiscard]] bool is_waiting() const { return queued_ != nullptr && !queued_->is_empty(); }
  void change(Instant now, const LinkChange& change);
  // `change` will come: its effects are there from now on, and do nothing.
  void prepare(const LinkChange& change);
  void cut(Instant now);
  void heal() { is_up_ = true; }
  [[nodiscard]] bool is_up() const { return is_up_; }
  [[nodiscard]] const LinkQuality& quality() const { return quality_; }
  [[nodiscard]] DirectionCounters counters() const {
    return {traffic.packets, traffic.bytes, drops_};
  }
  void count_lost_on_the_way() { drops_.count(DropReason::link_down); }

 private:
  struct Link {
    Stage stage;
    std::unique_ptr<Effect> effect;
  };
  void carry(Instant at, Packet frame) override { owner_.on_carried(*this, at, std::move(frame)); }
  void drop(Instant at, Packet frame, DropReason reason) override;
  // direction_chain.cc: makes what `quality` asks for and sets all that is there to it.
  void build(const LinkQuality& quality);
  void build_losses(const LinkQuality& quality);
  void build_fates(const Impairments& more);
  void build_delays(const LinkQuality& quality);
  // direction_queue.cc
  void build_queue(Instant now, const LinkQuality& quality);
  void build_tail(const LinkQuality& quality);
  [[nodiscard]] std::unique_ptr<Queue> make_queue(const LinkQuality& quality) const;
  [[nodiscard]] std::unique_ptr<Pace> make_pace(const LinkQuality& quality, Instant free_at) const;
  void tell_deadline();
  // The effect of this stage, made if it is wanted and not there; null if it is neither.
  template <typename Made, typename Make>
  Made* at(Stage stage, bool is_wanted, Make make) {
    const auto found = std::ranges::find(chain_, stage, &Link::stage);
    if (found != chain_.end()) return static_cast<Made*>(found->effect.get());
    if (!is_wanted) return nullptr;
    auto effect = make();
    Made* made = effect.get();
    insert(stage, std::move(effect));
    return made;
  }
  void insert(Stage stage, std::unique_ptr<Effect> effect);
  void remove(Stage stage);
  void relink();

  Owner& owner_;
  Seed dice_;
  LinkQuality quality_;
  std::vector<Link> chain_;  // in the order of their stages
  Wire* first_ = this;
  // A chain of these alone needs no walk: what most links have.
  struct Plain {
    bool is_it = true;
    DropTail* tail = nullptr;
    Rate* rate = nullptr;
    Delay* delay = nullptr;
  };
  Plain plain_;
  Queued* queued_ = nullptr;  // of the chain: the queue, if it must be asked
  std::vector<DropRule> drops_built_;
  LinkQuality queued_for_;               // what it was made for
  Instant deadline_ = Instant::never();  // as told
  bool is_up_ = true;
  DropBook drops_;
};

}  // namespace lanyard::lab
