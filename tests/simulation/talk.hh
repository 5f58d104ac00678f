// SPDX-License-Identifier: Apache-2.0
// Programs that make random socket calls and know what must come of them:
//   talk serve, talk call HOST NUMBER   streams: both sides write and read in random pieces with
//                                       random pauses and options, half-close, close early, abort
//   chat serve, chat call HOST NUMBER   datagrams of random sizes, answered or not
// Every byte is a function of conversation, side and position, so that each reader checks what it
// reads; the book knows what was offered, so that nothing can arrive that was never sent.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "socket/process.hh"

namespace lanyard::simulation {

// What the two ends of one connection have done.
struct Ledger {
  std::uint64_t offered[2] = {0, 0};      // bytes given to send, by side
  bool has_finished[2] = {false, false};  // wrote all it wanted and shut its direction down
  bool was_killed[2] = {false, false};    // its stream ends where it was
};

struct Book {
  std::map<std::uint64_t, Ledger> ledgers;  // by conversation and connection
  std::map<std::uint64_t, std::uint32_t> datagrams_offered, datagrams_seen;
  bool may_duplicate = false;
  bool may_break = false;              // frames are corrupted
  std::uint64_t killed_ungreeted = 0;  // ends that were killed before they knew whose they were
  std::vector<std::string> problems;
  std::uint64_t bytes_read = 0, connections = 0, datagrams_read = 0, streams_finished = 0;
  void problem(std::string what) {
    if (problems.size() < 20) problems.push_back(std::move(what));
  }
};

[[nodiscard]] std::map<std::string, socket::Program, std::less<>> talking_programs(
    const std::shared_ptr<Book>& book);

}  // namespace lanyard::simulation
