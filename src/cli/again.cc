// SPDX-License-Identifier: Apache-2.0
#include "cli/again.hh"

#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/facts.hh"
#include "cli/text.hh"
#include "cli/world_runner.hh"
#include "lab/replay/player.hh"

namespace lanyard::cli {
namespace {

using What = lab::RunDifference::What;

std::string frame_text(const lab::RunFile& run, std::size_t index) {
  const lab::RunPacket& packet = run.packets[index];
  const Facts facts = facts_of(run.frame(packet));
  std::string text =
      fmt::format("{} s  {} {} {} {}", seconds(packet.at), run.port_name(packet.port),
                  packet.is_sent ? "sends" : "receives", bytes_text(packet.size), facts.title);
  if (!facts.detail.empty()) text += ": " + facts.detail;
  if (!packet.comment.empty()) text += fmt::format(" ({})", printable(packet.comment));
  return text;
}

std::string event_text(const lab::RunFile& run, std::size_t index) {
  const Event& event = run.events[index].event;
  const EventKindInfo& info = info_of(event.kind);
  std::string text =
      fmt::format("{} s  {} {}", seconds(event.at), run.nodes[event.node].name, info.name);
  for (std::size_t i = 0; i < info.columns.size() && !info.columns[i].empty(); ++i)
    text += fmt::format(" {}={}", info.columns[i], event.values[i]);
  if (!event.text.empty()) text += fmt::format(" \"{}\"", printable(event.text.substr(0, 80)));
  return text;
}

std::string input_text(const lab::RunFile& run, std::size_t index) {
  lab::InputReader reader(run);
  for (auto input = reader.next(); input && *input; input = reader.next())
    if (index-- == 0)
      return fmt::format("{} s  {}", seconds((*input)->at), printable(lab::text_of(**input, run)));
  return "is not there";
}

// What one of the two has at the place of the difference.
std::string side_text(const lab::RunFile& run, const lab::RunDifference& difference,
                      bool is_there) {
  if (!is_there) return "has nothing more";
  switch (difference.what) {
    case What::lab:
      return fmt::format("{}, seed {}, {} time", printable(run.lab_name), run.seed,
                         run.is_virtual ? "virtual" : "real");
    case What::program:
      return fmt::format("{}: {}", printable(run.programs[difference.index].name),
                         printable(run.programs[difference.index].command));
    case What::frame:
      return frame_text(run, difference.index);
    case What::event:
      return event_text(run, difference.index);
    case What::input:
      return input_text(run, difference.index);
    case What::verdict:
      return fmt::format("{} ({})", printable(run.verdicts[difference.index].text),
                         printable(run.verdicts[difference.index].happened));
    case What::layout:
      return bytes_text(run.bytes.size());
  }
  return {};
}

std::string_view name_of(What what) {
  switch (what) {
    case What::lab:
      return "lab";
    case What::program:
      return "program";
    case What::frame:
      return "frame";
    case What::event:
      return "event";
    case What::input:
      return "input";
    case What::verdict:
      return "verdict";
    case What::layout:
      return "layout";
  }
  return "";
}

// "frame 17 at alice, 1.020143 s: its bytes differ from byte 42 on".
std::string heading(const lab::RunFile& first, const lab::RunDifference& difference) {
  if (difference.what == What::layout)
    return fmt::format("the files differ from byte {} on, what they say does not",
                       difference.offset);
  if (difference.what == What::lab) return fmt::format("the {} differs", difference.detail);
  std::string text = fmt::format("{} {}", name_of(difference.what), difference.index + 1);
  if (difference.what == What::frame || difference.what == What::event)
    text += fmt::format(" at {}, {} s", first.nodes[difference.node].name, seconds(difference.at));
  if (difference.what == What::input) text += fmt::format(" at {} s", seconds(difference.at));
  if (!difference.is_in_first || !difference.is_in_second)
    return text + ": only one of the two has it";
  if (difference.detail == "bytes")
    return text + fmt::format(": bytes differ from byte {} of the frame on", difference.offset);
  return text + fmt::format(": another {}", difference.detail.empty() ? "one" : difference.detail);
}

}  // namespace

std::optional<std::string> run_again(const LoadedLab& lab, const AgainOptions& options,
                                     Progress& progress) {
  auto runner = WorldRunner::make(lab, {.run_file = options.path, .virtual_end = options.ends_at});
  if (!runner.has_value()) return runner.error();
  const int signal = (*runner)->run(progress);
  if (const std::string problem = (*runner)->recorder_problem(); !problem.empty()) return problem;
  if (signal != 0) return "interrupted";
  return std::nullopt;
}

std::optional<std::string> play_again(const lab::RunFile& run, const LoadedLab& lab,
                                      const std::string& path, Progress& progress) {
  auto recorder = lab::Recorder::open({path, false, run.epoch_ns});
  if (!recorder.has_value()) return recorder.error();
  lab::Player player(run);
  lab::WorldOptions options = player.options_of_world();
  options.recorder = recorder->get();
  {
    lab::World world(lab.model, lab.plan, std::move(options));
    player.play(world, [&progress](Instant now) {
      if (progress.is_due()) progress.show(fmt::format("replayed to {} s", seconds(now)));
    });
  }
  progress.clear();
  const std::string problem = (*recorder)->problem();
  return problem.empty() ? std::nullopt : std::optional(problem);
}

std::string difference_text(const lab::RunFile& first, const lab::RunFile& second,
                            const lab::RunDifference& difference) {
  return fmt::format("first difference: {}\n  first:  {}\n  second: {}\n",
                     heading(first, difference),
                     side_text(first, difference, difference.is_in_first),
                     side_text(second, difference, difference.is_in_second));
}

nlohmann::json difference_json(const lab::RunFile& first, const lab::RunFile& second,
                               const lab::RunDifference& difference) {
  nlohmann::json json{{"what", name_of(difference.what)},
                      {"number", difference.index + 1},
                      {"differs", difference.detail},
                      {"offset", difference.offset},
                      {"first", side_text(first, difference, difference.is_in_first)},
                      {"second", side_text(second, difference, difference.is_in_second)}};
  if (difference.what == What::frame || difference.what == What::event)
    json["node"] = first.nodes[difference.node].name;
  if (json.contains("node") || difference.what == What::input)
    json["time_ns"] = difference.at.count_ns();
  return json;
}

std::optional<lab::RunFile> open_run(const std::string& path, bool may_be_cut_short) {
  auto run = lab::read_run_file(path);
  lab::RunFileProblem problem;
  if (!run.has_value()) {
    problem = run.error();
  } else if (may_be_cut_short && run->is_cut_short) {
    fmt::print(stderr,
               "lanyard: {}: the end of the run is missing; this is what there is up to {} s\n",
               printable(path), seconds(run->ended_at));
    return std::move(*run);
  } else if (run->damage.has_value()) {
    problem = *run->damage;
  } else if (!run->is_whole) {
    problem = {run->bytes.size(), "the run was cut off: its end was not written"};
  } else {
    return std::move(*run);
  }
  fmt::print(stderr, "lanyard: {}: offset {}: {}\n", printable(path), problem.offset,
             printable(problem.what));
  return std::nullopt;
}

}  // namespace lanyard::cli
