// SPDX-License-Identifier: Apache-2.0
// The verbs that ask a lab that is up (verbs.hh).
#pragma once

#include <string>

namespace lanyard::cli {

// ps links routes sockets arp: rows of every node, or of one.
struct ListOptions {
  std::string lab_name;
  std::string node;                // empty: all
  bool json = false, all = false;  // all: ps, with those that `exec` ran long ago
};
int ps(const ListOptions& options);
int links(const ListOptions& options);
int routes(const ListOptions& options);
int sockets(const ListOptions& options);
int arp(const ListOptions& options);

struct LogsOptions {
  std::string lab_name;
  std::string node;  // empty: all
  bool follows = false;
  bool json = false;  // one object a line
};
int logs(const LogsOptions& options);

}  // namespace lanyard::cli
