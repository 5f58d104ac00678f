// SPDX-License-Identifier: Apache-2.0
// What the verbs that look into a run share: the run with everything found in it, and names on the
// command line turned into numbers. What is wrong is said on standard error.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/why/walk.hh"

namespace lanyard::cli {

struct LookedAt {
  explicit LookedAt(lab::RunFile of) : run(std::move(of)), index(run) {}
  lab::RunFile run;
  lab::why::Index index;
};
[[nodiscard]] std::unique_ptr<LookedAt> look_at(const std::string& path);

// "alice:34761-bob:80", by names or addresses, or its number in `lanyard conversations`.
[[nodiscard]] std::optional<std::size_t> flow_named(const LookedAt& at, std::string_view name);
[[nodiscard]] std::optional<std::uint32_t> node_named(const LookedAt& at, std::string_view name);
// "1.5s", "200ms" since the lab began.
[[nodiscard]] std::optional<Instant> instant_named(std::string_view option, std::string_view text);

}  // namespace lanyard::cli
