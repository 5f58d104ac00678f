// SPDX-License-Identifier: Apache-2.0
// A case whose wrong form compiles: the check must say so.
// says: never
#ifdef WRONG
int f() {
  return 1;
}
#else
int f() {
  return 2;
}
#endif
