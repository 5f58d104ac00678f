// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/control_client.hh"
#include "cli/verbs.hh"

namespace lanyard::cli {

int down(const DownOptions& options) {
  auto client = ControlClient::connect(options.lab_name);
  if (!client.has_value()) {
    fmt::print(stderr, "lanyard: {}\n", client.error());
    return exit_usage;
  }
  Request request;
  request.what = Do::down;
  client->send(request);
  const auto answer = client->receive();
  if (!answer.has_value()) {
    fmt::print(stderr, "lanyard: {}\n", answer.error().what);
    return exit_failed;
  }
  client->wait_for_end();  // programs are ended and the run file is whole only then
  const std::string lab = answer->value("lab", "");
  fmt::print("{}", options.json ? nlohmann::json{{"lab", lab}, {"down", true}}.dump() + "\n"
                                : fmt::format("{} is down\n", lab));
  return exit_ok;
}

}  // namespace lanyard::cli
