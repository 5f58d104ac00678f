// SPDX-License-Identifier: Apache-2.0
// What a virtual host's namespaces are made from: a mirror of its interfaces and routes, its name,
// and the files that say it and how names are looked up.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "socket/process.hh"
#include "stack/config.hh"

namespace lanyard::guest {

struct NameFiles {
  std::string resolv_conf, hosts, nsswitch_conf, hostname;
};

struct HostSetup {
  std::string name;
  std::vector<stack::InterfaceRow> interfaces;
  std::vector<stack::Route> routes;
  NameFiles files;
  // The second kind of host: its interfaces are real, and their frames are ours (linux_host.hh).
  bool has_taps = false;
};

// The texts for `names`; the machine's own nsswitch.conf is kept but for how hosts are found.
[[nodiscard]] NameFiles name_files(const socket::Names& names, const std::string& own_nsswitch);

// In a fresh mount namespace: /tmp, /proc and /sys as they should be, the files in their
// places. Empty, or a sentence.
[[nodiscard]] std::string mount_host_files(const NameFiles& files, bool has_own_processes);

// In a fresh network namespace: lo up, and each interface of `setup` with its index, address and
// routes. Its other ends go where nobody looks, a namespace of their own that `keep_alive` holds.
// With taps each interface is a TAP (or a veth pair where there is no /dev/net/tun), and
// `frame_descriptors` gets one descriptor for each. Empty, or a sentence.
[[nodiscard]] std::string make_interfaces(const HostSetup& setup, int& keep_alive,
                                          std::vector<int>& frame_descriptors);

// Afterwards: the kernel's settings (/proc/sys) are not our stack's, and writing one is refused
// (EROFS) where the kernel lets us.
void make_settings_read_only();

}  // namespace lanyard::guest
