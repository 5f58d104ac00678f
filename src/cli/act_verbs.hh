// SPDX-License-Identifier: Apache-2.0
// cut heal set act: something is done to a lab that is up.
#pragma once

#include <string>
#include <vector>

namespace lanyard::cli {

struct ActOptions {
  std::string lab_name;
  std::vector<std::string> words;  // "cut", "r1", "--", "dc"
  bool json = false;
};
int act(const ActOptions& options);
// What a timeline would say: "cut r1 -- dc".
[[nodiscard]] std::string action_line(const std::vector<std::string>& words);
// Whether a command line is one of these verbs'; takes its words off it, `--` and `->` among them,
// so that only the verb's own options are left.
[[nodiscard]] bool is_act(const std::vector<std::string>& arguments);
[[nodiscard]] std::vector<std::string> take_words(std::vector<std::string>& arguments);

}  // namespace lanyard::cli
