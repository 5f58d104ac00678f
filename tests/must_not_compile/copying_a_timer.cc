// SPDX-License-Identifier: Apache-2.0
// A timer is linked into a wheel where it stands.
// says: use of deleted function|uses deleted function
#include "core/timers.hh"

using lanyard::Timer;
#ifdef WRONG
Timer f(const Timer& t) {
  return Timer(t);
}
#else
bool f(const Timer& t) {
  return t.is_armed();
}
#endif
