// SPDX-License-Identifier: Apache-2.0
// Judges checks and programs' expectations against what happened.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lab/drop_book.hh"
#include "lab/model.hh"
#include "lab/traffic.hh"
#include "lab/watch.hh"
#include "lab/world.hh"

namespace lanyard::lab {

// What is counted for one machine.
struct NodeFacts {
  Traffic sent;    // packets that began here, each once however many hops it made
  DropBook drops;  // by its stack or its switch
  std::uint64_t tcp_retransmits = 0, tcp_connections = 0;
};

struct Facts {
  const Model* model = nullptr;
  std::span<const ProgramRow> programs;
  std::span<const ProgramOutput> output;
  std::vector<NodeFacts> nodes;                      // as Model::nodes
  std::vector<LinkRow> links;                        // as Model::links
  std::vector<std::array<Traffic, 2>> link_traffic;  // a to b, b to a
  Instant now;
  bool is_over = false;
  const Watch* watch = nullptr;  // null: no check needs it
  // By check: what was said of a counter when its time was up.
  std::span<const std::optional<Verdict>> settled;
};

// Of a counter, now.
[[nodiscard]] Verdict judge_counter(const Facts& facts, const CheckSpec& spec);
[[nodiscard]] std::vector<Verdict> judge(const Facts& facts);

// Checks about packets, requests and flows (checks_watch.cc); nothing if it is another.
[[nodiscard]] std::optional<Verdict> judge_watched(const Facts& facts, const CheckSpec& spec,
                                                   std::size_t index);
[[nodiscard]] bool compare(std::int64_t a, Comparison comparison, std::int64_t b);

// "exited 0", "was killed by SIGSEGV", "was still running": how a program stands.
[[nodiscard]] std::string how_it_ended(const ProgramRow& program);

}  // namespace lanyard::lab
