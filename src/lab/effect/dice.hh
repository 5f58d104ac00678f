// SPDX-License-Identifier: Apache-2.0
// Whether a frame's fate strikes. With a correlation of c, the fate of the frame before is repeated
// with chance c and thrown anew otherwise: a share of p stays p exactly, and the fates of two
// frames k apart correlate by c to the power of k. (netem mixes successive random numbers instead,
// which changes the share.) Two throws a frame, whatever the numbers are, so that changing them at
// some moment changes no throw after it.
#pragma once

#include "core/random.hh"
#include "lab/link_quality.hh"

namespace lanyard::lab {

class Dice {
 public:
  Dice(const Fate& fate, const RandomStream& stream) : fate_(fate), stream_(stream) {}
  void set(const Fate& fate) { fate_ = fate; }
  bool strikes() {
    const bool repeats = stream_.happens(fate_.correlation);
    const bool anew = stream_.happens(fate_.share);
    if (!repeats || is_first_) last_ = anew;
    is_first_ = false;
    return last_;
  }
  [[nodiscard]] RandomStream& stream() { return stream_; }

 private:
  Fate fate_;
  RandomStream stream_;
  bool last_ = false, is_first_ = true;
};

}  // namespace lanyard::lab
