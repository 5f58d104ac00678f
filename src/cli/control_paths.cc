// SPDX-License-Identifier: Apache-2.0
#include "cli/control_paths.hh"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>

namespace lanyard::cli {
namespace {

constexpr std::string_view suffix = ".sock";

std::optional<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return std::nullopt;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

const sockaddr* generic(const sockaddr_un& address) {
  return static_cast<const sockaddr*>(static_cast<const void*>(&address));
}

int open_socket(const std::string& path, std::optional<sockaddr_un>& address) {
  address = address_of(path);
  if (!address.has_value()) {
    errno = ENAMETOOLONG;
    return -1;
  }
  return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

int close_keeping_errno(int descriptor) {
  const int error = errno;
  close(descriptor);
  errno = error;
  return -1;
}

}  // namespace

std::expected<std::string, std::string> control_directory() {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  const bool has_runtime = runtime != nullptr && *runtime == '/' && access(runtime, W_OK) == 0;
  const std::string directory =
      has_runtime ? fmt::format("{}/lanyard", runtime) : fmt::format("/tmp/lanyard-{}", geteuid());
  if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return std::unexpected(fmt::format("cannot make {}: {}", directory, std::strerror(errno)));
  }
  struct stat facts {};
  // Another user may have put a directory (or a link) of this name into /tmp before us.
  if (lstat(directory.c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode) ||
      facts.st_uid != geteuid() || (facts.st_mode & 077) != 0) {
    return std::unexpected(
        fmt::format("{} is not a directory of yours alone (mode 0700); remove it", directory));
  }
  return directory;
}

std::string control_path(const std::string& directory, const std::string& lab) {
  return fmt::format("{}/{}{}", directory, lab, suffix);
}

std::vector<std::string> labs_up(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    const std::string file = entry.path().filename();
    if (!file.ends_with(suffix)) continue;
    const int descriptor = connect_to(entry.path());
    if (descriptor >= 0) {
      close(descriptor);
      names.push_back(file.substr(0, file.size() - suffix.size()));
    } else if (errno == ECONNREFUSED) {
      unlink(entry.path().c_str());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

int connect_to(const std::string& path) {
  std::optional<sockaddr_un> address;
  const int descriptor = open_socket(path, address);
  if (descriptor < 0) return -1;
  if (connect(descriptor, generic(*address), sizeof *address) == 0) return descriptor;
  return close_keeping_errno(descriptor);
}

int listen_at(const std::string& path) {
  const int other = connect_to(path);
  if (other >= 0) {
    close(other);
    errno = EADDRINUSE;
    return -1;
  }
  if (errno == ECONNREFUSED) unlink(path.c_str());  // left by one that was killed
  std::optional<sockaddr_un> address;
  const int descriptor = open_socket(path, address);
  if (descriptor < 0) return -1;
  if (bind(descriptor, generic(*address), sizeof *address) == 0 && listen(descriptor, 64) == 0) {
    return descriptor;
  }
  return close_keeping_errno(descriptor);
}

}  // namespace lanyard::cli
