// SPDX-License-Identifier: Apache-2.0
// Some frames lose their end: any length from the Ethernet header's up to one byte less than they
// had, each as likely, or a length that was said.
#pragma once

#include <algorithm>

#include "lab/effect/dice.hh"
#include "lab/effect/wire.hh"
#include "wire/ethernet.hh"

namespace lanyard::lab {

class Truncate final : public Effect {
 public:
  Truncate(const RandomStream& stream, Wire& next) : Effect(next), dice_({}, stream) {}
  void set(const Truncation& truncation) {
    dice_.set(truncation.fate);
    bytes_ = truncation.bytes;
  }
  void carry(Instant at, Packet frame) override {
    const bool strikes = dice_.strikes();
    const std::uint64_t number = dice_.stream().next() >> 32U;
    if (strikes && frame.size() > ethernet::header_size) {
      const std::uint64_t lengths = frame.size() - ethernet::header_size;
      const std::size_t any = ethernet::header_size + ((number * lengths) >> 32U);
      finish_checksum(frame);
      frame.offload.checksum_good = false;
      frame.truncate(bytes_ != 0 ? std::min<std::size_t>(bytes_, frame.size()) : any);
    }
    next().carry(at, std::move(frame));
  }

 private:
  Dice dice_;
  std::uint32_t bytes_ = 0;
};

}  // namespace lanyard::lab
