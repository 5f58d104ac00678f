// SPDX-License-Identifier: Apache-2.0
// What every benchmark program shares: a clock, an amount of work, and one line out. A program does
// one measurement and prints one number; tools/bench runs it and its peer in turn, several times,
// pinned to one core, and takes medians.
#pragma once

#include <unistd.h>

#include <algorithm>
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

// How much work a measurement does: the whole of it, the little that shows that it runs, or so many
// of its units, so that the difference of two runs tells what one unit costs.
struct Amount {
  bool is_smoke = false;
  std::uint64_t units = 0;
  [[nodiscard]] bool is_whole() const { return !is_smoke && units == 0; }
  [[nodiscard]] std::uint64_t of(std::uint64_t whole, std::uint64_t little) const {
    if (units != 0) return units;
    return is_smoke ? little : whole;
  }
};

// Seconds of one `step` that does not depend on what came before: the quickest of many short runs,
// so that neighbours on the machine do not count.
template <typename Step>
double quickest(std::uint64_t runs, std::uint64_t steps, Step step) {
  double best = 1e9;
  for (std::uint64_t i = 0; i < runs; ++i) {
    const double start = seconds_now();
    for (std::uint64_t n = 0; n < steps; ++n) step();
    best = std::min(best, seconds_now() - start);
  }
  return best / static_cast<double>(steps);
}

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

// The same of a measurement that is not allowed here.
[[noreturn]] inline void refuse(std::string_view why) {
  fmt::print(stderr, "{}\n", why);
  std::exit(3);
}

// main() of a benchmark program: `program NAME [--smoke | --units N]` prints one number.
inline int run(const std::map<std::string, Measurement>& measurements, int count,
               char** arguments) {
  Amount amount;
  amount.is_smoke = count > 2 && std::string_view(arguments[2]) == "--smoke";
  if (count > 3 && std::string_view(arguments[2]) == "--units") {
    amount.units = std::strtoull(arguments[3], nullptr, 10);
  }
  auto found = measurements.find(count > 1 ? arguments[1] : "");
  if (found == measurements.end()) {
    fmt::print(stderr, "usage: {} NAME [--smoke | --units N], where NAME is one of:\n",
               arguments[0]);
    for (const auto& [name, measurement] : measurements) fmt::print(stderr, "  {}\n", name);
    return 2;
  }
  fmt::print("{:.6g}\n", found->second(amount));
  return 0;
}

}  // namespace lanyard::bench
