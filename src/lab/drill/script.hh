// SPDX-License-Identifier: Apache-2.0
// A script as a tree: what is written, where it is written, nothing judged. parser.hh makes it,
// runner.hh plays it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/time.hh"
#include "lab/drill/packet_event.hh"
#include "lab/model.hh"

namespace lanyard::lab::drill {

// When something happens. Relative times count from the event before.
struct When {
  enum class Kind : std::uint8_t { absolute, relative, any };  // 1.5, +.1, *
  Kind kind = Kind::relative;
  Duration at;
  std::optional<Duration> until{};  // 1.0~1.2: not later than this
  std::optional<Duration> end{};    // +0...0.2: when a blocking call returns
};

// An argument or result of a call.
struct Expression {
  enum class Kind : std::uint8_t { ellipsis, number, text, word, list, structure, either, call };
  Kind kind = Kind::ellipsis;
  Mark mark{};
  std::int64_t number = 0;
  std::string text{};               // text, word, name of the call
  std::string field{};              // name within a structure
  std::vector<Expression> items{};  // list, structure, either (a | b), call
};

struct CallEvent {
  std::string name;
  std::vector<Expression> arguments;
  Expression result;
  std::string error;  // "EAGAIN"; empty: none
};

struct CodeEvent {
  std::string text;  // between %{ and }%
};

struct CommandEvent {
  std::string text;  // between back-ticks
};

struct Event {
  Mark mark;
  When when;
  std::string source;  // the line as written, for messages
  std::variant<PacketEvent, CallEvent, CodeEvent, CommandEvent> what;
};

struct ScriptOption {
  Mark mark;
  std::string name, value;
};

struct Script {
  std::string file;
  std::vector<ScriptOption> options;  // --name=value
  std::vector<Event> commands;        // back-ticks before the first event
  std::vector<Event> events;
};

// Something to tell: where, and what. `unsupported`: the script is right, and we cannot do it.
struct Problem {
  enum class Kind : std::uint8_t { wrong_script, unsupported, failed };
  Kind kind = Kind::failed;
  Mark mark;
  std::string what;
};

// Thrown while a script is read or a call is made, and caught at the door of the parser and the
// runner.
struct Fault {
  Problem problem;
};

}  // namespace lanyard::lab::drill
