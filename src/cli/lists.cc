// SPDX-License-Identifier: Apache-2.0
// ps links routes sockets arp: one question, one table.
#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "cli/control_client.hh"
#include "cli/control_rows.hh"
#include "cli/list_verbs.hh"
#include "cli/verbs.hh"

namespace lanyard::cli {
namespace {

int list(Do what, const ListOptions& options) {
  Request request;
  request.what = what;
  request.node = options.node;
  const auto answer = ask(options.lab_name, request);
  if (!answer.has_value()) return answer.error();
  nlohmann::json rows = nlohmann::json::array();
  for (const nlohmann::json& row : answer->value("rows", nlohmann::json::array())) {
    const bool is_past = row.value("is_live", false) && row.value("state", "") != "running";
    if (options.all || !is_past) rows.push_back(row);
  }
  fmt::print("{}",
             options.json ? rows.dump(2) + "\n" : rows_table(what, rows, paper_of(STDOUT_FILENO)));
  for (const nlohmann::json& note : answer->value("notes", nlohmann::json::array()))
    fmt::print(stderr, "lanyard: {}\n", note.get<std::string>());
  return exit_ok;
}

}  // namespace

int ps(const ListOptions& options) {
  return list(Do::ps, options);
}

int links(const ListOptions& options) {
  return list(Do::links, options);
}

int routes(const ListOptions& options) {
  return list(Do::routes, options);
}

int sockets(const ListOptions& options) {
  return list(Do::sockets, options);
}

int arp(const ListOptions& options) {
  return list(Do::arp, options);
}

}  // namespace lanyard::cli
