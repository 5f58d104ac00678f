// SPDX-License-Identifier: Apache-2.0
// A point in time is not a length of time.
// says: could not convert|cannot convert|no viable conversion
#include "core/time.hh"

using lanyard::Instant, lanyard::Duration;
#ifdef WRONG
Duration f(Instant a) {
  return a;
}
#else
Duration f(Instant a) {
  return a.since_start();
}
#endif
