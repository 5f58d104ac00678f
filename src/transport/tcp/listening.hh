// SPDX-License-Identifier: Apache-2.0
// The listeners by their ports, and which of them a SYN is for.
#pragma once

#include <map>
#include <vector>

#include "core/random.hh"
#include "transport/tcp/listener.hh"
#include "transport/tcp/segment.hh"

namespace lanyard::tcp {

class Listening {
 public:
  explicit Listening(const SipKey& balance_key) : balance_key_(balance_key) {}
  void add(Listener& listener) { by_port_[listener.bound.local.port].push_back(&listener); }
  void remove(Listener& listener);
  // The most exactly bound one; of equals with SO_REUSEPORT one chosen by hash.
  [[nodiscard]] Listener* find(const Segment& segment) const;

 private:
  SipKey balance_key_;
  std::map<Port, std::vector<Listener*>> by_port_;
};

}  // namespace lanyard::tcp
