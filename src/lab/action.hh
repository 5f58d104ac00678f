// SPDX-License-Identifier: Apache-2.0
// What is done to a lab while it runs: one entry of the timeline `at:`, or one command to a lab
// that is up. A plain value: it can be made, changed, and written back as the line of a lab file
// that says it (action_text.hh).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/time.hh"
#include "lab/link_change.hh"
#include "lab/node_spec.hh"
#include "wire/address.hh"

namespace lanyard::lab {

// What must happen first: `when bob listens on 80`. Once only.
struct Trigger {
  enum class Kind : std::uint8_t { none, listens, prints, starts, exits };
  Kind kind = Kind::none;
  std::string subject = {};  // listens: a node; else a program
  std::uint16_t port = 0;    // listens
  std::string text = {};     // prints
  friend bool operator==(const Trigger&, const Trigger&) = default;
};

struct Action {
  enum class Kind : std::uint8_t {
    cut,        // link
    heal,       // link
    set,        // link: change
    partition,  // from, to
    join,       // from, to: ends such a partition
    heal_all,   // every link and every partition
    crash,      // node
    restart,    // node
    kill,       // program, with signal
    pause,      // program
    resume,     // program
    start,      // program, again
    address,    // node: from now on it has these addresses
    name,       // `name` answers with these addresses
    clock,      // node: its clock gains clock_parts
    step,       // node: its clock jumps ahead by clock_step
  };
  Duration at = {};  // since the lab began, or since `after` happened
  Kind kind = Kind::cut;
  std::uint32_t link = 0;
  LinkChange change = {};
  bool a_to_b = true, b_to_a = true;  // of a link; of a partition: from -> to, to -> from

  Trigger after = {};
  Duration every = {};      // zero: once
  std::uint32_t times = 1;  // of `every`; 0: as long as the lab runs

  std::uint32_t node = 0;
  std::vector<std::uint32_t> from = {}, to = {};
  std::string program = {};  // the program's name; `name`: the domain name
  int signal = 0;
  std::int64_t clock_parts = 0;  // of a thousand million; negative: it loses them
  Duration clock_step = {};
  std::vector<IpPrefix> addresses = {};  // `name`: whole addresses
  Mark mark = {};
  friend bool operator==(const Action&, const Action&) = default;
};

}  // namespace lanyard::lab
