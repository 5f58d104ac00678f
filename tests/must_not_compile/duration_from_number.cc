// SPDX-License-Identifier: Apache-2.0
// A number is not a duration until somebody names the unit.
// says: could not convert|no viable conversion|no known conversion
#include "core/time.hh"

using lanyard::Duration;
#ifdef WRONG
Duration f() {
  return 20;
}
#else
Duration f() {
  return Duration::milliseconds(20);
}
#endif
