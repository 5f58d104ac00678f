// SPDX-License-Identifier: Apache-2.0
// Whom a direction of a link tells what becomes of frames, and whom it asks.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/drop.hh"
#include "core/packet.hh"
#include "core/time.hh"
#include "wire/address.hh"

namespace lanyard::lab {

class Direction;

class DirectionOwner {
 public:
  // What becomes of a frame: told once for each frame that entered, more than once if it was
  // duplicated.
  virtual void on_carried(const Direction& direction, Instant arrives, Packet&& frame) = 0;
  virtual void on_dropped(const Direction& direction, const Packet& frame, DropReason reason) = 0;
  // The frame being sent waits: what becomes of it is told later.
  virtual void on_waits(const Direction& direction) = 0;
  // poll() is to be called then.
  virtual void on_deadline(const Direction& direction, Instant at) = 0;
  // What a description names: the numbers of a file, the addresses of a node or a prefix.
  virtual std::span<const std::int64_t> numbers_of(const std::string& file) = 0;
  virtual std::vector<IpPrefix> prefixes_of(const std::string& end) = 0;

 protected:
  ~DirectionOwner() = default;
};

}  // namespace lanyard::lab
