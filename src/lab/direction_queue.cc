// SPDX-License-Identifier: Apache-2.0
// A direction's queue and rate. A plain tail of bytes before a steady rate needs no waking: when
// each frame will be begun is known as it comes. Any other queue is asked for its next frame; once
// a direction has had one, it stays of that sort.
#include "lab/direction.hh"
#include "lab/effect/codel.hh"
#include "lab/effect/drop_tail.hh"
#include "lab/effect/fq_codel.hh"
#include "lab/effect/pie.hh"
#include "lab/effect/priority.hh"
#include "lab/effect/rate.hh"
#include "lab/effect/red.hh"
#include "lab/effect/tail_queue.hh"
#include "lab/effect/token_bucket.hh"
#include "lab/effect/trace_pace.hh"

namespace lanyard::lab {
namespace {

constexpr std::uint64_t usual_frame_bits = 8'000;

bool must_be_asked(const LinkQuality& quality) {
  const Impairments& more = quality.more();
  return more.queue.kind != QueueSpec::Kind::tail || !more.trace.empty() ||
         more.bucket.rate_bits_per_second != 0;
}

Duration time_of(std::uint64_t bits, std::uint64_t bits_per_second) {
  return Duration::nanoseconds(static_cast<std::int64_t>(bits * 1'000'000'000 / bits_per_second));
}

}  // namespace

void Direction::build_tail(const LinkQuality& quality) {
  Wire& far = *this;
  auto* rate = at<Rate>(Stage::rate, quality.rate_bits_per_second != 0,
                        [&] { return std::make_unique<Rate>(quality.rate_bits_per_second, far); });
  if (rate == nullptr) return;
  rate->set(quality.rate_bits_per_second);
  at<DropTail>(Stage::queue, true, [&] {
    return std::make_unique<DropTail>(quality.queue_bytes, *rate);
  })->set(quality.queue_bytes);
}

void Direction::build_queue(Instant now, const LinkQuality& quality) {
  if (queued_ == nullptr && !must_be_asked(quality)) return build_tail(quality);
  if (queued_ == nullptr) {
    Wire& far = *this;
    auto* rate = at<Rate>(Stage::rate, false, [] { return std::unique_ptr<Rate>(); });
    const Instant free_at = rate == nullptr ? now : rate->begins(now);
    remove(Stage::queue);
    remove(Stage::rate);
    queued_ = at<Queued>(Stage::queue, true, [&] {
      return std::make_unique<Queued>(
          make_queue(quality), make_pace(quality, free_at), [this] { owner_.on_waits(*this); },
          far);
    });
    relink();
  } else {
    const Impairments& more = quality.more();
    const Impairments& before = queued_for_.more();
    if (more.queue != before.queue || quality.queue_bytes != queued_for_.queue_bytes)
      queued_->set_queue(now, make_queue(quality));
    if (quality.rate_bits_per_second != queued_for_.rate_bits_per_second ||
        more.trace != before.trace || more.bucket != before.bucket)
      queued_->set_pace(now, make_pace(quality, now));
    tell_deadline();
  }
  queued_for_ = quality;
}

std::unique_ptr<Pace> Direction::make_pace(const LinkQuality& quality, Instant free_at) const {
  const Impairments& more = quality.more();
  std::unique_ptr<Pace> pace;
  if (more.trace.empty())
    pace = std::make_unique<SteadyPace>(quality.rate_bits_per_second, free_at);
  else
    pace = std::make_unique<TracePace>(owner_.numbers_of(more.trace));
  if (more.bucket.rate_bits_per_second != 0)
    pace = std::make_unique<TokenBucket>(more.bucket, std::move(pace));
  return pace;
}

std::unique_ptr<Queue> Direction::make_queue(const LinkQuality& quality) const {
  using Kind = QueueSpec::Kind;
  const QueueSpec& spec = quality.more().queue;
  const CodelNumbers codel{.target = spec.target, .interval = spec.interval, .marks = spec.marks};
  switch (spec.kind) {
    case Kind::tail:
      return std::make_unique<TailQueue>(quality.queue_bytes, SIZE_MAX);
    case Kind::packets:
      return std::make_unique<TailQueue>(UINT64_MAX / 2, spec.limit_packets);
    case Kind::codel:
      return std::make_unique<Codel>(codel, spec.limit_packets);
    case Kind::fq_codel:
      return std::make_unique<FqCodel>(FqCodel::Numbers{.codel = codel,
                                                        .flows = spec.flows,
                                                        .quantum = spec.quantum,
                                                        .packets_max = spec.limit_packets},
                                       dice_.branch("fq-codel").stream().key());
    case Kind::pie:
      return std::make_unique<Pie>(
          Pie::Numbers{
              .target = spec.target, .packets_max = spec.limit_packets, .marks = spec.marks},
          dice_.branch("pie").stream());
    case Kind::red: {
      Red::Numbers numbers{.min_bytes = spec.min_bytes,
                           .max_bytes = spec.max_bytes,
                           .limit_bytes = spec.limit_bytes,
                           .chance = spec.chance,
                           .frame_time = Duration::microseconds(1),
                           .marks = spec.marks};
      const Impairments& more = quality.more();
      if (more.bucket.rate_bits_per_second != 0)
        numbers.frame_time = time_of(usual_frame_bits, more.bucket.rate_bits_per_second);
      else if (quality.rate_bits_per_second != 0)
        numbers.frame_time = time_of(usual_frame_bits, quality.rate_bits_per_second);
      return std::make_unique<Red>(numbers, dice_.branch("red").stream());
    }
    case Kind::priority:
      return std::make_unique<Priority>(spec.limit_packets);
  }
  return nullptr;
}

}  // namespace lanyard::lab
