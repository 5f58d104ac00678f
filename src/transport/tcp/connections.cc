// SPDX-License-Identifier: Apache-2.0
#include "transport/tcp/connections.hh"

#include <algorithm>

namespace lanyard::tcp {

namespace {

// How many are looked at at the end of one call at most; how many looks one that comes pays for;
// after how many calls there are some for nothing.
constexpr std::size_t looks_at_once = 8, looks_for_one = 3, looks_kept_max = 64;
constexpr std::uint32_t calls_for_a_look = 256;
// Of those that nobody has asked for again one in so many stays unfolded for a while longer, or
// those that are asked for now and then, and will be, never would.
constexpr std::uint32_t kept_one_in = 16;

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
  add_young(*made);
  return *made.release();
}

Connection* Connections::look_up(ConnectionId id) {
  Place* const place = places_.find(id);
  if (place == nullptr) return nullptr;
  Connection& c =
      place->folded() != nullptr ? unfold(*place) : static_cast<Connection&>(*place->node());
  note_use(c);
  return latest_ = &c;
}

Node* Connections::look_up(const Endpoint& local, const Endpoint& remote) {
  Place* const found = demux_.find(local, remote);
  if (found == nullptr) return nullptr;
  Node* const node = found->folded() != nullptr ? &unfold(*found) : found->node();
  if (node->is_time_wait) return node;
  latest_ = static_cast<Connection*>(node);
  note_use(*latest_);
  return latest_;
}

void Connections::remove(ConnectionId id) {
  Connection* const c = find(id);
  if (c == nullptr) return;
  end(*c);
  places_.remove(id);
}

Connection& Connections::unfold(Place& place) {
  Folded* const folded = place.folded();
  auto made = std::make_unique<Connection>();
  Used& used = used_[folded->unfold(*made)];
  made->settings = --used.count == 0 ? std::move(used.settings) : used.settings;
  place = Place(*made);
  Folded::Free()(folded);
  add_young(*made);
  return *made.release();
}

std::vector<Connection*> Connections::unfolded() const {
  std::vector<Connection*> all;
  places_.for_each([&](const Place& place) {
    if (Node* const node = place.node()) all.push_back(static_cast<Connection*>(node));
  });
  return all;
}

void Connections::Young::add(Connection& c) {
  c.is_young = true;
  c.awake_at = first_number_ + static_cast<std::uint32_t>(all_.size());
  all_.push_back(&c);
  ++size_;
}

Connection* Connections::Young::take_first() {
  Connection* const c = all_[first_++];
  if (c != nullptr) {
    c->is_young = false;
    --size_;
  }
  if (first_ > young_max && first_ * 2 > all_.size()) {
    all_.erase(all_.begin(), all_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_number_ += static_cast<std::uint32_t>(first_);
    first_ = 0;
  }
  return c;
}

void Connections::add_old(Connection& c) {
  c.awake_at = static_cast<std::uint32_t>(old_.size());
  old_.push_back(&c);
}

// The last of the old takes its place among them.
void Connections::end(Connection& c) {
  if (latest_ == &c) latest_ = nullptr;
  if (c.is_young) {
    young_.forget(c);
  } else {
    old_[c.awake_at] = old_.back();
    old_[c.awake_at]->awake_at = c.awake_at;
    old_.pop_back();
  }
  delete &c;
}

void Connections::add_young(Connection& c) {
  looks_ = std::min(looks_ + looks_for_one, looks_kept_max);
  young_.add(c);
  while (young_.span() > young_max * 2) leave_young();
}

// The first of the young, which is among the old now; null if it has ended.
Connection* Connections::leave_young() {
  Connection* const c = young_.take_first();
  if (c != nullptr) add_old(*c);
  return c;
}

// Whoever comes to those that are unfolded pays for a few looks at the old, and one that is found
// for more: where all are busy, looking would be for nothing.
void Connections::fold_some() {
  const std::size_t most = config_.unfolded_connections_max;
  const std::size_t most_young = std::min(young_max, most / 2);
  if (most < young_max || ++calls_ % calls_for_a_look == 0)
    looks_ = std::max(looks_, looks_at_once);
  for (std::size_t look = 0; look < looks_at_once && awake() > most; ++look) {
    if (young_.size() > most_young) {
      Connection* const c = leave_young();
      if (c != nullptr && ++left_ % kept_one_in != 0) static_cast<void>(try_fold(*c));
    } else if (looks_ > 0) {
      --looks_;
      look_at_old();
    }
  }
}

// Among the old the hand goes round; who was looked for since it last came by gets another turn.
void Connections::look_at_old() {
  if (hand_ >= old_.size()) hand_ = 0;
  if (try_fold(*old_[hand_])) {
    looks_ += looks_for_one;
  } else {
    ++hand_;
  }
}

// Whether it is no longer one of those that are awake.
bool Connections::try_fold(Connection& c) {
  const bool was_recent = c.is_recent;
  c.is_recent = false;
  if (was_recent || !Folded::may_fold(c)) return false;
  const std::size_t settings = place_for(c.settings);
  if (settings == used_max) return false;
  if (settings == used_.size()) used_.emplace_back();
  used_[settings].settings = c.settings;
  ++used_[settings].count;
  Place& place = place_of(c);
  place = Place(*Folded::fold(c, static_cast<std::uint32_t>(settings)).release());
  end(c);
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
  static_cast<void>(copy.rare.release());
}

}  // namespace lanyard::tcp
