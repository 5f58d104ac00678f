// SPDX-License-Identifier: Apache-2.0
// A link whose rate varies as a recorded one did: mahimahi's trace files. Each number is a
// millisecond at which 1500 bytes may go, and after the last the file begins again. A frame's bytes
// count without its Ethernet header. What an opportunity has left serves the next frame if that is
// there at that moment; an opportunity with nobody there is lost.
#pragma once

#include <span>

#include "lab/effect/pace.hh"

namespace lanyard::lab {

class TracePace final : public Pace {
 public:
  // `milliseconds` ascend, the last is more than 0; they must outlive it.
  explicit TracePace(std::span<const std::int64_t> milliseconds) : trace_(milliseconds) {}
  [[nodiscard]] Instant ready(Instant now) override;
  [[nodiscard]] Instant begins(Instant now, std::size_t) override { return ready(now); }
  [[nodiscard]] Instant take(Instant begins, std::size_t bytes) override;

 private:
  static constexpr std::size_t bytes_each = 1500;
  [[nodiscard]] Instant at(std::uint64_t opportunity) const;
  std::span<const std::int64_t> trace_;
  std::uint64_t next_ = 0;  // the opportunity that has bytes left
  std::size_t left_ = bytes_each;
};

}  // namespace lanyard::lab
