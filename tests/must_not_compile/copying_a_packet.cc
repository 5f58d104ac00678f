// SPDX-License-Identifier: Apache-2.0
// A packet has one owner; sharing its bytes is asked for by name.
// says: use of deleted function|call to deleted constructor
#include "core/packet.hh"

using lanyard::Packet;
#ifdef WRONG
Packet f(const Packet& p) {
  return p;
}
#else
Packet f(const Packet& p) {
  return p.share();
}
#endif
