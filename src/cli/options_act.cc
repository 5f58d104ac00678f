// SPDX-License-Identifier: Apache-2.0
// The verbs that do something to a lab that is up.
#include <array>

#include "cli/options_parts.hh"

namespace lanyard::cli {
namespace {

void declare_act(CLI::App& app, Filled& f) {
  app.prefix_command();
  app.add_flag("--json", f.act.json, "What was done as JSON");
  add_lab_name(app, f.act.lab_name);
}

constexpr auto verbs = std::to_array<VerbEntry>({
    {"cut", "Cut a link of a lab that is up",
     "  lanyard cut r1 -- dc        # or, one direction: lanyard cut 'r1 -> dc'", declare_act,
     [](Filled& f) { return act(f.act); }},
    {"heal", "Heal a link or a partition, or all that is cut",
     "  lanyard heal r1 -- dc\n"
     "  lanyard heal                # everything",
     declare_act, [](Filled& f) { return act(f.act); }},
    {"set", "Change a link of a lab that is up",
     "  lanyard set r1 -- dc delay=200ms loss=5%\n"
     "  lanyard set r1 -- dc 'queue=codel' 'jitter=5ms normal'",
     declare_act, [](Filled& f) { return act(f.act); }},
    {"act", "Anything a timeline can do, to a lab that is up",
     "  lanyard act crash bob\n"
     "  lanyard act partition alice,bob -- carol",
     declare_act, [](Filled& f) { return act(f.act); }},
});

}  // namespace

std::span<const VerbEntry> act_verbs() {
  return verbs;
}

bool is_act(const std::vector<std::string>& arguments) {
  return !arguments.empty() && (arguments.front() == "cut" || arguments.front() == "heal" ||
                                arguments.front() == "set" || arguments.front() == "act");
}

std::vector<std::string> take_words(std::vector<std::string>& arguments) {
  std::vector<std::string> words, own = {arguments.front()};
  if (arguments.front() != "act") words.push_back(arguments.front());
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    const bool has_value = word == "--lab" && i + 1 < arguments.size();
    const bool is_own = has_value || word == "--json" || word == "--help" || word == "-h" ||
                        word.starts_with("--lab=");
    (is_own ? own : words).push_back(word);
    if (has_value) own.push_back(arguments[++i]);
  }
  arguments = std::move(own);
  return words;
}

}  // namespace lanyard::cli
