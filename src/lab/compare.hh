// SPDX-License-Identifier: Apache-2.0
// Two run files side by side: where they differ first, in the world's order. The bytes decide
// whether they differ; frames, events, inputs, programs and verdicts say where.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "lab/run_file.hh"

namespace lanyard::lab {

struct RunDifference {
  // `layout`: everything that was read is the same, the bytes are not.
  enum class What : std::uint8_t { lab, program, frame, event, input, verdict, layout };
  What what = What::layout;
  std::size_t index = 0;  // in packets, events, inputs, programs or verdicts of both runs
  Instant at = {};        // the earlier of the two
  std::uint32_t node = 0;
  bool is_in_first = true, is_in_second = true;  // one may have ended before
  std::string_view detail =
      {};                  // what of it differs: "time", "bytes", "seed"; empty: it is not there
  std::size_t offset = 0;  // of the first byte that differs in the files; for `bytes`: in the frame
};

// Nothing: they are the same, byte for byte. Of a first run that was cut short, what is there of it
// must be in the second; in real time, as far as the second comes: what its programs did last may
// not have been written any more.
[[nodiscard]] std::optional<RunDifference> first_difference(const RunFile& first,
                                                            const RunFile& second);

}  // namespace lanyard::lab
