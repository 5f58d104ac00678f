// SPDX-License-Identifier: Apache-2.0
// `lanyard import`: a lab of another tool as a lab file.
#pragma once

#include <string>

namespace lanyard::cli {

struct ImportOptions {
  std::string file;
  std::string from;    // "containerlab", "graphml"; empty: by what the file looks like
  std::string output;  // empty: standard output
};
int import_lab(const ImportOptions& options);

}  // namespace lanyard::cli
