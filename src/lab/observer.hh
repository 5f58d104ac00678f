// SPDX-License-Identifier: Apache-2.0
// Whoever looks at a world while it runs: every frame at every port, as the recorder would write
// it, and every event, in the world's order and on its thread. It calls nothing on the world.
#pragma once

#include "lab/recorder.hh"

namespace lanyard::lab {

class Observer : public EventSink {
 public:
  // The frame's bytes are valid during the call only.
  virtual void on_frame(const RecordedFrame& frame) = 0;

 protected:
  ~Observer() = default;
};

}  // namespace lanyard::lab
