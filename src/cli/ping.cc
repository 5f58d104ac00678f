// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdio>

#include "cli/remote_program.hh"
#include "cli/verbs.hh"
#include "lab/units.hh"

namespace lanyard::cli {

int ping(const PingOptions& options) {
  const auto interval = lab::parse_duration(options.interval, "interval");
  if (!interval.has_value()) {
    fmt::print(stderr, "lanyard: {}: {}\n", interval.error().what, interval.error().fix);
    return exit_usage;
  }
  Request request;
  request.what = Do::ping;
  request.node = options.from;
  request.command = {"-c", fmt::format("{}", options.count),
                     "-i", fmt::format("{}", interval->count_ms()),
                     "-s", fmt::format("{}", options.payload_bytes)};
  if (options.only_v4) request.command.emplace_back("-4");
  if (options.only_v6) request.command.emplace_back("-6");
  if (options.may_broadcast) request.command.emplace_back("-b");
  request.command.push_back(options.to);
  return run_remote(options.lab_name, request, {});
}

}  // namespace lanyard::cli
