// SPDX-License-Identifier: Apache-2.0
#include "guest/host_setup.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <array>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "guest/descriptor.hh"

namespace lanyard::guest {

namespace {

std::string hosts_text(const socket::Names& names) {
  std::string text = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n";
  bool knows_itself = false;
  for (const auto& [name, address] : names.hosts) {
    if (name == "localhost") continue;
    text += fmt::format("{} {}\n", to_text(address), name);
    knows_itself = knows_itself || name == names.host_name;
  }
  if (!knows_itself) text += fmt::format("127.0.1.1 {}\n", names.host_name);
  return text;
}

std::string resolv_text(const socket::Names& names) {
  std::string text;
  for (const Endpoint& server : names.name_servers)
    text += fmt::format("nameserver {}\n", to_text(server.address));
  return text;
}

// Only files and dns: other ways (mdns, resolve) would ask a daemon of the machine.
std::string nsswitch_text(const std::string& own) {
  std::istringstream in(own);
  std::string text;
  for (std::string line; std::getline(in, line);) {
    if (line.compare(0, 6, "hosts:") != 0 && line.compare(0, 9, "networks:") != 0)
      text += line + "\n";
  }
  return text + "hosts: files dns\nnetworks: files\n";
}

bool write_whole(const std::string& path, const std::string& text) {
  std::ofstream out(path);
  out << text;
  return static_cast<bool>(out.flush());
}

std::string failed(const std::string& what) {
  return fmt::format("cannot {}: {}", what, std::strerror(errno));
}

// The workshop: a tmpfs over /tmp while files are put in place; detached afterwards, so that the
// bind mounts stay and /tmp is itself again.
constexpr const char* workshop = "/tmp";

// /etc itself gets a writable layer, for files that are missing or dangling links.
std::string lay_over_etc() {
  if (mkdir("/tmp/upper", 0755) != 0 || mkdir("/tmp/work", 0755) != 0)
    return failed("make folders for /etc");
  if (mount("overlay", "/etc", "overlay", 0,
            "lowerdir=/etc,upperdir=/tmp/upper,workdir=/tmp/work") != 0)
    return failed("lay a private /etc over the machine's");
  return {};
}

std::string put_file(const std::string& path, const std::string& text) {
  const std::string made = "/tmp/" + path.substr(path.rfind('/') + 1);
  if (!write_whole(made, text)) return failed("write " + made);
  if (mount(made.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) == 0) return {};
  if (errno != ENOENT) return failed("put a private file in the place of " + path);
  unlink(path.c_str());  // a dangling link
  if (!write_whole(path, text)) return failed("write " + path);
  return {};
}

// The layer comes first: it hides what was mounted below it.
std::string put_files(const NameFiles& files) {
  const std::array<std::pair<const char*, const std::string*>, 3> all{
      {{"/etc/resolv.conf", &files.resolv_conf},
       {"/etc/hosts", &files.hosts},
       {"/etc/nsswitch.conf", &files.nsswitch_conf}}};
  std::string why;
  for (const auto& [path, text] : all)
    if (why.empty() && access(path, F_OK) != 0) {
      why = lay_over_etc();
      break;
    }
  for (const auto& [path, text] : all)
    if (why.empty()) why = put_file(path, *text);
  // Nobody needs it where the machine has none.
  constexpr const char* hostname = "/etc/hostname";
  if (why.empty() && access(hostname, F_OK) == 0) why = put_file(hostname, files.hostname);
  return why;
}

// A name service cache of the machine would answer before our files are read.
void hide_name_caches() {
  for (const char* folder : {"/run/nscd", "/var/run/nscd"}) {
    if (access(folder, F_OK) == 0) mount("tmpfs", folder, "tmpfs", 0, nullptr);
  }
}

// /sys/class/net shows the namespace /sys was mounted in. Where it may not be mounted anew, the old
// one stays: netlink and the calls tell the truth all the same.
void remount_sys() {
  const bool has_groups =
      mkdir("/tmp/cgroup", 0755) == 0 &&
      mount("/sys/fs/cgroup", "/tmp/cgroup", nullptr, MS_BIND | MS_REC, nullptr) == 0;
  if (mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) return;
  if (has_groups) mount("/tmp/cgroup", "/sys/fs/cgroup", nullptr, MS_BIND | MS_REC, nullptr);
}

}  // namespace

NameFiles name_files(const socket::Names& names, const std::string& own_nsswitch) {
  return {resolv_text(names), hosts_text(names), nsswitch_text(own_nsswitch),
          names.host_name + "\n"};
}

std::string mount_host_files(const NameFiles& files, bool has_own_processes) {
  if (mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0)
    return failed("make mounts private");
  if (has_own_processes &&
      mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0)
    return failed("mount /proc");
  if (mount("tmpfs", workshop, "tmpfs", 0, nullptr) != 0) return failed("mount a tmpfs");
  const std::string why = put_files(files);
  hide_name_caches();
  remount_sys();
  umount2(workshop, MNT_DETACH);
  return why;
}

void make_settings_read_only() {
  constexpr const char* settings = "/proc/sys";
  constexpr unsigned long flags =
      MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
  if (mount(settings, settings, nullptr, MS_BIND | MS_REC, nullptr) != 0) return;
  mount(nullptr, settings, nullptr, flags, nullptr);
}

}  // namespace lanyard::guest
