// SPDX-License-Identifier: Apache-2.0
// When a lab that is brought up may be used: the programs of its file that are started at once and
// of which no end is expected listen, or have ended.
#pragma once

#include <string>
#include <vector>

#include "lab/world.hh"

namespace lanyard::cli {

class Readiness {
 public:
  explicit Readiness(lab::World& world) : world_(world) {}
  // Those that neither listen nor have ended, as "bob's `nginx`". A host is taken to listen when it
  // has a listening or unconnected bound socket for each of them; of a host of kind linux nobody
  // sees the sockets, and it is enough that its programs were started.
  [[nodiscard]] std::vector<std::string> missing() const;
  // Those that ended otherwise than with status 0: "bob's `nginx` ended with 1".
  [[nodiscard]] std::vector<std::string> failed() const;

 private:
  [[nodiscard]] std::size_t listening_sockets(std::uint32_t node) const;
  [[nodiscard]] const lab::ProgramRow* row_of(const lab::ProgramSpec& program) const;
  lab::World& world_;
};

}  // namespace lanyard::cli
