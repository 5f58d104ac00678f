// SPDX-License-Identifier: Apache-2.0
// A number is an address only when asked as v4(host order).
// says: could not convert|no viable conversion|cannot convert
#include "wire/address.hh"

using lanyard::IpAddress;
#ifdef WRONG
IpAddress f() {
  return 0x0a000001u;
}
#else
IpAddress f() {
  return IpAddress::v4(0x0a000001u);
}
#endif
