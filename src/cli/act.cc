// SPDX-License-Identifier: Apache-2.0
// cut heal set act: the words of a timeline's line, said to a lab that is up.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/act_verbs.hh"
#include "cli/control_client.hh"
#include "cli/text.hh"
#include "cli/verbs.hh"

namespace lanyard::cli {
namespace {

// `set r1 -- dc delay=200ms loss=5%` as a timeline says it: `delay 200ms, loss 5%`.
void add_word(std::string& line, const std::string& word, bool& has_value) {
  const std::size_t sign = word.find('=');
  if (sign == std::string::npos) {
    line += (line.empty() ? "" : " ") + word;
    return;
  }
  line +=
      fmt::format("{} {} {}", has_value ? "," : "", word.substr(0, sign), word.substr(sign + 1));
  has_value = true;
}

}  // namespace

std::string action_line(const std::vector<std::string>& words) {
  const bool is_link = words.size() == 3 && (words[0] == "cut" || words[0] == "heal");
  if (words.size() == 1 && words[0] == "heal") return "heal all";
  // `cut r1 dc` is clear enough.
  if (is_link) return fmt::format("{} {} -- {}", words[0], words[1], words[2]);
  std::string line;
  bool has_value = false;
  for (const std::string& word : words) add_word(line, word, has_value);
  return line;
}

int act(const ActOptions& options) {
  Request request;
  request.what = Do::act;
  request.command = {action_line(options.words)};
  const auto answer = ask(options.lab_name, request);
  if (!answer.has_value()) return answer.error();
  if (options.json) {
    fmt::print("{}\n", answer->dump());
    return exit_ok;
  }
  for (const auto& line : answer->value("done", nlohmann::json::array()))
    fmt::print("{}\n", printable(line.get<std::string>()));
  return exit_ok;
}

}  // namespace lanyard::cli
