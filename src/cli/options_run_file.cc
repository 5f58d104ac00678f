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

void declare_why(CLI::App& app, Filled& f) {
  app.add_option("RUN", f.why.run, "A run file")->required();
  app.add_option("WHAT", f.why.what,
                 "A program, 'http N', a conversation A:PORT-B:PORT, a packet's number");
  app.add_flag("--all", f.why.shows_all, "Every part, and what waits were spent on");
  app.add_flag("--json", f.why.json, "As JSON");
}

void declare_grep(CLI::App& app, Filled& f) {
  app.add_option("RUN", f.grep.run, "A run file")->required();
  app.add_option("PATTERN", f.grep.pattern, "A regular expression (RE2's syntax)")->required();
  app.add_option("--node", f.grep.nodes, "Only what these nodes sent, received or passed on")
      ->type_name("NAME")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--flow", f.grep.flow, "Only this conversation")->type_name("A:PORT-B:PORT");
  app.add_option("--layer", f.grep.layer, "Only TCP streams, datagrams, or programs' output")
      ->type_name("LAYER")
      ->check(CLI::IsMember({"tcp", "udp", "output"}));
  app.add_option("--from", f.grep.from, "Only from this time on: 1s, 200ms")->type_name("TIME");
  app.add_option("--to", f.grep.to, "Only up to this time")->type_name("TIME");
  app.add_flag("-i,--ignore-case", f.grep.ignores_case, "Capitals are as small letters");
  app.add_option("--limit", f.grep.limit, "At most N matches")
      ->type_name("N")
      ->check(whole_number());
  app.add_flag("--json", f.grep.json, "The matches as JSON");
}

void declare_follow(CLI::App& app, Filled& f) {
  app.add_option("RUN", f.follow.run, "A run file")->required();
  app.add_option("FLOW", f.follow.flow, "A conversation: A:PORT-B:PORT, or its number")->required();
  app.add_flag("--hex", f.follow.as_hex, "Bytes in hexadecimal");
  app.add_flag("--json", f.follow.json, "As JSON");
}

void declare_conversations(CLI::App& app, Filled& f) {
  app.add_option("RUN", f.conversations.run, "A run file")->required();
  app.add_flag("--json", f.conversations.json, "The rows as JSON");
}

void declare_graph(CLI::App& app, Filled& f) {
  app.add_option("RUN", f.graph.run, "A run file")->required();
  app.add_option("FLOW", f.graph.flow, "A conversation: A:PORT-B:PORT, or its number")->required();
  app.add_option("--sender", f.graph.sender, "Whose sending; by default who sent more")
      ->type_name("NAME");
  app.add_option("-o,--output", f.graph.output, "Draw an SVG file")->type_name("FILE");
  app.add_flag("--json", f.graph.json, "The points as JSON");
}

void declare_export(CLI::App& app, Filled& f) {
  app.add_option("RUN", f.export_run.run, "A run file")->required();
  app.add_option("FILE", f.export_run.file, "The SQLite file to make")->required();
}

constexpr auto verbs = std::to_array<VerbEntry>({
    {"replay", "Make a run again from its run file alone, and compare",
     "  lanyard replay first-lab.pcapng\n"
     "  lanyard replay first-lab.pcapng -o again.pcapng\n"
     "\nExit status: 0 the same bits, 1 they differ, 2 the file is damaged or not a run.",
     declare_replay, [](Filled& f) { return replay(f.replay); }},
    {"why", "Where the time went: the critical path of a program, request or packet",
     "  lanyard why first-lab.pcapng                      # what can be asked\n"
     "  lanyard why first-lab.pcapng alice                # a program\n"
     "  lanyard why first-lab.pcapng http 1               # the first HTTP request\n"
     "  lanyard why first-lab.pcapng alice:34761-bob:80   # a conversation\n"
     "  lanyard why first-lab.pcapng 120 --json           # a packet, by its number in `show`",
     declare_why, [](Filled& f) { return why(f.why); }},
    {"grep", "Search streams, datagrams and output by a regular expression",
     "  lanyard grep first-lab.pcapng 'HTTP/1.1 [45]..'\n"
     "  lanyard grep first-lab.pcapng -i 'set-cookie: .*' --node alice --from 1s --to 2s\n"
     "  lanyard grep first-lab.pcapng error --layer output --json\n"
     "\nExit status: 0 something was found, 1 nothing was, 2 the file or the pattern is wrong.",
     declare_grep, [](Filled& f) { return grep(f.grep); }},
    {"follow", "Both streams of a TCP conversation, as the programs got them",
     "  lanyard follow first-lab.pcapng 1\n"
     "  lanyard follow first-lab.pcapng alice:34761-bob:80 --hex",
     declare_follow, [](Filled& f) { return follow(f.follow); }},
    {"conversations", "The TCP conversations of a run", "  lanyard conversations first-lab.pcapng",
     declare_conversations, [](Filled& f) { return conversations(f.conversations); }},
    {"graph", "Bytes in flight, windows and round trips of a conversation over time",
     "  lanyard graph first-lab.pcapng 1\n"
     "  lanyard graph first-lab.pcapng alice:34761-bob:80 --sender bob -o flow.svg",
     declare_graph, [](Filled& f) { return graph(f.graph); }},
    {"export", "A run as tables of an SQLite file",
     "  lanyard export first-lab.pcapng first-lab.sqlite\n"
     "  sqlite3 first-lab.sqlite 'SELECT dropped, count(*) FROM packets GROUP BY 1'",
     declare_export, [](Filled& f) { return export_run(f.export_run); }},
});

}  // namespace

std::span<const VerbEntry> run_file_verbs() {
  return verbs;
}

}  // namespace lanyard::cli
