// SPDX-License-Identifier: Apache-2.0
// A run as tables of an SQLite file, for questions in SQL (docs/search.md has the tables).
#pragma once

#include <expected>
#include <string>

#include "lab/why/walk.hh"

namespace lanyard::lab::search {

// Makes `path`, which must not be there yet. The error says what went wrong, with the path.
[[nodiscard]] std::expected<void, std::string> export_sqlite(const why::Index& index,
                                                             const std::string& path);

}  // namespace lanyard::lab::search
