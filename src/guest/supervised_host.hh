// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "guest/host_setup.hh"
#include "socket/sockets.hh"

namespace lanyard::guest {

// What a supervisor needs from whoever owns the host.
struct SupervisedHost {
  std::string name;
  socket::Sockets* sockets = nullptr;
  std::function<void()> touched;               // after using sockets
  std::function<void(std::string_view)> note;  // a line that names what was refused; may be empty
  NameFiles files;                             // for programs without namespaces
  int namespace_socket = -1;                   // for interface ioctls
};

}  // namespace lanyard::guest
