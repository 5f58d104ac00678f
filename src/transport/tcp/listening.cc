// SPDX-License-Identifier: Apache-2.0
#include "transport/tcp/listening.hh"

#include "transport/tcp/numbers.hh"

namespace lanyard::tcp {

namespace {

// How exactly a listener asks for such a SYN; -1: not at all.
int match(const Listener& listener, const Segment& segment) {
  const IpAddress& to = segment.local.address;
  const transport::BindRequest& bound = listener.bound;
  int score = bound.local.address.family() == to.family() ? 1 : 0;
  if (bound.local.address.is_unspecified()) {
    if (score == 0 && (bound.local.address.is_v4() || bound.v6_only)) return -1;
  } else {
    if (bound.local.address != to) return -1;
    score += 2;
  }
  if (bound.interface == 0) return score;
  return bound.interface == segment.datagram->interface ? score + 2 : -1;
}

}  // namespace

void Listening::remove(Listener& listener) {
  auto& bucket = by_port_[listener.bound.local.port];
  std::erase(bucket, &listener);
  if (bucket.empty()) by_port_.erase(listener.bound.local.port);
}

Listener* Listening::find(const Segment& segment) const {
  const auto bucket = by_port_.find(segment.local.port);
  if (bucket == by_port_.end()) return nullptr;
  int best = -1;
  std::size_t equals = 0;
  Listener* first = nullptr;
  for (Listener* const listener : bucket->second) {
    const int score = match(*listener, segment);
    if (score < 0 || score < best) continue;
    if (score > best) equals = 0;
    if (equals++ == 0) first = listener;
    best = score;
  }
  if (equals < 2) return first;
  std::size_t chosen = hash_of(balance_key_, segment.local, segment.remote) % equals;
  auto one = bucket->second.begin();
  while (match(**one, segment) != best || chosen-- > 0) ++one;
  return *one;
}

}  // namespace lanyard::tcp
