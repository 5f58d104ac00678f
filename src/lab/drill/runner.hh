// SPDX-License-Identifier: Apache-2.0
// Plays a script: one stack of ours, its sockets, and the script as the whole world around it, in
// virtual time. Nothing of the operating system is involved, and the same script ends the same way
// every time.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lab/drill/parser.hh"
#include "lab/drill/script.hh"
#include "lab/drill/setup.hh"

namespace lanyard::lab::drill {

struct Outcome {
  enum class Kind : std::uint8_t { passed, failed, unsupported, wrong_script };
  Kind kind = Kind::passed;
  std::string file;
  Mark mark{};
  std::string what{};                   // what went wrong, in one line
  std::string source{};                 // the script's line
  std::vector<std::string> packets{};   // the last ones, and those that wait to be looked at
  std::vector<std::string> notes{};     // settings without effect, commands skipped
  std::vector<std::string> warnings{};  // what --non_fatal let pass
  std::vector<std::string> output{};    // of print()
  Duration took;                        // virtual time
  std::size_t events = 0;               // how many were played
};

[[nodiscard]] std::string_view to_text(Outcome::Kind kind);

// `options` come before the script's own: the command line's.
struct RunRequest {
  std::string file;
  std::string text;
  std::vector<ScriptOption> options{};
  Defines defines{};
};
[[nodiscard]] Outcome run_script(const RunRequest& request);

}  // namespace lanyard::lab::drill
