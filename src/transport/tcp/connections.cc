// SPDX-License-Identifier: Apache-2.0
#include "transport/tcp/connections.hh"

#include <algorithm>

namespace lanyard::tcp {

namespace {

// How many are looked at in one call: enough to keep up with what a call unfolds.
constexpr int looks_max = 8;

}  // namespace

Connections::~Connections() {
  places_.for_each([](Place& place) {
    if (Folded* const folded = place.folded()) {
      Connection last;  // and with it what it owns
      folded->unfold(last);
      Folded::Free()(folded);
    } else {
      delete static_cast<Connection*>(place.node());
    }
  });
}

Connection& Connections::add() {
  auto made = std::make_unique<Connection>();
  places_.add([&](Place& place, ConnectionId id) {
    made->id = id;
    place = Place(*made);
  });
  awake_.push_back(made->id);
  return *made.release();
}

Connection* Connections::find(ConnectionId id) {
  Place* const place = places_.find(id);
  if (place == nullptr) return nullptr;
  Connection& c =
      place->folded() != nullptr ? unfold(*place) : static_cast<Connection&>(*place->node());
  c.is_recent = true;
  return &c;
}

Node* Connections::find(const Endpoint& local, const Endpoint& remote) {
  const Place found = demux_.find(local, remote);
  if (const Folded* const folded = found.folded()) return &unfold(*places_.at(folded->index()));
  Node* const node = found.node();
  if (node != nullptr && !node->is_time_wait) static_cast<Connection*>(node)->is_recent = true;
  return node;
}

void Connections::remove(ConnectionId id) {
  const Connection* const c = find(id);
  if (c == nullptr) return;
  delete c;
  places_.remove(id);
  ++gone_;
  if (gone_ < 64 || gone_ * 2 < awake_.size()) return;
  std::erase_if(awake_, [&](ConnectionId one) { return places_.find(one) == nullptr; });
  gone_ = 0;
}

Connection& Connections::unfold(Place& place) {
  Folded* const folded = place.folded();
  auto made = std::make_unique<Connection>();
  Used& used = used_[folded->unfold(*made)];
  made->settings = --used.count == 0 ? std::move(used.settings) : used.settings;
  made->is_recent = true;
  demux_.replace(place, Place(*made));
  place = Place(*made);
  Folded::Free()(folded);
  awake_.push_back(made->id);
  return *made.release();
}

// The hand goes round; who was looked for since it last came by gets another turn.
void Connections::fold_some() {
  for (int look = 0; look < looks_max && awake_.size() > config_.unfolded_connections_max; ++look) {
    if (hand_ >= awake_.size()) hand_ = 0;
    if (!try_fold(awake_[hand_])) {
      ++hand_;
      continue;
    }
    awake_[hand_] = awake_.back();
    awake_.pop_back();
  }
}

// Whether it is no longer one of those that are awake.
bool Connections::try_fold(ConnectionId id) {
  Place* const place = places_.find(id);
  if (place == nullptr) {
    --gone_;
    return true;
  }
  auto& c = static_cast<Connection&>(*place->node());
  const bool was_recent = c.is_recent;
  c.is_recent = false;
  if (was_recent || !Folded::may_fold(c)) return false;
  const std::size_t settings = place_for(c.settings);
  if (settings == used_max) return false;
  if (settings == used_.size()) used_.emplace_back();
  used_[settings].settings = c.settings;
  ++used_[settings].count;
  const Place folded(*Folded::fold(c, static_cast<std::uint32_t>(settings)).release());
  demux_.replace(*place, folded);
  *place = folded;
  delete &c;
  return true;
}

std::size_t Connections::place_for(const std::shared_ptr<const Settings>& settings) const {
  auto place = std::ranges::find(used_, settings, &Used::settings);
  if (place == used_.end()) place = std::ranges::find(used_, nullptr, &Used::settings);
  return static_cast<std::size_t>(place - used_.begin());
}

void Connections::lend(const Folded& folded, Connection& copy) const {
  copy.settings = used_[folded.unfold(copy)].settings;
}

void Connections::take_back(Connection& copy) {
  static_cast<void>(copy.congestion.release());
  static_cast<void>(copy.recovery.release());
  static_cast<void>(copy.rare.release());
}

}  // namespace lanyard::tcp
