// SPDX-License-Identifier: Apache-2.0
#include "cli/look.hh"

#include <fmt/format.h>

#include <charconv>
#include <cstdio>

#include "cli/again.hh"
#include "cli/text.hh"
#include "lab/units.hh"

namespace lanyard::cli {
namespace {

bool is_end(const lab::RunFile& run, const lab::why::FlowSide& side, std::string_view text) {
  return text == lab::why::endpoint_name(run, side) || text == to_text(side.endpoint);
}

bool is_flow(const lab::RunFile& run, const lab::why::Flow& flow, std::string_view name) {
  for (std::size_t dash = name.find('-'); dash != name.npos; dash = name.find('-', dash + 1)) {
    const std::string_view a = name.substr(0, dash);
    const std::string_view b = name.substr(dash + 1);
    for (const std::size_t side : {std::size_t{0}, std::size_t{1}})
      if (is_end(run, flow.sides[side], a) && is_end(run, flow.sides[1 - side], b)) return true;
  }
  return false;
}

}  // namespace

std::unique_ptr<LookedAt> look_at(const std::string& path) {
  auto run = open_run(path, true);
  return run.has_value() ? std::make_unique<LookedAt>(std::move(*run)) : nullptr;
}

std::optional<std::size_t> flow_named(const LookedAt& at, std::string_view name) {
  const auto& flows = at.index.flows.all();
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error == std::errc() && end == name.data() + name.size() && number >= 1 &&
      number <= flows.size())
    return number - 1;
  for (std::size_t i = 0; i < flows.size(); ++i)
    if (is_flow(at.run, flows[i], name)) return i;
  fmt::print(stderr,
             "lanyard: there is no conversation '{}'; `lanyard conversations RUN` lists the {} "
             "there are\n",
             printable(name), flows.size());
  return std::nullopt;
}

std::optional<std::uint32_t> node_named(const LookedAt& at, std::string_view name) {
  for (std::uint32_t i = 0; i < at.run.nodes.size(); ++i)
    if (at.run.nodes[i].name == name) return i;
  fmt::print(stderr, "lanyard: there is no node '{}' in this run\n", printable(name));
  return std::nullopt;
}

std::optional<Instant> instant_named(std::string_view option, std::string_view text) {
  const auto duration = lab::parse_duration(text, option);
  if (duration) return Instant::start() + *duration;
  fmt::print(stderr, "lanyard: {}: {}\n", printable(duration.error().what),
             printable(duration.error().fix));
  return std::nullopt;
}

}  // namespace lanyard::cli
