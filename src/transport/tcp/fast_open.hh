// SPDX-License-Identifier: Apache-2.0
// TCP Fast Open (RFC 7413): the cookies that a server gives out, and those that a client keeps. A
// cookie is a keyed sum of both addresses, as Linux makes it, so that two machines behind one
// address can share a key.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "core/random.hh"
#include "core/time.hh"
#include "wire/address.hh"
#include "wire/tcp_options.hh"

namespace lanyard::tcp {

// 4.1.2.
class FastOpenKey {
 public:
  explicit FastOpenKey(const SipKey& key) : key_(key) {}
  [[nodiscard]] FastOpenCookie cookie_for(const IpAddress& client, const IpAddress& server) const;

 private:
  SipKey key_;
};

// 4.1.3: what a client knows of the servers it has talked to.
class FastOpenCache {
 public:
  static constexpr std::size_t servers_max = 1024;
  struct Known {
    FastOpenCookie cookie;    // size 0: none yet
    std::uint16_t mss = 0;    // of its last SYN,ACK
    std::uint8_t losses = 0;  // of a SYN with data, in a row
    Instant lost_at;
    std::uint64_t used = 0;
  };
  // What to ask with: its cookie, or the request for one; nothing while the path loses what has
  // such an option (4.1.3.1).
  [[nodiscard]] std::optional<FastOpenCookie> ask(Instant now, const IpAddress& server) const;
  // The MSS it last said; 0: not known.
  [[nodiscard]] std::uint16_t mss(const IpAddress& server) const;
  void learn(const IpAddress& server, std::uint16_t mss,
             const std::optional<FastOpenCookie>& cookie);
  void note_loss(Instant now, const IpAddress& server);

 private:
  Known& at(const IpAddress& server);
  std::map<IpAddress, Known> known_;
  std::uint64_t uses_ = 0;
};

}  // namespace lanyard::tcp
