// SPDX-License-Identifier: Apache-2.0
// The command line of `lanyard hunt`.
#include "cli/options_parts.hh"

namespace lanyard::cli {
namespace {

void declare_hunt(CLI::App& app, Filled& f) {
  app.add_option("LAB", f.hunt.lab, "The lab file (YAML)")->required();
  app.add_option("-o,--output", f.hunt.output, "Where the lab that shows a find is written")
      ->type_name("FILE");
  app.add_option("--budget", f.hunt.budget, "How long to look (default: 60s)")->type_name("TIME");
  app.add_option("--runs", f.hunt.runs, "How many runs to make at most")
      ->type_name("N")
      ->check(whole_number())
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000'000}));
  app.add_option("--seed", f.hunt.seed, "Another seed looks elsewhere (default: 1)")
      ->type_name("N")
      ->check(whole_number());
  app.add_option("--faults", f.hunt.faults, "Only these kinds: cut, loss, delay ...")
      ->type_name("KIND")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--jobs", f.hunt.jobs, "Threads (default: one for each core)")
      ->type_name("N")
      ->check(CLI::Range(1, 1024));
  app.add_option("--resume", f.hunt.state, "Go on where this file says; it is written at the end")
      ->type_name("STATE");
  app.add_flag("--json", f.hunt.json, "The outcome as one JSON object");
}

constexpr auto verbs = std::to_array<VerbEntry>({
    {"hunt", "Search for faults that make a lab's checks fail",
     "  lanyard hunt lab.yaml                          # for a minute, on all cores\n"
     "  lanyard hunt lab.yaml --budget 10min -o found.yaml\n"
     "  lanyard hunt lab.yaml --runs 5000 --faults cut,loss\n"
     "  lanyard run found.yaml                         # see it fail\n"
     "\nExit status: 0 nothing was found, 1 a run fails, 2 the lab file or the command line is "
     "wrong,\n130 Ctrl-C: what was looked at is said and kept.",
     declare_hunt, [](Filled& f) { return hunt(f.hunt); }},
});

}  // namespace

std::span<const VerbEntry> hunt_verbs() {
  return verbs;
}

}  // namespace lanyard::cli
