// SPDX-License-Identifier: Apache-2.0
// What the command line's tables of verbs share: what a command line fills, and a row of the table.
#pragma once

#include <CLI/CLI.hpp>
#include <span>
#include <string>

#include "cli/act_verbs.hh"
#include "cli/hunt.hh"
#include "cli/import_lab.hh"
#include "cli/list_verbs.hh"
#include "cli/run_verbs.hh"
#include "cli/verbs.hh"
#include "cli/version.hh"

namespace lanyard::cli {

// Everything a command line can fill.
struct Filled {
  RunOptions run;
  UpOptions up;
  DownOptions down;
  ExecOptions exec;
  ShellOptions shell;
  PingOptions ping;
  ListOptions list;
  LogsOptions logs;
  ActOptions act;
  ShowOptions show;
  DissectOptions dissect;
  DrillOptions drill;
  ReplayOptions replay;
  HuntOptions hunt;
  ImportOptions import_lab;
  WhyOptions why;
  GrepOptions grep;
  FollowOptions follow;
  ConversationsOptions conversations;
  GraphOptions graph;
  ExportOptions export_run;
  VersionOptions version;
  CompletionOptions completion;
  std::string help_verb;
  bool asks_version = false;
};

// A whole number without a sign: CLI11 takes -1 for the largest there is.
[[nodiscard]] CLI::Validator whole_number();
void add_lab_name(CLI::App& app, std::string& name);  // --lab

struct VerbEntry {
  const char* name;
  const char* summary;
  const char* examples;
  void (*declare)(CLI::App&, Filled&);
  int (*run)(Filled&);
};

// The verbs that look into a run file (options_run_file.cc).
[[nodiscard]] std::span<const VerbEntry> run_file_verbs();
// ps logs links routes sockets arp (options_lists.cc).
[[nodiscard]] std::span<const VerbEntry> list_verbs();
// cut heal set act (options_act.cc).
[[nodiscard]] std::span<const VerbEntry> act_verbs();
// `hunt` (options_hunt.cc).
[[nodiscard]] std::span<const VerbEntry> hunt_verbs();
// `import` (options_import.cc).
[[nodiscard]] std::span<const VerbEntry> import_verbs();

}  // namespace lanyard::cli
