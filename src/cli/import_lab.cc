// SPDX-License-Identifier: Apache-2.0
#include "cli/import_lab.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "cli/capture.hh"
#include "cli/lab_errors.hh"
#include "cli/output_file.hh"
#include "cli/verbs.hh"
#include "lab/imports/imports.hh"

namespace lanyard::cli {
namespace {

void print_all(const std::vector<lab::Diagnostic>& problems, std::string_view source) {
  const Paper paper = paper_of(STDERR_FILENO);
  for (const lab::Diagnostic& problem : problems)
    fmt::print(stderr, "{}", problem_text(problem, source, paper));
}

bool write_out(const std::string& path, const std::string& text) {
  if (path.empty()) return std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.flush();
  return static_cast<bool>(file);
}

}  // namespace

int import_lab(const ImportOptions& options) {
  if (!may_write(options.output, options.file)) return exit_usage;
  const auto bytes = read_bytes(options.file);
  if (!bytes.has_value()) {
    fmt::print(stderr, "lanyard: {}: {}\n", printable(options.file), bytes.error().what);
    return exit_usage;
  }
  const std::string_view source = text_of(*bytes);
  if (source.size() > lab::lab_file_bytes_max) {
    fmt::print(stderr, "lanyard: {}: more than 4 MiB\n", printable(options.file));
    return exit_usage;
  }
  const lab::imports::Format format = options.from == "graphml" ? lab::imports::Format::graphml
                                      : options.from == "containerlab"
                                          ? lab::imports::Format::containerlab
                                          : lab::imports::format_of(source);
  const auto imported = lab::imports::import_lab(source, options.file, format);
  if (!imported.has_value()) {
    print_all(imported.error(), source);
    return exit_usage;
  }
  print_all(imported->notes, source);
  if (!write_out(options.output, imported->text)) {
    fmt::print(stderr, "lanyard: {} cannot be written\n",
               options.output.empty() ? "standard output" : printable(options.output));
    return exit_failed;
  }
  // What is right for another tool need not be a lab: switches in a circle, addresses that clash.
  const std::string name = options.output.empty() ? "the lab" : options.output;
  if (load_lab_text(imported->text, name) != nullptr) return exit_ok;
  fmt::print(stderr, "lanyard: {} has to be mended there before it runs\n", printable(name));
  return exit_failed;
}

}  // namespace lanyard::cli
