// SPDX-License-Identifier: Apache-2.0
// A lab as a plain description: what a lab file says, or what a C++ program fills in itself.
// Nothing here is computed: addresses nobody gave are chosen by plan.hh. Nodes are numbered from 0:
// hosts, then switches, then routers, each in file order; every list that names a node or a link
// does so by that number.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.hh"
#include "lab/action.hh"
#include "lab/check.hh"
#include "lab/link_quality.hh"
#include "lab/node_spec.hh"
#include "socket/process.hh"
#include "wire/address.hh"

namespace lanyard::lab {

struct LinkEnd {
  std::uint32_t node = 0;
  std::vector<IpPrefix> addresses;  // `addresses: { r1: 10.0.9.1/24 }` on the link
  std::vector<Mark> address_marks;  // as a node's
  std::optional<MacAddress> mac;
};

struct LinkSpec {
  LinkEnd a, b;  // in the order they are written: "r1 -- dc" has a = r1
  LinkQuality a_to_b, b_to_a;
  std::uint32_t mtu = 1500;
  Mark mark;
};

// `groups: { left: [alice, bob] }`, and of a counted host "client*": all of them.
struct GroupSpec {
  std::string name;
  std::vector<std::uint32_t> nodes;
  Mark mark;
};

struct CheckSpec {
  Check check;
  std::string text;  // as written
  Mark mark;
};

// `auto_`: virtual if every program is built in and no host is the kernel's, otherwise real.
enum class TimeMode : std::uint8_t { auto_, virtual_, real };

struct Model {
  std::string name = "lab";
  std::string file;  // its name without folders; empty if not from a file
  std::string text;  // the file itself, kept for the run file
  std::uint64_t seed = 1;
  TimeMode time = TimeMode::auto_;
  Duration until = Duration::infinite();  // the lab ends then at the latest
  std::vector<NodeSpec> nodes;
  std::vector<LinkSpec> links;
  std::vector<GroupSpec> groups;
  std::vector<Action> timeline;  // sorted by time, then as written
  std::vector<CheckSpec> checks;
  // Programs beside those built into Lanyard, by the first word of their command lines: what a C++
  // program that runs a lab brings along. Never from a file.
  std::map<std::string, socket::Program, std::less<>> programs;
  // The whole numbers in the files that links name: tables of jitter, traces of rates.
  std::map<std::string, std::vector<std::int64_t>, std::less<>> numbers;

  [[nodiscard]] std::optional<std::uint32_t> node(std::string_view name) const;
  [[nodiscard]] std::optional<std::uint32_t> node_called(std::string_view name) const;  // any case
  // The link between two nodes, whichever way round.
  [[nodiscard]] std::optional<std::uint32_t> link(std::uint32_t a, std::uint32_t b) const;
  [[nodiscard]] std::string link_name(std::uint32_t link) const;  // "r1 -- dc"
};

// What a link's change or a match names and the model has not: a node, a file of numbers.
[[nodiscard]] std::optional<UnitProblem> names_problem(const LinkChange& change,
                                                       const Model& model);
[[nodiscard]] std::optional<UnitProblem> names_problem(const PacketMatch& match,
                                                       const Model& model);
// True if a command line is to be run by a program built into Lanyard: its first word names one and
// the line asks for nothing of a shell.
[[nodiscard]] bool is_built_in(std::string_view command);
// The same, or it names one of the model's own programs.
[[nodiscard]] bool is_built_in(const Model& model, std::string_view command);
// Virtual or real, `auto_` decided by the programs.
[[nodiscard]] TimeMode time_of(const Model& model);

}  // namespace lanyard::lab
