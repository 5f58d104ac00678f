// SPDX-License-Identifier: Apache-2.0
#include "core/check.hh"

#include <cstdlib>

#include <fmt/core.h>

namespace lanyard {

void check_failed(const char* condition, const char* file, int line) {
  fmt::print(stderr, "{}:{}: CHECK({}) failed\n", file, line,  // order: last words before the end
             condition);
  std::abort();
}

}  // namespace lanyard
