// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "cli/options_parts.hh"

namespace lanyard::cli {
namespace {

void declare_replay(CLI::App& app, Filled& f) {
  app.add_option("RUN", f.replay.run, "A run file")->required();
  app.add_option("-o,--output", f.replay.output, "Keep the replay's run file here")
      ->type_name("FILE");
  app.add_flag("--json", f.replay.json, "The outcome as one JSON object");
}

constexpr auto verbs = std::to_array<VerbEntry>({
    {"replay", "Make a run again from its run file alone, and compare",
     "  lanyard replay first-lab.pcapng\n"
     "  lanyard replay first-lab.pcapng -o again.pcapng\n"
     "\nExit status: 0 the same bits, 1 they differ, 2 the file is damaged or not a run.",
     declare_replay, [](Filled& f) { return replay(f.replay); }},
});

}  // namespace

std::span<const VerbEntry> run_file_verbs() {
  return verbs;
}

}  // namespace lanyard::cli
