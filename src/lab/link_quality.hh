// SPDX-License-Identifier: Apache-2.0
// One direction of a link, as a lab file describes it: plain numbers for what most links have, and
// impairments beside them for those that have more. docs/links.md says what each one means.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/time.hh"
#include "lab/match.hh"

namespace lanyard::lab {

using Share = std::uint32_t;  // parts of a thousand million: 1% is 10'000'000
inline constexpr Share whole_share = 1'000'000'000;

// `jitter: 5ms normal correlation 25% in order`.
struct Jitter {
  enum class Shape : std::uint8_t { uniform, normal, pareto, paretonormal, table };
  Duration amount;  // uniform: at most so much more or less; else the deviation
  Shape shape = Shape::uniform;
  Share correlation = 0;
  bool in_order = false;  // a frame never overtakes the one before
  std::string table;      // the file with the numbers
  friend bool operator==(const Jitter&, const Jitter&) = default;
};

// What happens to some frames: `duplicate: 1%`, `corrupt: 1% correlation 25%`.
struct Fate {
  Share share = 0;
  Share correlation = 0;  // so often the fate of the frame before is repeated
  friend bool operator==(const Fate&, const Fate&) = default;
};

// `truncate: 1% to 100B`.
struct Truncation {
  Fate fate;
  std::uint32_t bytes = 0;  // what is left; 0: any number
  friend bool operator==(const Truncation&, const Truncation&) = default;
};

// `reorder: 25% gap 5`: such a frame skips the delay; only every fifth may.
struct Reordering {
  Fate fate;
  std::uint32_t gap = 1;
  friend bool operator==(const Reordering&, const Reordering&) = default;
};

// Loss that remembers. `none`: the plain share of LinkQuality, each frame by its own throw.
struct LossModel {
  enum class Kind : std::uint8_t { none, correlated, gilbert_elliott, four_state };
  Kind kind = Kind::none;
  Fate fate = {};                     // correlated
  Share p = 0, r = 0;                 // gilbert_elliott: good to bad, bad to good
  Share bad = whole_share, good = 0;  // and what is lost in each
  Share p13 = 0, p31 = 0, p32 = 0, p23 = whole_share, p14 = 0;  // four_state
  friend bool operator==(const LossModel&, const LossModel&) = default;
};

// `bucket: 1Mbit burst 10KB` (a token bucket before the link's own rate).
struct TokenBucketSpec {
  std::uint64_t rate_bits_per_second = 0;  // 0: none
  std::uint64_t burst_bytes = 0;
  friend bool operator==(const TokenBucketSpec&, const TokenBucketSpec&) = default;
};

// What waits for the link and in which order it goes. `tail`: the plain queue_bytes of LinkQuality.
struct QueueSpec {
  enum class Kind : std::uint8_t { tail, packets, codel, fq_codel, pie, red, priority };
  Kind kind = Kind::tail;
  std::uint32_t limit_packets = 0;
  std::uint64_t limit_bytes = 0;               // red
  Duration target = {}, interval = {};         // codel, fq_codel, pie
  std::uint32_t flows = 0, quantum = 0;        // fq_codel
  std::uint64_t min_bytes = 0, max_bytes = 0;  // red
  Share chance = 0;                            // red: at max
  bool marks = false;                          // ECN: marks a frame that says it can be
  friend bool operator==(const QueueSpec&, const QueueSpec&) = default;
};

// What most links have not.
struct Impairments {
  Jitter jitter;
  LossModel loss;
  Fate duplicate, corrupt;
  Truncation truncate;
  Reordering reorder;
  std::vector<DropRule> drops;
  QueueSpec queue;
  TokenBucketSpec bucket;
  std::string trace;             // the file a variable rate comes from
  std::uint32_t black_hole = 0;  // longer packets (without the Ethernet header) vanish; 0: none do
  friend bool operator==(const Impairments&, const Impairments&) = default;
};

struct LinkQuality {
  Duration delay;
  std::uint64_t rate_bits_per_second = 0;  // 0: as fast as it comes
  std::uint64_t queue_bytes =
      256 * 1024;  // waiting for a link with a rate; more is dropped at the tail
  std::uint64_t loss_parts_per_billion = 0;

  [[nodiscard]] const Impairments& more() const;
  void set_more(Impairments more);
  friend bool operator==(const LinkQuality& a, const LinkQuality& b) {
    return a.delay == b.delay && a.rate_bits_per_second == b.rate_bits_per_second &&
           a.queue_bytes == b.queue_bytes && a.loss_parts_per_billion == b.loss_parts_per_billion &&
           a.more() == b.more();
  }

 private:
  std::shared_ptr<const Impairments> more_;  // null: none; shared, since links are alike
};

}  // namespace lanyard::lab
