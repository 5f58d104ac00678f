// SPDX-License-Identifier: Apache-2.0
// The pages of `lanyard show`, as text and as JSON. `run` prints them too.
#pragma once

#include <cstdint>
#include <expected>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <variant>

#include "cli/capture.hh"
#include "cli/story.hh"
#include "cli/text.hh"
#include "cli/verbs.hh"
#include "lab/run_file.hh"

namespace lanyard::cli {

// A run of ours, or a capture made elsewhere.
using Shown = std::variant<lab::RunFile, Capture>;

// How many lifelines fit beside one another.
[[nodiscard]] std::size_t lifelines_that_fit(const Paper& paper);

// The sequence diagram with its heading and what was left out; `limit` 0: all lines.
[[nodiscard]] std::string diagram_page(const Tale& tale, const StoryOptions& options,
                                       std::uint64_t limit, const Paper& paper);
[[nodiscard]] nlohmann::json diagram_json(const Tale& tale, const StoryOptions& options,
                                          std::uint64_t limit);

// One frame: where and when it was seen, its layers with every field, its bytes.
[[nodiscard]] std::string packet_page(const Shown& shown, std::size_t index, const Paper& paper);
[[nodiscard]] nlohmann::json packet_json(const Shown& shown, std::size_t index);

// The journey of the packet that frame `index` belongs to.
[[nodiscard]] std::string journey_page(const lab::RunFile& run, std::size_t index,
                                       const Paper& paper);
[[nodiscard]] nlohmann::json journey_json(const lab::RunFile& run, std::size_t index);

// The frame whose journey says most about a run: the first that carries an application's data the
// farthest. Nothing if the run has no frames.
[[nodiscard]] std::optional<std::size_t> telling_frame(const lab::RunFile& run);

}  // namespace lanyard::cli
