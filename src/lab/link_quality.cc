// SPDX-License-Identifier: Apache-2.0
#include "lab/link_quality.hh"

#include "lab/link_change.hh"

namespace lanyard::lab {

const Impairments& LinkQuality::more() const {
  static const Impairments none;
  return more_ == nullptr ? none : *more_;
}

void LinkQuality::set_more(Impairments more) {
  if (more == Impairments{})
    more_.reset();
  else
    more_ = std::make_shared<const Impairments>(std::move(more));
}

bool LinkChange::is_empty() const {
  return *this == LinkChange{};
}

namespace {

// What only links with impairments have.
void apply_more(const LinkChange& change, Impairments& more) {
  if (change.rate_bits_per_second) more.trace.clear();
  if (change.queue_bytes) more.queue = {};
  if (change.loss_parts_per_billion) more.loss = {};
  if (change.jitter) more.jitter = *change.jitter;
  if (change.loss_model) more.loss = *change.loss_model;
  if (change.drops) more.drops = *change.drops;
  if (change.duplicate) more.duplicate = *change.duplicate;
  if (change.corrupt) more.corrupt = *change.corrupt;
  if (change.truncate) more.truncate = *change.truncate;
  if (change.reorder) more.reorder = *change.reorder;
  if (change.queue) more.queue = *change.queue;
  if (change.bucket) more.bucket = *change.bucket;
  if (change.trace) more.trace = *change.trace;
  if (change.black_hole) more.black_hole = *change.black_hole;
}

}  // namespace

// A rate and a trace, a plain share and a model of loss, replace one another.
void apply(const LinkChange& change, LinkQuality& quality) {
  Impairments more = quality.more();
  apply_more(change, more);
  if (change.trace) quality.rate_bits_per_second = 0;
  if (change.loss_model) quality.loss_parts_per_billion = 0;
  if (change.delay) quality.delay = *change.delay;
  if (change.rate_bits_per_second) quality.rate_bits_per_second = *change.rate_bits_per_second;
  if (change.queue_bytes) quality.queue_bytes = *change.queue_bytes;
  if (change.loss_parts_per_billion)
    quality.loss_parts_per_billion = *change.loss_parts_per_billion;
  if (more != quality.more()) quality.set_more(std::move(more));
}

LinkChange change_to(const LinkQuality& quality) {
  const LinkQuality plain;
  const Impairments& more = quality.more();
  LinkChange change;
  const auto put = [](auto& into, const auto& value, const auto& usual) {
    if (value != usual) into = value;
  };
  put(change.delay, quality.delay, plain.delay);
  put(change.rate_bits_per_second, quality.rate_bits_per_second, plain.rate_bits_per_second);
  put(change.queue_bytes, quality.queue_bytes, plain.queue_bytes);
  put(change.loss_parts_per_billion, quality.loss_parts_per_billion, Share{0});
  put(change.jitter, more.jitter, Jitter{});
  put(change.loss_model, more.loss, LossModel{});
  put(change.drops, more.drops, std::vector<DropRule>{});
  put(change.duplicate, more.duplicate, Fate{});
  put(change.corrupt, more.corrupt, Fate{});
  put(change.truncate, more.truncate, Truncation{});
  put(change.reorder, more.reorder, Reordering{});
  put(change.queue, more.queue, QueueSpec{});
  put(change.bucket, more.bucket, TokenBucketSpec{});
  put(change.trace, more.trace, std::string());
  put(change.black_hole, more.black_hole, std::uint32_t{0});
  if (change.queue) change.queue_bytes.reset();
  return change;
}

}  // namespace lanyard::lab
