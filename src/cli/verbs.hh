// SPDX-License-Identifier: Apache-2.0
// The verbs of the command and what each one takes. options.cc fills these from the command line;
// the file named after the verb does the work and returns the exit status.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lanyard::cli {

// Exit statuses. `exec` and `shell` give the program's own instead.
inline constexpr int exit_ok = 0;
inline constexpr int exit_failed = 1;  // something in the run failed
inline constexpr int exit_usage = 2;   // the lab file or the command line is wrong

struct RunOptions {
  std::string lab;
  std::string run_file;  // empty: LAB's name with .pcapng, in the current directory
  std::optional<std::uint64_t> seed;
  std::uint32_t repeat = 1;  // how often; more than once: the run files are compared
  std::string junit;         // empty: no JUnit file
  bool json = false;
  bool quiet = false;  // no diagram, no journey
};
int run(const RunOptions& options);

struct UpOptions {
  std::string lab;
  std::string run_file;
  std::optional<std::uint64_t> seed;
  bool detach = false;
  int wait_seconds = 10;  // at most, until its programs listen
};
int up(const UpOptions& options);

struct DownOptions {
  std::string lab_name;
  bool json = false;
};
int down(const DownOptions& options);

struct ExecOptions {
  std::string lab_name;
  std::string host;
  std::vector<std::string> command;
  bool is_built_in = false;  // Lanyard's own program of that name
};
int exec(const ExecOptions& options);

struct ShellOptions {
  std::string lab_name;
  std::string host;
};
int shell(const ShellOptions& options);

struct PingOptions {
  std::string lab_name;
  std::string from, to;
  std::uint32_t count = 4;
  std::string interval = "1s";
  std::uint32_t payload_bytes = 56;
  bool only_v4 = false, only_v6 = false, may_broadcast = false;
};
int ping(const PingOptions& options);

struct ShowOptions {
  std::string file;
  std::optional<std::uint64_t> packet;   // one packet, all its layers
  std::optional<std::uint64_t> journey;  // one packet, hop by hop
  std::vector<std::string> nodes;
  std::vector<std::string> protocols;
  std::uint64_t limit = 0;  // lines of the diagram; 0: all
  bool unfold = false;      // every segment on its own line
  bool inputs = false;      // what entered a lab in real time
  bool json = false;
};
int show(const ShowOptions& options);

struct DissectOptions {
  std::string input;  // hex text, a file, or "-"
  std::optional<std::uint64_t> packet{};
  std::string link = "ethernet";
  bool json = false;
};
int dissect(const DissectOptions& options);

struct DrillOptions {
  std::vector<std::string> scripts;
  std::vector<std::string> settings;  // --name=value, as they stand
  std::vector<std::string> defines;   // NAME=VALUE
  bool json = false;
  bool quiet = false;  // only what did not pass
};
int drill(const DrillOptions& options);

struct VersionOptions {
  bool json = false;
};
int version(const VersionOptions& options);

struct CompletionOptions {
  std::string shell;
};
int completion(const CompletionOptions& options);

}  // namespace lanyard::cli
