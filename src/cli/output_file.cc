// SPDX-License-Identifier: Apache-2.0
#include "cli/output_file.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "cli/text.hh"

namespace lanyard::cli {

std::string why_not_writable(const std::string& path, const std::string& read) {
  if (path.empty()) return {};
  std::error_code error;
  if (!read.empty() && std::filesystem::equivalent(path, read, error))
    return fmt::format("{} is what is read here; give another file", printable(path));
  if (std::filesystem::is_directory(path, error))
    return fmt::format("{}: {}", printable(path), std::strerror(EISDIR));
  const bool is_there = std::filesystem::exists(path, error);
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  const std::string asked = is_there ? path : folder.empty() ? "." : folder.string();
  if (access(asked.c_str(), W_OK) == 0) return {};
  return fmt::format("{}: {}", printable(path), std::strerror(errno));
}

bool may_write(const std::string& path, const std::string& read) {
  const std::string why = why_not_writable(path, read);
  if (!why.empty()) fmt::print(stderr, "lanyard: {}\n", why);
  return why.empty();
}

}  // namespace lanyard::cli
