// SPDX-License-Identifier: Apache-2.0
// The small parts of a world's inside (world_state.hh).
#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "lab/built_in.hh"
#include "lab/machine.hh"

namespace lanyard::lab {

inline constexpr Duration quiet_for =
    Duration::milliseconds(250);  // without a frame: connections are closed
inline constexpr Duration quiet_wait_max = Duration::seconds(3);
inline constexpr Duration stop_wait_max =
    Duration::seconds(1);  // from SIGTERM to SIGKILL, and from that to the end
inline constexpr std::size_t output_bytes_max = 64U
                                                << 20;  // kept for checks; more is passed on only

struct RunningProgram {
  Launch launch;
  socket::Program body;  // of a service
  std::unique_ptr<BuiltIn> process;
  ProgramObserver* observer = nullptr;
  Instant due;  // when the lab file starts it; never: an action of the timeline does
  bool was_started = false;
  bool starts_when_ended = false;  // told to end so that it starts again
};
struct InFlight {
  Packet frame;
  Instant arrives;
  std::uint64_t sequence = 0;  // in the world's order
  std::uint32_t direction = 0;
  std::uint32_t cuts = 0;  // of the direction when the frame left
};

// What is on its way in one direction and comes in the order it left: only the first is in the
// schedule. A ring of 2^n places.
class Arrivals {
 public:
  [[nodiscard]] bool is_empty() const { return first_ == end_; }
  [[nodiscard]] const InFlight& front() const { return ring_[first_ & mask()]; }
  [[nodiscard]] const InFlight& back() const { return ring_[(end_ - 1) & mask()]; }
  // The place behind the last one, to be filled.
  InFlight& push() {
    if (end_ - first_ == ring_.size()) grow();
    return ring_[end_++ & mask()];
  }
  // Takes the first away; what it was stays until the next push.
  InFlight& pop() { return ring_[first_++ & mask()]; }

 private:
  [[nodiscard]] std::size_t mask() const { return ring_.size() - 1; }
  void grow() {
    std::vector<InFlight> larger(std::max<std::size_t>(4, 2 * ring_.size()));
    const std::size_t count = end_ - first_;
    for (std::size_t i = 0; i < count; ++i) larger[i] = std::move(ring_[(first_ + i) & mask()]);
    ring_ = std::move(larger);
    first_ = 0;
    end_ = count;
  }
  std::vector<InFlight> ring_;
  std::size_t first_ = 0, end_ = 0;
};
enum class WorldPhase : std::uint8_t { running, quieting, stopping, over };

inline constexpr std::uint32_t ethernet_header_and_tag = 14 + 4;
// Payload of a super-segment, which with all its headers is still one IP packet.
inline constexpr std::uint32_t super_segment_bytes = 65'000;

// A frame from the kernel, for the next turn.
struct Injected {
  std::uint32_t port = 0;
  Packet frame;
};

}  // namespace lanyard::lab
