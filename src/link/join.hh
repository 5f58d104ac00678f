// SPDX-License-Identifier: Apache-2.0
// Frames that came together and continue one another in one TCP stream are joined into a
// super-segment, so that the layers above are passed once: segment.hh the other way round. What
// comes out would be cut into the same frames again.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/packet.hh"

namespace lanyard::link {

// One run of frames, in the order they came.
class FrameRun {
 public:
  // True if `frame` continues the run: then it was taken in.
  [[nodiscard]] bool takes(Packet& frame);
  // Begins anew with `frame` if it can be continued: then it was taken in. False: it stands alone.
  [[nodiscard]] bool begins(Packet& frame);
  [[nodiscard]] bool is_empty() const { return !frame_; }
  // The frames as one, with what it stands for beyond itself: frames, and bytes of their headers.
  struct Joined {
    Packet frame;
    std::uint64_t more_frames = 0;
    std::uint64_t more_bytes = 0;
  };
  [[nodiscard]] Joined release();

 private:
  // Where a frame's headers are, if it is a plain TCP segment with data and right checksums.
  struct Layout {
    std::size_t transport = 0, payload = 0;  // 0: it is not
    std::size_t bytes = 0;                   // of payload
  };
  [[nodiscard]] static Layout layout_of(Packet& frame);
  [[nodiscard]] bool has_same_headers(Bytes theirs) const;
  void set_lengths();

  Packet frame_;
  Layout layout_;
  std::uint32_t next_sequence_ = 0;
  std::size_t segment_bytes_ = 0;  // of the first; a shorter one ends the run
  std::size_t joined_ = 0;         // frames besides the first
  bool is_ended_ = false;
};

}  // namespace lanyard::link
