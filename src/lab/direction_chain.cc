// SPDX-License-Identifier: Apache-2.0
// A direction's chain, made from its description. An effect that was asked for once stays, so that
// its dice go on; what is not asked for now does nothing.
#include "lab/direction.hh"
#include "lab/effect/black_hole.hh"
#include "lab/effect/correlated_loss.hh"
#include "lab/effect/corrupt.hh"
#include "lab/effect/delay.hh"
#include "lab/effect/duplicate.hh"
#include "lab/effect/exact_drop.hh"
#include "lab/effect/four_state.hh"
#include "lab/effect/gilbert_elliott.hh"
#include "lab/effect/jitter.hh"
#include "lab/effect/loss.hh"
#include "lab/effect/reorder.hh"
#include "lab/effect/truncate.hh"

namespace lanyard::lab {

void Direction::insert(Stage stage, std::unique_ptr<Effect> effect) {
  const auto place = std::ranges::upper_bound(chain_, stage, {}, &Link::stage);
  chain_.insert(place, {stage, std::move(effect)});
  relink();
}

void Direction::remove(Stage stage) {
  std::erase_if(chain_, [&](const Link& link) { return link.stage == stage; });
  relink();
}

void Direction::relink() {
  Wire* next = this;
  for (std::size_t i = chain_.size(); i-- > 0;) {
    chain_[i].effect->set_next(*next);
    next = chain_[i].effect.get();
  }
  first_ = next;
  plain_ = {.is_it = queued_ == nullptr};
  for (const Link& link : chain_) {
    Effect* effect = link.effect.get();
    if (link.stage == Stage::queue)
      plain_.tail = dynamic_cast<DropTail*>(effect);
    else if (link.stage == Stage::rate)
      plain_.rate = static_cast<Rate*>(effect);
    else if (link.stage == Stage::delay)
      plain_.delay = static_cast<Delay*>(effect);
    else
      plain_.is_it = false;
    if (link.stage == Stage::queue && plain_.tail == nullptr) plain_.is_it = false;
  }
}

void Direction::build(const LinkQuality& quality) {
  const Impairments& more = quality.more();
  Wire& far = *this;
  auto* hole = at<BlackHole>(Stage::black_hole, more.black_hole != 0,
                             [&] { return std::make_unique<BlackHole>(far); });
  if (hole != nullptr) hole->set(more.black_hole);
  auto* exact = at<ExactDrop>(Stage::exact, !more.drops.empty(),
                              [&] { return std::make_unique<ExactDrop>(far); });
  if (exact != nullptr && more.drops != drops_built_) {
    std::vector<ExactDrop::Rule> rules;
    for (const DropRule& rule : more.drops)
      rules.push_back({rule.first, rule.last, rule.every,
                       PacketMatcher(rule.match.kind, owner_.prefixes_of(rule.match.from),
                                     owner_.prefixes_of(rule.match.to))});
    exact->set(std::move(rules));
    drops_built_ = more.drops;
  }
  build_losses(quality);
  build_fates(more);
  build_delays(quality);
}

void Direction::build_losses(const LinkQuality& quality) {
  using Kind = LossModel::Kind;
  const LossModel& model = quality.more().loss;
  Wire& far = *this;
  auto* loss = at<Loss>(Stage::loss, quality.loss_parts_per_billion != 0, [&] {
    return std::make_unique<Loss>(quality.loss_parts_per_billion, dice_.stream(), far);
  });
  if (loss != nullptr) loss->set(quality.loss_parts_per_billion);
  auto* correlated = at<CorrelatedLoss>(Stage::correlated, model.kind == Kind::correlated, [&] {
    return std::make_unique<CorrelatedLoss>(dice_.branch("correlated loss").stream(), far);
  });
  if (correlated != nullptr) correlated->set(model.kind == Kind::correlated ? model.fate : Fate{});
  auto* gilbert = at<GilbertElliott>(Stage::gilbert, model.kind == Kind::gilbert_elliott, [&] {
    return std::make_unique<GilbertElliott>(dice_.branch("gilbert elliott").stream(), far);
  });
  if (gilbert != nullptr)
    gilbert->set(model.kind == Kind::gilbert_elliott ? model : LossModel{.bad = 0});
  auto* states = at<FourState>(Stage::four_state, model.kind == Kind::four_state, [&] {
    return std::make_unique<FourState>(dice_.branch("four states").stream(), far);
  });
  if (states != nullptr)
    states->set(model.kind == Kind::four_state ? model : LossModel{.p31 = whole_share, .p23 = 0});
}

void Direction::build_fates(const Impairments& more) {
  Wire& far = *this;
  auto* duplicate = at<Duplicate>(Stage::duplicate, more.duplicate.share != 0, [&] {
    return std::make_unique<Duplicate>(dice_.branch("duplicate").stream(), far);
  });
  if (duplicate != nullptr) duplicate->set(more.duplicate);
  auto* corrupt = at<Corrupt>(Stage::corrupt, more.corrupt.share != 0, [&] {
    return std::make_unique<Corrupt>(dice_.branch("corrupt").stream(), far);
  });
  if (corrupt != nullptr) corrupt->set(more.corrupt);
  auto* truncate = at<Truncate>(Stage::truncate, more.truncate.fate.share != 0, [&] {
    return std::make_unique<Truncate>(dice_.branch("truncate").stream(), far);
  });
  if (truncate != nullptr) truncate->set(more.truncate);
}

void Direction::build_delays(const LinkQuality& quality) {
  const Impairments& more = quality.more();
  Wire& far = *this;
  auto* reorder = at<Reorder>(Stage::reorder, more.reorder.fate.share != 0, [&] {
    return std::make_unique<Reorder>(dice_.branch("reorder").stream(), far, far);
  });
  if (reorder != nullptr) reorder->set(more.reorder);
  auto* delay = at<Delay>(Stage::delay, quality.delay != Duration::zero(),
                          [&] { return std::make_unique<Delay>(quality.delay, far); });
  if (delay != nullptr) delay->set(quality.delay);
  auto* jitter = at<JitterEffect>(Stage::jitter, more.jitter.amount != Duration::zero(), [&] {
    return std::make_unique<JitterEffect>(dice_.branch("jitter").stream(),
                                          std::span<const std::int64_t>(), far);
  });
  if (jitter == nullptr) return;
  jitter->set(more.jitter, quality.delay);
  if (more.jitter.shape == Jitter::Shape::table)
    jitter->set_table(owner_.numbers_of(more.jitter.table));
}

}  // namespace lanyard::lab
