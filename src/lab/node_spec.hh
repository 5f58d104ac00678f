// SPDX-License-Identifier: Apache-2.0
// A node of a lab and its programs, as a lab file says them (model.hh).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/time.hh"
#include "wire/address.hh"

namespace lanyard::lab {

// Where in the lab file something was written, counted from 1; 0: it was not read from a file.
struct Mark {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  friend bool operator==(const Mark&, const Mark&) = default;
};

// `kernel` is the file's `kind: linux`: a namespace and a TAP, the kernel's own stack.
enum class NodeKind : std::uint8_t { host, kernel_host, switching, router };

// One entry of `run:`.
struct ProgramSpec {
  std::string name;  // how checks and people call it; the host's name, or "alice.2" for its second
  std::string command;  // as written; `{n}` of a counted host already replaced
  Duration at;          // since the lab began
  std::string when;     // instead of `at`, "when bob listens on 80": the timeline starts it then
  Mark when_mark;
  // `expect: exit N`. Without it any status but 0 is a failure, and the lab does not wait for the
  // program if it waits for another.
  std::optional<int> expected_status;
  bool any_status = false;  // `expect: any`
  std::map<std::string, std::string> environment;
  std::string directory;
  Mark mark;
};

struct NodeSpec {
  std::string name;
  NodeKind kind = NodeKind::host;
  std::vector<IpPrefix> addresses;  // of the first port
  std::vector<Mark> address_marks;  // where each was written; empty: not read from a file
  std::optional<MacAddress> mac;    // of the first port
  std::vector<IpAddress> gateways;  // at most one per family; empty: chosen
  std::vector<IpAddress> name_servers;
  std::uint32_t mtu = 0;  // 0: the link's
  std::vector<ProgramSpec> programs;
  Mark mark;
};

}  // namespace lanyard::lab
