// SPDX-License-Identifier: Apache-2.0
// Problems of a lab file as a person sees them: the place, what is wrong, what would be right, and
// the line itself with a caret under the place.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/text.hh"
#include "lab/lab_file.hh"
#include "lab/plan.hh"

namespace lanyard::cli {

// `source` is the file's text.
[[nodiscard]] std::string problem_text(const lab::Diagnostic& problem, std::string_view source,
                                       const Paper& paper);

// A lab that can be brought up.
struct LoadedLab {
  lab::Model model;
  lab::Plan plan;
};

// Reads and plans a lab; problems and warnings are printed on standard error. Null if it is wrong.
[[nodiscard]] std::unique_ptr<LoadedLab> load_lab(const std::string& path);
// The same, but the problems of one that is wrong are one JSON object on standard output.
[[nodiscard]] std::unique_ptr<LoadedLab> load_lab_or_json(const std::string& path);
// The same for a text that is in memory; `file` is the name problems are reported under.
[[nodiscard]] std::unique_ptr<LoadedLab> load_lab_text(std::string_view text,
                                                       const std::string& file);

}  // namespace lanyard::cli
