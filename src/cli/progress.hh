// SPDX-License-Identifier: Apache-2.0
// One line on standard error that says what a long piece of work is doing. Only on a terminal, and
// only once it has lasted two seconds.
#pragma once

#include <chrono>
#include <string>

namespace lanyard::cli {

class Progress {
 public:
  Progress();
  // Shows `text` if it is time to (a few times a second).
  void show(const std::string& text);
  // Takes the line away, before something else is printed.
  void clear();
  [[nodiscard]] bool is_due() const;

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point next_;
  bool is_terminal_ = false;
  bool is_shown_ = false;
};

}  // namespace lanyard::cli
