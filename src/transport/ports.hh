// SPDX-License-Identifier: Apache-2.0
// Who holds which port of one protocol on one machine, and who may have it beside them: the bind
// rules of Linux (SO_REUSEADDR, SO_REUSEPORT, dual stack, device binding) and ephemeral ports by
// RFC 6056. TCP and UDP each own one.
#pragma once

#include <array>
#include <cstdint>

#include "core/error.hh"
#include "core/random.hh"
#include "internet/datagram.hh"
#include "transport/config.hh"
#include "transport/port_table.hh"
#include "wire/address.hh"

namespace lanyard::transport {

class Ports {
 public:
  Ports(const Config& config, const Seed& seed);

  // Reserves a port. Errors: access_denied (privileged), address_in_use. Whether the address is
  // ours has been checked by check_local().
  Result<BindingId> bind(const BindRequest& request);
  // Holds a port for a connection that came in through a listener, or (automatic) chose it. Equal
  // ones share an id, so that a million connections of one server cost one entry.
  BindingId hold(const BindRequest& request, bool is_automatic);
  void release(BindingId binding);
  // From bound to listening; address_in_use if somebody else listens there (Linux checks again).
  Result<void> listen(BindingId binding);
  // A connection fixed the address of a wildcard binding.
  void set_address(BindingId binding, const IpAddress& local);
  // Changes the reuse flags that later binds of others will be compared with.
  void set_reuse(BindingId binding, bool reuse_address, bool reuse_port);
  [[nodiscard]] const BindRequest* find(BindingId binding) const;

  // RFC 6056 3.3.4 algorithm 4: a port for a conversation from `local` to `remote`; `is_taken` says
  // whether the 4-tuple is in use. address_not_available when all are.
  template <typename IsTaken>
  Result<Port> choose(const IpAddress& local, const Endpoint& remote, IsTaken is_taken) {
    const Hashes& hashes = hashes_of(local, remote);
    std::uint32_t& increment = increments_[hashes.place];
    const std::uint32_t first =
        static_cast<std::uint32_t>(hashes.offset % range()) + increment % range();
    for (std::uint32_t i = 0; i < range(); ++i) {
      const Port port = choice(first + i);
      if (!may_share(port) || is_taken(port)) continue;
      increment += i + 1;
      return port;
    }
    return unexpected(Errno::address_not_available);
  }

 private:
  [[nodiscard]] std::uint32_t range() const;
  // Of a conversation without our port: those of one after another often go to one server.
  struct Hashes {
    IpAddress local{};
    Endpoint remote{};
    std::uint64_t offset = 0;
    std::size_t place = 0;  // among the counters
    bool is_set = false;
  };
  [[nodiscard]] const Hashes& hashes_of(const IpAddress& local, const Endpoint& remote);
  [[nodiscard]] Port choice(std::uint32_t number) const;
  [[nodiscard]] bool may_share(Port port) const;
  [[nodiscard]] bool conflicts(BindingId self, const BindRequest& wanted) const;
  [[nodiscard]] const PortHolder* holder(BindingId binding) const;
  [[nodiscard]] PortHolder* holder(BindingId binding);
  Result<Port> choose_for_bind(BindRequest wanted);
  PortHolder& add(const BindRequest& request, bool is_automatic);

  const Config& config_;
  SipKey offset_key_;
  SipKey table_key_;
  std::array<std::uint32_t, 64> increments_{};  // RFC 6056 3.3.4: one counter per hash of remote
  RandomStream dice_;
  Hashes latest_;
  PortTable holders_;
  std::uint64_t last_ = 0;
};

// Whether `local` may be bound at all: ours, unspecified, or (datagrams only) a group or broadcast.
[[nodiscard]] Result<void> check_local(const internet::Paths& paths, const BindRequest& request,
                                       bool is_datagram);

}  // namespace lanyard::transport
