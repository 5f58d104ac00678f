// SPDX-License-Identifier: Apache-2.0
// The verbs that work on a run file and what each one takes; the file named after the verb does the
// work and returns the exit status. A file that is damaged or not a run is exit_usage.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lanyard::cli {

struct ReplayOptions {
  std::string run;
  std::string output;  // empty: the replay's file is not kept
  bool json = false;
};
int replay(const ReplayOptions& options);

struct WhyOptions {
  std::string run;
  std::vector<std::string> what;  // empty: what can be asked
  bool shows_all = false;
  bool json = false;
};
int why(const WhyOptions& options);

struct GrepOptions {
  std::string run, pattern;
  std::vector<std::string> nodes;
  std::string flow, layer, from, to;  // empty: all
  bool ignores_case = false;
  std::uint64_t limit = 0;  // matches; 0: all
  bool json = false;
};
int grep(const GrepOptions& options);  // exit_failed: nothing was found

struct FollowOptions {
  std::string run, flow;
  bool as_hex = false;
  bool json = false;
};
int follow(const FollowOptions& options);

struct ConversationsOptions {
  std::string run;
  bool json = false;
};
int conversations(const ConversationsOptions& options);

struct GraphOptions {
  std::string run, flow;
  std::string sender;  // a host's name; empty: who sent more
  std::string output;  // an SVG file; empty: on the terminal
  bool json = false;
};
int graph(const GraphOptions& options);

struct ExportOptions {
  std::string run, file;
};
int export_run(const ExportOptions& options);

}  // namespace lanyard::cli
