// SPDX-License-Identifier: Apache-2.0
// How many descriptors a process may have: the daemon needs many (one for each virtual socket), and
// its programs should see what they would see without it.
#pragma once

namespace lanyard::guest {

// Raises the soft limit to the hard one; remembers what it was.
void raise_descriptor_limit();
// Back to what it was, in a child that becomes a program.
void restore_descriptor_limit();

}  // namespace lanyard::guest
