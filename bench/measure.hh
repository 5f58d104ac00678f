// SPDX-License-Identifier: Apache-2.0
// What every benchmark program shares: a clock, an amount of work, and one line out. A program does
// one measurement and prints one number; tools/bench runs it and its peer in turn, several times,
// pinned to one core, and takes medians.
#pragma once

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/core.h>

namespace lanyard::bench {

// Seconds on a clock that only goes forward.
inline double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// How much work a measurement does: the whole of it, or the little that shows that it runs.
struct Amount {
  bool is_smoke = false;
  [[nodiscard]] std::uint64_t of(std::uint64_t whole, std::uint64_t little) const {
    return is_smoke ? little : whole;
  }
};

// What this process has in memory now.
inline std::uint64_t resident_bytes() {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/proc/self/statm", "re"),
                                                             std::fclose);
  if (!file) return 0;
  unsigned long total = 0, resident = 0;
  if (std::fscanf(file.get(), "%lu %lu", &total, &resident) != 2) return 0;
  return static_cast<std::uint64_t>(resident) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

using Measurement = double (*)(Amount amount);

// Says why a measurement cannot go on, and ends the program.
[[noreturn]] inline void give_up(std::string_view why) {
  fmt::print(stderr, "bench: {}\n", why);
  std::exit(1);
}

// main() of a benchmark program: `program NAME [--smoke]` prints one number.
inline int run(const std::map<std::string, Measurement>& measurements, int count,
               char** arguments) {
  Amount amount;
  amount.is_smoke = count > 2 && std::string_view(arguments[2]) == "--smoke";
  auto found = measurements.find(count > 1 ? arguments[1] : "");
  if (found == measurements.end()) {
    fmt::print(stderr, "usage: {} NAME [--smoke], where NAME is one of:\n", arguments[0]);
    for (const auto& [name, measurement] : measurements) fmt::print(stderr, "  {}\n", name);
    return 2;
  }
  fmt::print("{:.6g}\n", found->second(amount));
  return 0;
}

}  // namespace lanyard::bench
