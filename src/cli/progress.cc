// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "cli/text.hh"

namespace lanyard::cli {
namespace {
constexpr std::chrono::seconds silent_for{2};
constexpr std::chrono::milliseconds between{200};
}  // namespace

Progress::Progress() : next_(Clock::now() + silent_for), is_terminal_(isatty(STDERR_FILENO) == 1) {}

bool Progress::is_due() const {
  return is_terminal_ && Clock::now() >= next_;
}

void Progress::show(const std::string& text) {
  if (!is_due()) return;
  next_ = Clock::now() + between;
  is_shown_ = true;
  const Paper paper = paper_of(STDERR_FILENO);
  fmt::print(stderr, "\r\x1b[K{}", fit(paper, text, paper.columns - 1));
  std::fflush(stderr);
}

void Progress::clear() {
  if (!is_shown_) return;
  is_shown_ = false;
  fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
}

}  // namespace lanyard::cli
