// SPDX-License-Identifier: Apache-2.0
// A network of the test's own: a user and a network namespace for the whole test program, in which
// the kernel is the peer. Nothing leaves it.
#pragma once

#include <string>

namespace lanyard::device_kernel {

// Enters the namespaces once per process and sets the loopback interface up; a sentence why it
// cannot be done, or an empty one.
[[nodiscard]] const std::string& enter_namespace();

// The same with a network namespace alone, for what the kernel allows in the machine's first user
// namespace only; the sentence says if we are not root there, or are in another one already.
[[nodiscard]] const std::string& enter_network_namespace();

// Runs a shell command there and returns its exit status.
int run(const std::string& command);

}  // namespace lanyard::device_kernel
