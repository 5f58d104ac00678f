// SPDX-License-Identifier: Apache-2.0
#include "guest/limits.hh"

#include <sys/resource.h>

namespace lanyard::guest {

namespace {

rlimit original{};
bool was_raised = false;

}  // namespace

void raise_descriptor_limit() {
  if (was_raised || getrlimit(RLIMIT_NOFILE, &original) != 0) return;
  rlimit raised = original;
  raised.rlim_cur = raised.rlim_max;
  was_raised = setrlimit(RLIMIT_NOFILE, &raised) == 0;
}

void restore_descriptor_limit() {
  if (was_raised) setrlimit(RLIMIT_NOFILE, &original);
}

}  // namespace lanyard::guest
