// SPDX-License-Identifier: Apache-2.0
#include "transport/ports.hh"

#include <algorithm>

#include "core/check.hh"

namespace lanyard::transport {

namespace {

Port port_of(BindingId binding) {
  return static_cast<Port>(static_cast<std::uint64_t>(binding) & 0xffff);
}

// Whether a datagram exists that both of these bindings would take.
bool do_overlap(const BindRequest& a, const BindRequest& b) {
  const IpAddress& x = a.local.address;
  const IpAddress& y = b.local.address;
  if (x.family() == y.family()) return x == y || x.is_unspecified() || y.is_unspecified();
  // "::" takes IPv4 too unless it is kept from it (RFC 3493 5.3).
  const BindRequest& six = x.is_v6() ? a : b;
  return six.local.address.is_unspecified() && !six.v6_only;
}

std::uint64_t hash_of(const SipKey& key, const IpAddress& local, const Endpoint& remote) {
  std::array<std::uint8_t, 34> message;
  std::copy_n(local.bytes().begin(), 16, message.begin());
  std::copy_n(remote.address.bytes().begin(), 16, message.begin() + 16);
  store16(message.data() + 32, remote.port);
  return siphash(key, message);
}

bool is_same(const BindRequest& a, const BindRequest& b) {
  return a.local == b.local && a.interface == b.interface && a.reuse_address == b.reuse_address &&
         a.reuse_port == b.reuse_port && a.v6_only == b.v6_only;
}

}  // namespace

Ports::Ports(const Config& config, const Seed& seed)
    : config_(config), dice_(seed.branch("ports").stream()) {
  offset_key_ = dice_.key();
  table_key_ = dice_.key();
  // RFC 6056 3.3.4: each counter starts anywhere.
  for (std::uint32_t& increment : increments_) increment = static_cast<std::uint32_t>(dice_.next());
}

Result<BindingId> Ports::bind(const BindRequest& request) {
  BindRequest wanted = request;
  if (wanted.local.port == 0) {
    const Result<Port> port = choose_for_bind(wanted);
    if (!port) return unexpected(port.error());
    wanted.local.port = *port;
  } else {
    if (wanted.local.port < config_.privileged_ports_end && !config_.may_bind_privileged)
      return unexpected(Errno::access_denied);
    if (conflicts(BindingId::none, wanted)) return unexpected(Errno::address_in_use);
  }
  return add(wanted, false).id;
}

BindingId Ports::hold(const BindRequest& request, bool is_automatic) {
  PortHolder* const equal = holders_.find(request.local.port, [&](const PortHolder& other) {
    return other.is_automatic == is_automatic && other.is_shared && is_same(other.request, request);
  });
  if (equal != nullptr) {
    ++equal->count;
    return equal->id;
  }
  PortHolder& holder = add(request, is_automatic);
  holder.is_shared = true;
  return holder.id;
}

void Ports::release(BindingId binding) {
  PortHolder* const held = holder(binding);
  if (held != nullptr && --held->count == 0) holders_.remove(*held);
}

Result<void> Ports::listen(BindingId binding) {
  PortHolder* const self = holder(binding);
  if (self == nullptr) return unexpected(Errno::invalid);
  // Two sockets with SO_REUSEADDR may both be bound, but only one of them may listen.
  self->is_listening = true;
  if (!conflicts(binding, self->request)) return {};
  self->is_listening = false;
  return unexpected(Errno::address_in_use);
}

void Ports::set_address(BindingId binding, const IpAddress& local) {
  if (PortHolder* const self = holder(binding)) self->request.local.address = local;
}

void Ports::set_reuse(BindingId binding, bool reuse_address, bool reuse_port) {
  PortHolder* const self = holder(binding);
  if (self == nullptr) return;
  self->request.reuse_address = reuse_address;
  self->request.reuse_port = reuse_port;
}

const BindRequest* Ports::find(BindingId binding) const {
  const PortHolder* const self = holder(binding);
  return self == nullptr ? nullptr : &self->request;
}

std::uint32_t Ports::range() const {
  return static_cast<std::uint32_t>(config_.ephemeral_last - config_.ephemeral_first) + 1;
}

// [RFC6056-3.3-a], algorithm 4: a keyed offset for each conversation plus a counter shared by a few
// of them, so that ports are unpredictable from outside and are not used again soon.
const Ports::Hashes& Ports::hashes_of(const IpAddress& local, const Endpoint& remote) {
  const bool is_known = latest_.is_set && latest_.local == local &&
                        latest_.remote.address == remote.address &&
                        latest_.remote.port == remote.port;
  if (!is_known) {
    latest_ = {local, remote, hash_of(offset_key_, local, remote),
               hash_of(table_key_, local, remote) % increments_.size(), true};
  }
  return latest_;
}

Port Ports::choice(std::uint32_t number) const {
  return static_cast<Port>(config_.ephemeral_first + number % range());
}

bool Ports::may_share(Port port) const {
  return holders_.find(port, [](const PortHolder& h) { return !h.is_automatic; }) == nullptr;
}

// The rules of Linux's bind: different devices never meet; SO_REUSEADDR on both lets them share
// unless the other listens (so a restarted server gets past its TIME-WAIT connections);
// SO_REUSEPORT on both always does.
bool Ports::conflicts(BindingId self, const BindRequest& wanted) const {
  const auto is_in_the_way = [&](const PortHolder& other) {
    if (other.id == self) return false;
    const BindRequest& theirs = other.request;
    if (wanted.interface != 0 && theirs.interface != 0 && wanted.interface != theirs.interface)
      return false;
    if (wanted.reuse_address && theirs.reuse_address && !other.is_listening) return false;
    if (wanted.reuse_port && theirs.reuse_port) return false;
    return do_overlap(wanted, theirs);
  };
  return holders_.find(wanted.local.port, is_in_the_way) != nullptr;
}

const PortHolder* Ports::holder(BindingId binding) const {
  return holders_.find(port_of(binding),
                       [binding](const PortHolder& one) { return one.id == binding; });
}

PortHolder* Ports::holder(BindingId binding) {
  return const_cast<PortHolder*>(static_cast<const Ports*>(this)->holder(binding));
}

// [RFC6056-3.3-a], algorithm 1: there is no remote end to hash yet, so the start is random.
Result<Port> Ports::choose_for_bind(BindRequest wanted) {
  const auto first = static_cast<std::uint32_t>(dice_.below(range()));
  for (std::uint32_t i = 0; i < range(); ++i) {
    wanted.local.port = choice(first + i);
    if (!conflicts(BindingId::none, wanted)) return wanted.local.port;
  }
  return unexpected(Errno::address_in_use);
}

PortHolder& Ports::add(const BindRequest& request, bool is_automatic) {
  const auto id = static_cast<BindingId>((++last_ << 16) | request.local.port);
  return holders_.add({.id = id, .request = request, .is_automatic = is_automatic});
}

Result<void> check_local(const internet::Paths& paths, const BindRequest& request,
                         bool is_datagram) {
  const IpAddress& address = request.local.address;
  if (address.is_unspecified() || request.free_bind) return {};
  if (is_datagram && (address.is_multicast() || paths.is_broadcast(address))) return {};
  const std::uint32_t zone =
      request.local.interface != 0 ? request.local.interface : request.interface;
  if (address.is_v6() && address.is_link_local() && zone == 0) return unexpected(Errno::invalid);
  if (!paths.is_own_address(address, zone)) return unexpected(Errno::address_not_available);
  return {};
}

}  // namespace lanyard::transport
