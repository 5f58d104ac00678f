// SPDX-License-Identifier: Apache-2.0
#include "cli/options.hh"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <memory>

#include "application/programs.hh"
#include "cli/options_parts.hh"
#include "cli/text.hh"
#include "cli/verbs.hh"
#include "cli/version.hh"
#include "lab/nearest.hh"

namespace lanyard::cli {
namespace {

void declare_run(CLI::App& app, Filled& f) {
  app.add_option("LAB", f.run.lab, "The lab file (YAML)")->required();
  app.add_option("-o,--output", f.run.run_file, "Where the run is kept (default: NAME.pcapng)")
      ->type_name("RUN");
  app.add_option("--seed", f.run.seed, "Instead of the lab file's seed")
      ->type_name("N")
      ->check(whole_number());
  app.add_option("--repeat", f.run.repeat, "Run it N times; are the run files the same?")
      ->type_name("N")
      ->check(CLI::Range(1, 10'000));
  app.add_flag("--quiet,-q", f.run.quiet, "No diagram and no journey");
  app.add_flag("--json", f.run.json, "The outcome as one JSON object");
  app.add_option("--junit", f.run.junit, "The checks as JUnit XML, too")->type_name("FILE");
}

void declare_up(CLI::App& app, Filled& f) {
  app.add_option("LAB", f.up.lab, "The lab file (YAML)")->required();
  app.add_flag("-d,--detach", f.up.detach, "In the background; ends with `lanyard down`");
  app.add_option("-o,--output", f.up.run_file, "Keep the run in this file")->type_name("RUN");
  app.add_option("--wait", f.up.wait_seconds, "At most, until its servers listen (default: 10)")
      ->type_name("SECONDS")
      ->check(CLI::Range(0, 3600));
  app.add_option("--seed", f.up.seed, "Instead of the lab file's seed")
      ->type_name("N")
      ->check(whole_number());
}

void declare_down(CLI::App& app, Filled& f) {
  add_lab_name(app, f.down.lab_name);
  app.add_flag("--json", f.down.json, "The answer as JSON");
}

void declare_exec(CLI::App& app, Filled& f) {
  app.prefix_command();
  app.add_option("HOST", f.exec.host, "The virtual host")->required();
  app.add_flag("-b,--built-in", f.exec.is_built_in,
               "Lanyard's own program of this name, not the machine's");
  add_lab_name(app, f.exec.lab_name);
}

void declare_shell(CLI::App& app, Filled& f) {
  app.add_option("HOST", f.shell.host, "The virtual host")->required();
  add_lab_name(app, f.shell.lab_name);
}

void declare_ping(CLI::App& app, Filled& f) {
  app.add_option("FROM", f.ping.from, "The host that asks")->required();
  app.add_option("TO", f.ping.to, "A node's name, a domain name or an address")->required();
  app.add_option("-c,--count", f.ping.count, "How many requests")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("-i,--interval", f.ping.interval, "Between requests: 1s, 200ms")
      ->type_name("TIME");
  app.add_option("-s,--size", f.ping.payload_bytes, "Payload bytes of a request")
      ->type_name("N")
      ->check(CLI::Range(0, 65'507));
  auto* v4 = app.add_flag("-4", f.ping.only_v4, "IPv4 only");
  app.add_flag("-6", f.ping.only_v6, "IPv6 only")->excludes(v4);
  app.add_flag("-b", f.ping.may_broadcast, "TO may be a broadcast address");
  add_lab_name(app, f.ping.lab_name);
}

void declare_show(CLI::App& app, Filled& f) {
  app.add_option("RUN", f.show.file, "A run file, or any pcapng or pcap")->required();
  auto* packet = app.add_option("--packet", f.show.packet, "Packet N of the file, all its layers");
  packet->type_name("N")->check(whole_number());
  app.add_option("--journey", f.show.journey, "Packet N hop by hop, and what each node changed")
      ->type_name("N")
      ->check(whole_number())
      ->excludes(packet);
  app.add_option("--node", f.show.nodes, "Only what these nodes sent or received")
      ->type_name("NAME")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--proto", f.show.protocols, "Only these: arp ndp icmp dns udp tcp http ...")
      ->type_name("NAME")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--limit", f.show.limit, "At most N lines of the diagram")
      ->type_name("N")
      ->check(whole_number());
  app.add_flag("--unfold", f.show.unfold, "Every segment on a line of its own");
  app.add_flag("--inputs", f.show.inputs, "What entered a lab in real time, as `replay` plays it");
  app.add_flag("--json", f.show.json, "As JSON");
}

void declare_dissect(CLI::App& app, Filled& f) {
  app.add_option("FRAME", f.dissect.input, "Hex text, a file, or - for standard input")->required();
  app.add_option("--packet", f.dissect.packet, "Packet N of a pcapng or pcap file")
      ->type_name("N")
      ->check(whole_number());
  app.add_option("--link", f.dissect.link, "What the bytes begin with: ethernet, ip")
      ->type_name("TYPE")
      ->check(CLI::IsMember({"ethernet", "ip"}));
  app.add_flag("--json", f.dissect.json, "The tree as JSON");
}

// The language's own options reach the scripts as they stand.
void declare_drill(CLI::App& app, Filled& f) {
  app.allow_extras();
  app.add_option("SCRIPT", f.drill.scripts, "Scripts (.pkt); --name=value goes to each of them");
  app.add_option("-D,--define", f.drill.defines, "A word, and what stands for it")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  app.add_flag("--quiet,-q", f.drill.quiet, "Only what did not pass");
  app.add_flag("--json", f.drill.json, "The outcomes as JSON");
}

void declare_version(CLI::App& app, Filled& f) {
  app.add_flag("--json", f.version.json, "As JSON");
}

void declare_completion(CLI::App& app, Filled& f) {
  app.add_option("SHELL", f.completion.shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
}

void declare_help(CLI::App& app, Filled& f) {
  app.add_option("VERB", f.help_verb, "A verb, or `programs`: those built into Lanyard");
}

constexpr auto lab_verbs = std::to_array<VerbEntry>({
    {"run", "Bring a lab up, run it, say what happened",
     "  lanyard run examples/first-lab.yaml\n"
     "  lanyard run lab.yaml -o lab.pcapng     # keep the run here; it opens in Wireshark too\n"
     "  lanyard run lab.yaml --seed 8 --json   # another draw of the same chances\n"
     "  lanyard run lab.yaml --repeat 5        # five times: the same, byte for byte?\n"
     "\nExit status: 0 all went well, 1 a program or a check failed, runs differ, or it was "
     "interrupted, 2 the lab file or the command line is wrong.",
     declare_run, [](Filled& f) { return run(f.run); }},
    {"up", "Bring a lab up and keep it up",
     "  lanyard up lab.yaml        # in this terminal, until Ctrl-C\n"
     "  lanyard up lab.yaml -d     # in the background, until `lanyard down`; returns once its "
     "servers listen",
     declare_up, [](Filled& f) { return up(f.up); }},
    {"down", "Take a lab down",
     "  lanyard down\n"
     "  lanyard down --lab first-lab",
     declare_down, [](Filled& f) { return down(f.down); }},
    {"exec", "Run a program on a host of a lab that is up",
     "  lanyard exec alice -- curl http://bob/\n"
     "  echo hello | lanyard exec alice -- nc -N bob 7\n"
     "  lanyard exec --built-in alice -- http get http://bob/   # `lanyard help programs`\n"
     "\nInput, output and exit status are the program's own; 2: there is no such lab or host.",
     declare_exec, [](Filled& f) { return exec(f.exec); }},
    {"shell", "An interactive shell on a host of a lab that is up", "  lanyard shell alice",
     declare_shell, [](Filled& f) { return shell(f.shell); }},
    {"ping", "Ask one host from another whether it is there",
     "  lanyard ping alice bob\n"
     "  lanyard ping -6 -c 10 -i 200ms alice bob",
     declare_ping, [](Filled& f) { return ping(f.ping); }},
});

constexpr auto other_verbs = std::to_array<VerbEntry>({
    {"show", "A run as a sequence diagram; one packet, all its layers",
     "  lanyard show first-lab.pcapng\n"
     "  lanyard show first-lab.pcapng --proto tcp --node alice\n"
     "  lanyard show first-lab.pcapng --packet 12     # layers, fields, offsets, hex\n"
     "  lanyard show first-lab.pcapng --journey 12    # hop by hop, and what each node changed\n"
     "  lanyard show anything.pcap",
     declare_show, [](Filled& f) { return show(f.show); }},
    {"dissect", "A frame's bytes as a tree of named fields",
     "  lanyard dissect --link ip '45 00 00 1c 00 00 00 00 40 01 7c df 7f 00 00 01 7f 00 00 01 08 "
     "00 "
     "f7 ff 00 00 00 00'\n"
     "  lanyard dissect --packet 12 first-lab.pcapng\n"
     "  xxd -p frame.bin | lanyard dissect -",
     declare_dissect, [](Filled& f) { return dissect(f.dissect); }},
    {"drill", "Play packetdrill scripts against the stack, in virtual time",
     "  lanyard drill tests/conform/*.pkt\n"
     "  lanyard drill --ip_version=ipv6 syn.pkt      # options of the language\n"
     "  lanyard drill --strict=all syn.pkt           # nothing is passed over\n"
     "  lanyard drill --json *.pkt\n"
     "\nExit status: 0 all passed, 1 one failed, 2 one is wrong or asks for what is not supported.",
     declare_drill, [](Filled& f) { return drill(f.drill); }},
    {"version", "Which Lanyard this is", "  lanyard version --json", declare_version,
     [](Filled& f) { return version(f.version); }},
    {"completion", "A completion script for your shell",
     "  lanyard completion bash > ~/.local/share/bash-completion/completions/lanyard\n"
     "  lanyard completion zsh  > ~/.zfunc/_lanyard\n"
     "  lanyard completion fish > ~/.config/fish/completions/lanyard.fish",
     declare_completion, [](Filled& f) { return completion(f.completion); }},
    {"help", "Help for a verb",
     "  lanyard help run\n  lanyard help programs   # what `run:` may name: http, echo, ping ...",
     declare_help, nullptr},
});

// What a person reads in `lanyard --help`, in this order.
std::vector<VerbEntry> all_verbs() {
  std::vector<VerbEntry> verbs(lab_verbs.begin(), lab_verbs.end());
  const std::span<const VerbEntry> listing = list_verbs();
  verbs.insert(verbs.end(), listing.begin(), listing.end());
  const std::span<const VerbEntry> acting = act_verbs();
  verbs.insert(verbs.end(), acting.begin(), acting.end());
  const std::span<const VerbEntry> on_runs = run_file_verbs();
  verbs.insert(verbs.end(), on_runs.begin(), on_runs.end());
  const std::span<const VerbEntry> hunting = hunt_verbs();
  verbs.insert(verbs.end(), hunting.begin(), hunting.end());
  const std::span<const VerbEntry> importing = import_verbs();
  verbs.insert(verbs.end(), importing.begin(), importing.end());
  verbs.insert(verbs.end(), other_verbs.begin(), other_verbs.end());
  return verbs;
}

constexpr const char* general_examples =
    "Examples:\n"
    "  lanyard run examples/first-lab.yaml      # run it, see every packet\n"
    "  lanyard show first-lab.pcapng            # look at the run again\n"
    "  lanyard up examples/first-lab.yaml -d    # keep it up ...\n"
    "  lanyard exec alice -- curl http://bob/   # ... and run programs in it\n"
    "  lanyard help run                         # more about one verb";

// One App with all verbs; `filled` must outlive it.
std::unique_ptr<CLI::App> build(Filled& filled) {
  auto app = std::make_unique<CLI::App>(
      "Lanyard: run real programs on a whole internet inside one ordinary process.", "lanyard");
  app->require_subcommand(0, 1);
  app->footer(general_examples);
  app->add_flag("--version", filled.asks_version, "Which Lanyard this is");
  for (const VerbEntry& verb : all_verbs()) {
    CLI::App* sub = app->add_subcommand(verb.name, verb.summary);
    verb.declare(*sub, filled);
    sub->footer(fmt::format("Examples:\n{}", verb.examples));
  }
  return app;
}

// CLI11 knows names with a capital as positionals; everything behind `--` is a command's own.
std::vector<std::string> take_command(std::vector<std::string>& arguments) {
  const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
  if (dashes == arguments.end()) return {};
  std::vector<std::string> command(dashes + 1, arguments.end());
  arguments.erase(dashes, arguments.end());
  return command;
}

// What `run:` of a lab file may name instead of a program of the machine.
int help_programs() {
  fmt::print("The programs built into Lanyard, for `run:` in a lab file:\n");
  for (const application::ProgramInfo& program : application::programs())
    fmt::print("\n{}\n    {}\n", program.usage, program.purpose);
  return exit_ok;
}

int help(CLI::App& app, const std::string& verb) {
  if (verb.empty()) {
    // Not app.help(): that is the help of the verb that was parsed, of `help` itself.
    fmt::print("{}",
               app.get_formatter()->make_help(&app, app.get_name(), CLI::AppFormatMode::Normal));
    return exit_ok;
  }
  if (verb == "programs") return help_programs();
  for (const CLI::App* sub : app.get_subcommands([](CLI::App*) { return true; })) {
    if (sub->get_name() != verb) continue;
    fmt::print("{}", sub->help("lanyard"));
    return exit_ok;
  }
  fmt::print(stderr, "lanyard: there is no verb '{}'; `lanyard help` lists them\n", verb);
  return exit_usage;
}

// What was not expected: the first unknown option with the one it may stand for, or the first word.
std::string unexpected_text(const CLI::App& app) {
  const std::vector<std::string> extra = app.remaining(false);
  const auto option =
      std::ranges::find_if(extra, [](const std::string& word) { return word.starts_with("-"); });
  if (option == extra.end())
    return fmt::format("`{}` was not expected", extra.empty() ? "" : printable(extra.front()));
  const std::string name = option->substr(0, option->find('='));
  std::vector<std::string> known;
  for (const CLI::Option* each : app.get_options())
    for (const std::string& spelt : each->get_lnames()) known.push_back("--" + spelt);
  const std::string near(lab::nearest(name, known));
  return fmt::format("there is no option `{}`{}", printable(name),
                     near.empty() ? "" : fmt::format("; did you mean `{}`?", near));
}

int complain(const CLI::App& app, const CLI::ParseError& error) {
  std::string verb;
  const CLI::App* parsed = &app;
  for (const CLI::App* sub : app.get_subcommands()) {
    verb = sub->get_name();
    parsed = sub;
  }
  const bool is_extra = error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError);
  fmt::print(stderr, "lanyard: {}\n", is_extra ? unexpected_text(*parsed) : error.what());
  fmt::print(stderr, "Try `lanyard help{}{}`.\n", verb.empty() ? "" : " ", verb);
  return exit_usage;
}

bool is_verb(std::string_view word) {
  const std::vector<VerbEntry> verbs = all_verbs();
  return std::any_of(verbs.begin(), verbs.end(),
                     [&](const VerbEntry& verb) { return verb.name == word; });
}

int dispatch(CLI::App& app, Filled& filled, std::vector<std::string> command) {
  if (filled.asks_version) return version({});
  for (const VerbEntry& verb : all_verbs()) {
    CLI::App* sub = app.get_subcommand(verb.name);
    if (!sub->parsed()) continue;
    if (verb.run == nullptr) return help(app, filled.help_verb);
    filled.drill.settings = sub->remaining();
    filled.exec.command = sub->remaining();
    filled.exec.command.insert(filled.exec.command.end(), command.begin(), command.end());
    filled.act.words = command;
    return verb.run(filled);
  }
  fmt::print("{}", app.help());
  return exit_ok;
}

}  // namespace

void add_lab_name(CLI::App& app, std::string& name) {
  app.add_option("--lab", name, "Which lab, where several are up")->type_name("NAME");
}

CLI::Validator whole_number() {
  return CLI::Validator(
      [](std::string& text) {
        const bool is_whole =
            !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
        return is_whole ? std::string() : fmt::format("{} is not a whole number", printable(text));
      },
      "");
}

int run_command_line(std::vector<std::string> arguments) {
  Filled filled;
  const auto app = build(filled);
  if (!arguments.empty() && !arguments.front().starts_with('-') && !is_verb(arguments.front())) {
    fmt::print(stderr, "lanyard: there is no verb '{}'; `lanyard help` lists them\n",
               printable(arguments.front()));
    return exit_usage;
  }
  const bool is_exec = !arguments.empty() && arguments.front() == "exec";
  const std::vector<std::string> command = is_exec             ? take_command(arguments)
                                           : is_act(arguments) ? take_words(arguments)
                                                               : std::vector<std::string>{};
  try {
    // CLI11 takes the arguments last first.
    app->parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    for (const CLI::App* sub : app->get_subcommands()) return help(*app, sub->get_name());
    return help(*app, "");
  } catch (const CLI::ParseError& error) {
    return complain(*app, error);
  }
  return dispatch(*app, filled, command);
}

std::vector<VerbSurface> command_surface() {
  Filled filled;
  const auto app = build(filled);
  std::vector<VerbSurface> surface;
  for (const CLI::App* sub : app->get_subcommands([](CLI::App*) { return true; })) {
    VerbSurface verb{sub->get_name(), sub->get_description(), {}, {}};
    for (const CLI::Option* option : sub->get_options()) {
      if (option->get_positional()) {
        verb.positionals.push_back(option->get_name());
        continue;
      }
      OptionSurface seen{{}, option->get_description(), option->get_items_expected_max() > 0};
      for (const auto& name : option->get_lnames()) seen.names.push_back("--" + name);
      for (const auto& name : option->get_snames()) seen.names.push_back("-" + name);
      verb.options.push_back(std::move(seen));
    }
    surface.push_back(std::move(verb));
  }
  return surface;
}

}  // namespace lanyard::cli
