// SPDX-License-Identifier: Apache-2.0
#include "cli/version.hh"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/verbs.hh"
#include "guest/probe.hh"

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
    // What this kernel and this user do without, for unmodified programs.
    const std::string missing = guest::why_guests_cannot_run(guest::features());
    if (!missing.empty()) fmt::print("{}\n", missing);
    for (const std::string& sentence : guest::fallbacks_in_use(guest::features()))
      fmt::print("{}\n", sentence);
  }
  return exit_ok;
}

}  // namespace lanyard::cli
