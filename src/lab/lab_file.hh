// SPDX-License-Identifier: Apache-2.0
// Reads a lab file (YAML; docs/lab-file.md is the reference). All problems are found in one pass,
// each with its place and what would be right. Any bytes may be given; sizes are limited below.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "lab/model.hh"

namespace lanyard::lab {

inline constexpr std::size_t lab_file_bytes_max = 4 * 1024 * 1024;
inline constexpr std::size_t lab_nodes_max = 100'000;
inline constexpr std::size_t lab_links_max = 200'000;
inline constexpr std::size_t lab_diagnostics_max = 100;

struct Diagnostic {
  std::string file;
  std::uint32_t line = 0, column = 0;  // from 1
  std::string what;                    // "unknown key `dealy`"
  std::string fix;                     // "did you mean `delay`?"
  bool is_warning = false;
};

// "first-lab.yaml:7:12: unknown key `dealy`: did you mean `delay`?"; warnings say "warning: "
// before what.
[[nodiscard]] std::string to_text(const Diagnostic& diagnostic);

struct LabFile {
  Model model;
  std::vector<Diagnostic> warnings;
};

// `file` is the name that problems are reported under. The error holds at least one diagnostic that
// is not a warning.
[[nodiscard]] std::expected<LabFile, std::vector<Diagnostic>> parse_lab(std::string_view text,
                                                                        const std::string& file);
// Reads the file at `path` first; one that cannot be read is a diagnostic at 1:1.
[[nodiscard]] std::expected<LabFile, std::vector<Diagnostic>> read_lab(const std::string& path);

}  // namespace lanyard::lab
