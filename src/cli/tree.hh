// SPDX-License-Identifier: Apache-2.0
// A dissected frame as text: the whole tree with offsets, one line per layer, a hex dump, and what
// differs between two frames.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/text.hh"
#include "core/bytes.hh"
#include "wire/dissect.hh"

namespace lanyard::cli {

// Every field on a line of its own: offset, size, indented name, value.
[[nodiscard]] std::string tree_text(const std::vector<wire::Field>& layers, const Paper& paper);
// Each layer as its name, whose duty it is, and its fields, wrapped under `indent` columns.
[[nodiscard]] std::string layers_text(const std::vector<wire::Field>& layers, std::size_t indent,
                                      const Paper& paper);
// "0010  45 00 00 3c ...  E..<"
[[nodiscard]] std::string hex_dump(Bytes bytes);

// A field that is not the same in two frames; empty text: it is not there.
struct Change {
  std::string layer, name, before, after;
};
[[nodiscard]] std::vector<Change> changes_between(const std::vector<wire::Field>& before,
                                                  const std::vector<wire::Field>& after);

// Whose duty a layer is, by its name: "link", "internet", "transport", "application".
[[nodiscard]] std::string_view duty_of(std::string_view layer);

}  // namespace lanyard::cli
