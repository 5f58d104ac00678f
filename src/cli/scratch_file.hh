// SPDX-License-Identifier: Apache-2.0
// A file that is only needed for a moment: its name is chosen in the folder for such files, and it
// is taken away in the end.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>

namespace lanyard::cli {

class ScratchFile {
 public:
  ScratchFile() {
    std::error_code error;
    std::filesystem::path folder = std::filesystem::temp_directory_path(error);
    if (error) folder = ".";
    std::string name = (folder / "lanyard-XXXXXX").string();
    const int descriptor = mkstemp(name.data());
    if (descriptor < 0) return;
    close(descriptor);
    path_ = std::move(name);
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  ~ScratchFile() {
    if (!path_.empty()) unlink(path_.c_str());
  }
  // Empty: there is no place for it.
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace lanyard::cli
