// SPDX-License-Identifier: Apache-2.0
// Which payloads stand in a run file already, and with which record: the same one need not be
// written again. In virtual time one that lies in a slice is known by that slice, however long it
// is on its way; any other by its bytes, of which the last few megabytes are kept.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/packet.hh"

namespace lanyard::lab {

class RecordedPayloads {
 public:
  // In real time a payload may lie otherwise when the run is replayed: there all go by their bytes.
  explicit RecordedPayloads(bool is_virtual) : is_virtual_(is_virtual) {}

  struct Found {
    std::size_t headers = 0;  // the bytes before the payload
    std::uint32_t back = 0;   // it stands so many records before; 0: it does not
  };
  // For the next record, of this frame. One whose payload does not stand yet, or `stands_anew`, has
  // it from now on.
  [[nodiscard]] Found look(const Packet& frame, bool stands_anew);

 private:
  struct Sliced {
    std::uint64_t record = 0;
    std::uint64_t packet = 0;
    Slice::Origin origin;
  };
  struct Kept {
    std::uint64_t record = 0;
    std::uint64_t key = 0;
    std::uint64_t place = 0;  // in the ring
    std::uint32_t size = 0;
  };
  struct Shape {
    std::size_t headers = 0;  // 0: unknown
    std::uint64_t key = 0;    // the same for the same payload, mostly
  };
  static Shape shape_of(const Packet& frame);
  Found look_at_slice(const Packet& frame, const Slice& slice, bool stands_anew);
  Found look_at_bytes(const Packet& frame, bool stands_anew);
  [[nodiscard]] bool is_kept(const Kept& kept, const Packet& frame, std::size_t headers) const;
  std::uint64_t keep(const Packet& frame, std::size_t headers);

  const bool is_virtual_;
  std::uint64_t records_ = 0;
  // The newest of those that share a place: by packet, which is nearly always one frame; by key.
  std::vector<Sliced> slices_;
  std::vector<Kept> keys_;
  std::unique_ptr<std::uint8_t[]> kept_;  // a ring
  std::uint64_t kept_end_ = 0;            // counts all bytes that ever were
};

}  // namespace lanyard::lab
