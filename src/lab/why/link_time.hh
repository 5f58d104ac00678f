// SPDX-License-Identifier: Apache-2.0
// What a frame's time on a link was spent on, from the lab file's delays and rates, and what the
// timeline made of them.
#pragma once

#include <optional>
#include <vector>

#include "lab/model.hh"
#include "lab/run_file.hh"

namespace lanyard::lab::why {

struct LinkTime {
  Duration queue, transmission, propagation, extra;  // in this order; they add up to the whole
};

class LinkTimes {
 public:
  explicit LinkTimes(const RunFile& run);
  // Of the frame sent at record `sent` and received at record `received`.
  [[nodiscard]] LinkTime of(const RunFile& run, const RunPacket& sent,
                            const RunPacket& received) const;

 private:
  [[nodiscard]] std::optional<LinkQuality> quality(const RunFile& run, const RunPacket& sent) const;
  std::optional<Model> model_;
};

}  // namespace lanyard::lab::why
