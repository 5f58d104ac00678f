// SPDX-License-Identifier: Apache-2.0
// What a sender may send that is held to a rate, as an onlooker counts it: in any time at all no
// more than the rate gives in that time, and one allowance. It reads nothing of the stack's own.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "core/time.hh"

namespace lanyard::invariants {

class PaceRule {
 public:
  // Octets per second, octets; is told what is wrong, during sent().
  PaceRule(std::uint64_t rate, std::uint64_t allowance,
           std::function<void(const std::string&)> complain)
      : rate_(rate), allowance_ns_(allowance * ns_per_second), complain_(std::move(complain)) {}

  void sent(Instant now, std::uint64_t octets) {
    const std::uint64_t gone = static_cast<std::uint64_t>((now - last_).count_ns()) * rate_;
    level_ = (level_ > gone ? level_ - gone : 0) + octets * ns_per_second;
    last_ = now;
    if (level_ > allowance_ns_)
      complain_(std::to_string((level_ - allowance_ns_) / ns_per_second + 1) +
                " octets too many at " + to_text(now));
  }

 private:
  static constexpr std::uint64_t ns_per_second = 1'000'000'000;
  std::uint64_t rate_;
  std::uint64_t allowance_ns_;  // octets times nanoseconds, as level_ is
  std::function<void(const std::string&)> complain_;
  std::uint64_t level_ = 0;
  Instant last_;
};

}  // namespace lanyard::invariants
