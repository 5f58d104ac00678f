// SPDX-License-Identifier: Apache-2.0
// Labs of other tools as lab files: containerlab's topologies and GraphML (docs/import.md). What
// has a meaning in a lab is translated; of all else it is said, with its place, that it is not.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "lab/lab_file.hh"

namespace lanyard::lab::imports {

enum class Format : std::uint8_t { containerlab, graphml };

struct Imported {
  std::string text;               // the lab file
  std::vector<Diagnostic> notes;  // what is not translated, or was decided, by its place
};
// The error holds what is wrong with the file itself.
using Result = std::expected<Imported, std::vector<Diagnostic>>;

// A text that begins with `<` is GraphML.
[[nodiscard]] Format format_of(std::string_view text);
// `file` is the name that is reported.
[[nodiscard]] Result import_lab(std::string_view text, const std::string& file, Format format);

}  // namespace lanyard::lab::imports
