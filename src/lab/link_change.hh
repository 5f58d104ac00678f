// SPDX-License-Identifier: Apache-2.0
// What is to be changed of a link, and the words a lab file, a timeline and `lanyard set` say it
// with: one line of text for each key, read and written back by the same table.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lab/link_quality.hh"
#include "lab/units.hh"

namespace lanyard::lab {

// Unset: left as it is.
struct LinkChange {
  std::optional<Duration> delay;
  std::optional<std::uint64_t> rate_bits_per_second, queue_bytes, loss_parts_per_billion;
  std::optional<Jitter> jitter;
  std::optional<LossModel> loss_model;
  std::optional<std::vector<DropRule>> drops;
  std::optional<Fate> duplicate, corrupt;
  std::optional<Truncation> truncate;
  std::optional<Reordering> reorder;
  std::optional<QueueSpec> queue;  // other than a plain tail of bytes
  std::optional<TokenBucketSpec> bucket;
  std::optional<std::string> trace;
  std::optional<std::uint32_t> black_hole;
  std::optional<std::uint32_t> mtu;  // of the ports at both ends, whichever direction is meant

  [[nodiscard]] bool is_empty() const;
  friend bool operator==(const LinkChange&, const LinkChange&) = default;
};

void apply(const LinkChange& change, LinkQuality& quality);
// All that `quality` has and a link about which nothing is said has not.
[[nodiscard]] LinkChange change_to(const LinkQuality& quality);

// The keys: "delay", "jitter", "loss" ... ; `mtu` is the last.
[[nodiscard]] std::span<const std::string> link_change_keys();
// Reads one of them, as in ("loss", "1%") or ("queue", "codel target 5ms"); a key that is not in
// the list is our mistake.
[[nodiscard]] std::optional<UnitProblem> parse_link_value(std::string_view key,
                                                          std::string_view text, LinkChange& into);
// The same written back: every key that is set, in the list's order.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> link_values(
    const LinkChange& change);
// "delay 20ms, loss 1%"
[[nodiscard]] std::string text_of(const LinkChange& change);

// The parts of it with a grammar of their own (link_queue_text.cc, link_drop_text.cc).
[[nodiscard]] std::expected<QueueSpec, UnitProblem> parse_queue(std::string_view text);
[[nodiscard]] std::string text_of(const QueueSpec& queue);
[[nodiscard]] std::expected<std::vector<DropRule>, UnitProblem> parse_drops(std::string_view text);
[[nodiscard]] std::string text_of(const std::vector<DropRule>& rules);

}  // namespace lanyard::lab
