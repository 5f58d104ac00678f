// SPDX-License-Identifier: Apache-2.0
#include "lab/why/link_time.hh"

#include <algorithm>

#include "lab/lab_file.hh"

namespace lanyard::lab::why {

LinkTimes::LinkTimes(const RunFile& run) {
  if (auto file = parse_lab(run.lab_text, run.lab_file)) model_ = std::move(file->model);
}

// As it was when the frame was sent.
std::optional<LinkQuality> LinkTimes::quality(const RunFile& run, const RunPacket& sent) const {
  const RunPort& port = run.ports[sent.port];
  if (!model_ || port.link >= model_->links.size()) return std::nullopt;
  const LinkSpec& link = model_->links[port.link];
  const bool is_from_a = link.a.node == port.node;
  LinkQuality quality = is_from_a ? link.a_to_b : link.b_to_a;
  for (const Action& action : model_->timeline) {
    const bool is_this = action.kind == Action::Kind::set &&
                         action.after.kind == Trigger::Kind::none && action.link == port.link &&
                         (is_from_a ? action.a_to_b : action.b_to_a);
    if (is_this && Instant::start() + action.at <= sent.at) apply(action.change, quality);
  }
  return quality;
}

LinkTime LinkTimes::of(const RunFile& run, const RunPacket& sent, const RunPacket& received) const {
  LinkTime time{};
  Duration left = received.at - sent.at;
  const auto known = quality(run, sent);
  if (!known) {
    time.propagation = left;
    return time;
  }
  time.propagation = std::min(known->delay, left);
  left = left - time.propagation;
  if (known->rate_bits_per_second == 0) {
    time.extra = left;
    return time;
  }
  // As lab/effect/rate.hh rounds: up to the nanosecond.
  const auto bit_ns = static_cast<std::uint64_t>(sent.size) * 8 * 1'000'000'000;
  const std::uint64_t rate = known->rate_bits_per_second;
  const auto takes = Duration::nanoseconds(static_cast<std::int64_t>((bit_ns + rate - 1) / rate));
  time.transmission = std::min(takes, left);
  time.queue = left - time.transmission;
  return time;
}

}  // namespace lanyard::lab::why
