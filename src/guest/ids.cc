// SPDX-License-Identifier: Apache-2.0
#include "guest/ids.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>
#include <vector>

#include "guest/descriptor.hh"

namespace lanyard::guest {

namespace {

struct Range {
  unsigned long first = 0, count = 0;
};

// The first range of `file` (/etc/subuid, /etc/subgid) for this user, by name or number.
std::optional<Range> range_of_user(const char* file) {
  const passwd* entry = getpwuid(getuid());
  const std::string name = entry != nullptr ? entry->pw_name : "";
  const std::string number = std::to_string(getuid());
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    std::string owner;
    Range range;
    char colon = 0;
    if (!std::getline(fields, owner, ':')) continue;
    if (!(fields >> range.first >> colon >> range.count) || range.count == 0) continue;
    if ((!name.empty() && owner == name) || owner == number) return range;
  }
  return std::nullopt;
}

bool write_file(const std::string& path, const std::string& text) {
  const Descriptor file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return file.is_open() &&
         write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

// Every id that exists here is itself: the first and third column of our own map.
std::string identity_map(const char* own_map) {
  std::ifstream in(own_map);
  std::string text;
  unsigned long inside = 0, outside = 0, count = 0;
  while (in >> inside >> outside >> count) text += fmt::format("{0} {0} {1}\n", inside, count);
  return text;
}

bool run(const std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int error = posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return false;
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool map_ranges(pid_t process) {
  const std::optional<Range> users = range_of_user("/etc/subuid");
  const std::optional<Range> groups = range_of_user("/etc/subgid");
  if (!users || !groups) return false;
  const auto command = [&](const char* tool, unsigned long own, const Range& range) {
    return std::vector<std::string>{tool,
                                    std::to_string(process),
                                    "0",
                                    std::to_string(own),
                                    "1",
                                    "1",
                                    std::to_string(range.first),
                                    std::to_string(range.count)};
  };
  return run(command("newuidmap", geteuid(), *users)) &&
         run(command("newgidmap", getegid(), *groups));
}

bool is_installed(const char* tool) {
  for (const char* folder : {"/usr/bin/", "/usr/local/bin/", "/bin/"}) {
    if (access((std::string(folder) + tool).c_str(), X_OK) == 0) return true;
  }
  return false;
}

std::unexpected<std::string> cannot(const char* what) {
  return std::unexpected(
      fmt::format("cannot write the {} of a user namespace: {}", what, std::strerror(errno)));
}

}  // namespace

IdMap best_id_map() {
  if (geteuid() == 0) return IdMap::all;
  const bool has_ranges = is_installed("newuidmap") && is_installed("newgidmap") &&
                          range_of_user("/etc/subuid") && range_of_user("/etc/subgid");
  return has_ranges ? IdMap::ranges : IdMap::single;
}

std::expected<IdMap, std::string> map_ids(pid_t process, IdMap wanted) {
  const std::string folder = fmt::format("/proc/{}/", process);
  if (wanted == IdMap::all) {
    if (!write_file(folder + "uid_map", identity_map("/proc/self/uid_map")))
      return cannot("user map");
    if (!write_file(folder + "gid_map", identity_map("/proc/self/gid_map")))
      return cannot("group map");
    return IdMap::all;
  }
  if (wanted == IdMap::ranges && map_ranges(process)) return IdMap::ranges;
  // user_namespaces(7): without CAP_SETGID the group map needs setgroups to be given up first.
  if (!write_file(folder + "setgroups", "deny")) return cannot("setgroups switch");
  if (!write_file(folder + "uid_map", fmt::format("0 {} 1\n", geteuid())))
    return cannot("user map");
  if (!write_file(folder + "gid_map", fmt::format("0 {} 1\n", getegid())))
    return cannot("group map");
  return IdMap::single;
}

}  // namespace lanyard::guest
