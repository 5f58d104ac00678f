// SPDX-License-Identifier: Apache-2.0
// What the daemon and a host's keeper say to one another over a unix socket: length, bytes,
// descriptors.
#pragma once

#include <expected>
#include <map>
#include <string>
#include <vector>

#include "guest/descriptor.hh"

namespace lanyard::guest {

struct Message {
  std::string text;  // the first byte is its kind
  std::vector<Descriptor> descriptors;
};

// False if the other side is gone.
bool send_message(int socket, const std::string& text, const std::vector<int>& descriptors = {});
// Waits up to `timeout_ms` (-1: for ever). Empty kind: the other side is gone, or silent.
[[nodiscard]] Message receive_message(int socket, int timeout_ms);

// One program to be started by the keeper.
struct ProgramOrder {
  std::vector<std::string> arguments;
  std::vector<std::string> environment;  // NAME=VALUE
  std::string directory;
  bool is_filtered = true;
  bool without_namespaces = false, pretends_ids = false, wait_killable = true, drops_powers = false;
  bool sees_outer_processes = false;
};
[[nodiscard]] std::string pack(const ProgramOrder& order);
[[nodiscard]] ProgramOrder unpack(const std::string& text);

// A fixed report of a program's keeper, one packet each.
struct Report {
  enum Kind : int { started, listener, exited };
  int kind = started;
  int first = 0;   // listener: its descriptor number; exited: status
  int second = 0;  // exited: signal
};

}  // namespace lanyard::guest
