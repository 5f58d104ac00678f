// SPDX-License-Identifier: Apache-2.0
#include "cli/version.hh"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/verbs.hh"

namespace lanyard::cli {

std::string_view version_text() {
  return LANYARD_VERSION;
}

int version(const VersionOptions& options) {
  if (options.json) {
    fmt::print("{}\n",
               nlohmann::json{{"version", version_text()}, {"compiler", __VERSION__}}.dump(2));
  } else {
    fmt::print("lanyard {}\n", version_text());
  }
  return exit_ok;
}

}  // namespace lanyard::cli
