// SPDX-License-Identifier: Apache-2.0
// What a world tells of itself: programs and what they printed, links, and verdicts.
#pragma once

#include <cstdint>
#include <string>

#include "core/time.hh"
#include "lab/drop_book.hh"
#include "lab/launcher.hh"
#include "lab/model.hh"

namespace lanyard::lab {

enum class ProgramState : std::uint8_t { waiting, running, exited, killed, not_started, stopped };

// One program of the lab, from the lab file or started since (`exec`).
struct ProgramRow {
  ProgramId id{};
  std::uint32_t node = 0;
  std::string name;  // "alice", "alice.2"
  std::string command;
  bool is_built_in = false;
  bool is_service = false;       // the lab's own name server: no output, no expectation
  bool is_live = false;          // started by a person: `exec`, `ping`
  bool is_awaited = false;       // the lab does not end before it
  bool was_told_to_end = false;  // by the timeline or a person: its end is no failure
  bool is_paused = false;        // while it runs
  ProgramState state = ProgramState::waiting;  // stopped: by the lab, at its end
  int status = 0, signal = 0;
  Instant started, ended;
  std::string problem;  // not_started: the sentence why
};

struct ProgramOutput {
  ProgramId program{};
  int descriptor = 1;
  Instant at;
  std::string text;
};

struct DirectionCounters {
  std::uint64_t frames = 0, bytes = 0;  // that entered
  DropBook drops;                       // of them
};

struct LinkRow {
  std::string name;  // "r1 -- dc"
  bool is_up = true;
  LinkQuality a_to_b, b_to_a;
  DirectionCounters a_counters, b_counters;  // a to b, b to a
};

// `expected`, `happened`, and whether they agree: a check, or a program's end.
struct Verdict {
  std::string text = {};  // "alice exits 0"
  bool is_good = false;
  Mark mark = {};
  std::string happened = {};  // "alice exited 7"
  Instant at = {};
};

}  // namespace lanyard::lab
