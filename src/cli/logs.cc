// SPDX-License-Identifier: Apache-2.0
// logs: what the programs of a lab that is up have said.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/control_client.hh"
#include "cli/journal.hh"
#include "cli/list_verbs.hh"
#include "cli/verbs.hh"

namespace lanyard::cli {
namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds pause_between_looks{200};

void print(const json& answer, const LogsOptions& options, const Paper& paper) {
  const std::uint64_t lost = answer.value("lost", std::uint64_t{0});
  if (lost > 0) fmt::print(stderr, "lanyard: {} earlier lines are kept no more\n", lost);
  for (const json& row : answer.value("rows", json::array())) {
    const auto line = line_of(row);
    if (!line.has_value()) continue;
    if (options.json) {
      fmt::print("{}\n", row.dump());
    } else {
      print_line(*line, paper);
    }
  }
  std::fflush(stdout);
}

}  // namespace

int logs(const LogsOptions& options) {
  auto client = ControlClient::connect(options.lab_name);
  if (!client.has_value()) {
    fmt::print(stderr, "lanyard: {}\n", client.error());
    return exit_usage;
  }
  const Paper paper = paper_of(STDOUT_FILENO);
  Request request;
  request.what = Do::logs;
  request.node = options.node;
  for (;;) {
    client->send(request);
    const auto answer = client->receive();
    if (!answer.has_value()) {
      // To follow a lab is to see it end.
      if (options.follows && !answer.error().is_refusal) return exit_ok;
      fmt::print(stderr, "lanyard: {}\n", answer.error().what);
      return answer.error().is_refusal ? exit_usage : exit_failed;
    }
    print(*answer, options, paper);
    const std::uint32_t before = request.after;
    request.after = answer->value("last", before);
    if (request.after != before) continue;
    if (!options.follows) return exit_ok;
    std::this_thread::sleep_for(pause_between_looks);
  }
}

}  // namespace lanyard::cli
