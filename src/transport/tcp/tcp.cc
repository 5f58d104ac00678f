// SPDX-License-Identifier: Apache-2.0
// The public face: finds what a handle means, lets machine.hh do it, and ends every call the same
// way: what may be sent goes out, then the observer is told.
#include "transport/tcp/tcp.hh"

#include <algorithm>
#include <utility>

#include "transport/tcp/icmp.hh"
#include "transport/tcp/parts.hh"

namespace lanyard::tcp {

Tcp::Tcp(const transport::Config& config, const Seed& seed, internet::Paths& paths, Trace* trace,
         std::uint32_t node, internet::Outbox& out)
    : parts_(std::make_unique<Parts>(config, seed, paths, trace, node, out)) {}

Tcp::~Tcp() = default;

void Tcp::set_observer(Observer* observer) {
  parts_->observer = observer;
}

void Tcp::on_config_change() {
  const transport::Config& config = parts_->config;
  parts_->kept.set_defaults(Settings::defaults(config));
  if (config.fast_open_key) parts_->fast_open_key = FastOpenKey(*config.fast_open_key);
}

Settings Tcp::default_settings() const {
  return *parts_->kept.defaults();
}

std::shared_ptr<const Settings> Tcp::kept_defaults() const {
  return parts_->kept.defaults();
}

std::shared_ptr<const Settings> Tcp::keep(const Settings& settings) {
  return parts_->kept.keep(settings);
}

std::shared_ptr<const Settings> Tcp::kept_settings(ConnectionId id) const {
  const Connection* const c = parts_->open_connection(id);
  return c == nullptr ? parts_->kept.defaults() : c->settings;
}

Result<transport::BindingId> Tcp::bind(const transport::BindRequest& request) {
  if (const auto ok = transport::check_local(parts_->paths, request, false); !ok)
    return unexpected(ok.error());
  return parts_->ports.bind(request);
}

void Tcp::unbind(transport::BindingId binding) {
  parts_->ports.release(binding);
}

void Tcp::set_reuse(transport::BindingId binding, bool reuse_address, bool reuse_port) {
  parts_->ports.set_reuse(binding, reuse_address, reuse_port);
}

Endpoint Tcp::bound_to(transport::BindingId binding) const {
  const transport::BindRequest* const request = parts_->ports.find(binding);
  return request == nullptr ? Endpoint{} : request->local;
}

// RFC 9293 3.9.1.1 [MUST-41]: a new record or an error.
Result<ListenerId> Tcp::listen(transport::BindingId binding, std::uint32_t backlog,
                               const Settings& settings, Owner owner) {
  if (const auto ok = parts_->ports.listen(binding); !ok) return unexpected(ok.error());
  Listener& listener = parts_->listeners.add([](Listener& made, ListenerId id) { made.id = id; });
  listener.owner = owner;
  listener.binding = binding;
  listener.bound = *parts_->ports.find(binding);
  listener.backlog = std::min(backlog, parts_->config.backlog_max);
  listener.settings = parts_->kept.keep(settings);
  parts_->listening.add(listener);
  return listener.id;
}

Result<void> Tcp::set_backlog(ListenerId id, std::uint32_t backlog) {
  Listener* const listener = parts_->listeners.find(id);
  if (listener == nullptr) return unexpected(Errno::bad_descriptor);
  listener->backlog = std::min(backlog, parts_->config.backlog_max);
  return {};
}

void Tcp::set(ListenerId id, const Settings& settings) {
  if (Listener* const listener = parts_->listeners.find(id))
    listener->settings = parts_->kept.keep(settings);
}

Result<ConnectionId> Tcp::accept(Instant, ListenerId id, Owner owner) {
  Listener* const listener = parts_->listeners.find(id);
  if (listener == nullptr) return unexpected(Errno::bad_descriptor);
  if (listener->waiting.empty()) return unexpected(Errno::try_again);
  Connection& c = *parts_->connections.find(listener->waiting.front());
  listener->waiting.pop_front();
  c.listener = ListenerId::none;
  c.owner = owner;
  return c.id;
}

bool Tcp::has_waiting(ListenerId id) const {
  const Listener* const listener = parts_->listeners.find(id);
  return listener != nullptr && !listener->waiting.empty();
}

void Tcp::close(Instant now, ListenerId id) {
  Listener* const listener = parts_->listeners.find(id);
  if (listener == nullptr) return;
  parts_->close(now, *listener);
  parts_->finish(now);
}

bool Tcp::may_open_fast(Instant now, const Open& open) const {
  const std::uint32_t bits = parts_->config.fast_open;
  if ((bits & transport::fast_open::client) == 0) return false;
  const bool is_free = (bits & transport::fast_open::client_without_cookie) != 0 ||
                       open.settings.fast_open_without_cookie;
  const auto cookie = parts_->fast_opens.ask(now, open.remote.address);
  return cookie && (cookie->size > 0 || is_free);
}

Result<ConnectionId> Tcp::connect(Instant now, const Open& open) {
  const auto result = parts_->connect(now, open);
  parts_->finish(now);
  return result;
}

Result<std::size_t> Tcp::send(Instant now, ConnectionId id, Bytes bytes, SendFlags flags) {
  Connection* const c = parts_->open_connection(id);
  if (c == nullptr) return unexpected(Errno::bad_descriptor);
  const auto result = parts_->send(now, *c, bytes, flags);
  parts_->finish(now);
  return result;
}

Result<std::size_t> Tcp::receive(Instant now, ConnectionId id, MutableBytes buffer,
                                 ReceiveFlags flags) {
  Connection* const c = parts_->open_connection(id);
  if (c == nullptr) return unexpected(Errno::bad_descriptor);
  const auto result = parts_->receive(*c, buffer, flags);
  parts_->finish(now);
  return result;
}

Result<std::size_t> Tcp::send(Instant now, ConnectionId id, const Slice& slice) {
  Connection* const c = parts_->open_connection(id);
  if (c == nullptr) return unexpected(Errno::bad_descriptor);
  const auto result = parts_->send(*c, slice);
  parts_->finish(now);
  return result;
}

Result<std::size_t> Tcp::peek(Instant now, ConnectionId id, std::size_t size,
                              std::vector<Slice>& out) {
  Connection* const c = parts_->open_connection(id);
  if (c == nullptr) return unexpected(Errno::bad_descriptor);
  const auto result = parts_->peek(*c, size, out);
  parts_->finish(now);
  return result;
}

Result<std::size_t> Tcp::skip(Instant now, ConnectionId id, std::size_t size) {
  Connection* const c = parts_->open_connection(id);
  if (c == nullptr) return unexpected(Errno::bad_descriptor);
  const std::size_t result = parts_->skip(*c, size);
  parts_->finish(now);
  return result;
}

Result<void> Tcp::shutdown_write(Instant now, ConnectionId id) {
  Connection* const c = parts_->open_connection(id);
  if (c == nullptr) return unexpected(Errno::bad_descriptor);
  if (c->is_over) return unexpected(Errno::not_connected);
  parts_->close_write(now, *c);
  parts_->finish(now);
  return {};
}

void Tcp::close(Instant now, ConnectionId id) {
  Connection* const c = parts_->open_connection(id);
  if (c == nullptr) return;
  parts_->close(now, *c);
  parts_->finish(now);
}

void Tcp::abort(Instant now, ConnectionId id) {
  Connection* const c = parts_->open_connection(id);
  if (c == nullptr) return;
  c->is_orphan = true;
  parts_->abort(now, *c, std::nullopt);
  parts_->finish(now);
}

std::optional<Errno> Tcp::take_error(ConnectionId id) {
  Connection* const c = parts_->open_connection(id);
  return c == nullptr ? std::nullopt : std::exchange(c->error, std::nullopt);
}

void Tcp::set(Instant now, ConnectionId id, const Settings& settings) {
  Connection* const c = parts_->open_connection(id);
  if (c == nullptr) return;
  parts_->apply(now, *c, settings);
  parts_->finish(now);
}

void Tcp::set_quick_ack(Instant now, ConnectionId id, bool is_on) {
  Connection* const c = parts_->open_connection(id);
  if (c == nullptr) return;
  c->is_interactive = !is_on;
  c->quick_acks = is_on ? quick_acks_max : 0;
  if (is_on && c->ack_delayed) {
    c->ack_now = true;
    parts_->schedule(*c);
  }
  parts_->finish(now);
}

DropReason Tcp::on_segment(Instant now, internet::Datagram&& segment, bool more) {
  const DropReason reason = parts_->on_segment(now, segment);
  if (!more) parts_->finish(now);
  return reason;
}

void Tcp::flush(Instant now) {
  parts_->finish(now);
}

bool Tcp::believes(const internet::IcmpError& error) const {
  return quoted_in(parts_->demux, error) != nullptr;
}

void Tcp::on_icmp_error(Instant now, const internet::IcmpError& error) {
  parts_->on_icmp_error(now, error);
  parts_->finish(now);
}

// What goes out from now on is cut to fit; what is on its way was sent. Those that are folded learn
// it when they send (Stack::Parts::send_one).
void Tcp::on_mtu_change() {
  for (Connection* const c : parts_->connections.unfolded()) parts_->refresh_path(*c);
}

void Tcp::forget_servers() {
  parts_->fast_opens = FastOpenCache();
}

void Tcp::poll(Instant now) {
  parts_->poll(now);
  parts_->finish(now);
}

Instant Tcp::next_deadline() const {
  return parts_->timers.next_deadline();
}

}  // namespace lanyard::tcp
