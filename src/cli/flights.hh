// SPDX-License-Identifier: Apache-2.0
// A run file's frames gathered into whole packets: one flight is one packet with every port that
// saw it, from the node that made it to the last that received it. And who stands where in a
// picture.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lab/run_file.hh"

namespace lanyard::cli {

struct Flight {
  std::uint64_t packet = 0;
  std::vector<std::size_t> sightings;  // indices into RunFile::packets, in order; never empty
};

// In the order of their first sightings.
[[nodiscard]] std::vector<Flight> flights_of(const lab::RunFile& run);

// How a flight ended.
struct Ending {
  std::uint32_t from = 0;  // the node that made it
  std::uint32_t to = 0;    // who received it, or was to
  bool is_lost = false;
  std::string reason;            // why it was lost
  std::uint32_t lost_at = 0;     // the node that had it last
  bool is_lost_on_link = false;  // lost behind that node, before the next
};

// Which node has which address.
class Owners {
 public:
  explicit Owners(const lab::RunFile& run);
  [[nodiscard]] std::optional<std::uint32_t> owner(const IpAddress& address) const;

 private:
  std::vector<std::pair<IpAddress, std::uint32_t>> rows_;  // sorted
};

// `target`: the node it was meant for, if that is known.
[[nodiscard]] Ending ending_of(const lab::RunFile& run, const Flight& flight,
                               std::optional<std::uint32_t> target);

// Hosts and routers from one end of the topology to the other: by distance from the node farthest
// from the first one, then by number.
[[nodiscard]] std::vector<std::uint32_t> lifeline_order(const lab::RunFile& run);

}  // namespace lanyard::cli
