// SPDX-License-Identifier: Apache-2.0
#include "application/dhcp_client.hh"

#include <algorithm>
#include <utility>

namespace lanyard::application {

namespace {

using dhcp::Message;
using dhcp::Type;

constexpr unsigned requests_max = 4;                      // RFC 2131 3.1 5
constexpr Duration decline_wait = Duration::seconds(10);  // RFC 2131 3.1 5
constexpr Duration renewal_wait_min = Duration::seconds(60);
constexpr std::uint8_t ethernet = 1;

// May somebody be called so? BI-89.
bool is_possible(const IpAddress& address) {
  return !address.is_unspecified() && !address.is_multicast() && !address.is_loopback() &&
         !address.is_limited_broadcast() && !address.is_reserved_v4();
}

// Without a mask that is one, the class of old decides (RFC 950).
std::uint8_t class_length(const IpAddress& address) {
  const unsigned first = address.v4_number() >> 24;
  if (first < 128) return 8;
  return first < 192 ? 16 : 24;
}

Duration seconds_of(std::uint32_t seconds) {
  return seconds == dhcp::for_ever_s ? Duration::infinite() : Duration::seconds(seconds);
}

Duration share_of(Duration duration, std::int64_t parts, std::int64_t of) {
  return duration == Duration::infinite() ? duration : duration / of * parts;
}

}  // namespace

std::string_view to_text(DhcpClient::State state) {
  switch (state) {
    case DhcpClient::State::init:
      return "INIT";
    case DhcpClient::State::selecting:
      return "SELECTING";
    case DhcpClient::State::requesting:
      return "REQUESTING";
    case DhcpClient::State::checking:
      return "CHECKING";
    case DhcpClient::State::bound:
      return "BOUND";
    case DhcpClient::State::renewing:
      return "RENEWING";
    case DhcpClient::State::rebinding:
      return "REBINDING";
    case DhcpClient::State::rebooting:
      return "REBOOTING";
  }
  return "";
}

DhcpClient::DhcpClient(Instant now, const Settings& settings, const RandomStream& chance)
    : settings_(settings), chance_(chance) {
  // RFC 2131 4.4.1: not all machines at once after a power cut.
  begin(now, settings_.at_once ? Duration::zero()
                               : random_within(Duration::seconds(1), Duration::seconds(10)));
}

Duration DhcpClient::random_within(Duration least, Duration most) {
  const auto range = static_cast<std::uint64_t>((most - least).count_ns());
  return least + Duration::nanoseconds(static_cast<std::int64_t>(chance_.below(range)));
}

void DhcpClient::begin(Instant now, Duration wait) {
  state_ = State::init;
  tries_ = 0;
  lease_ = {};
  next_ = now + wait;
}

void DhcpClient::act(Action::Kind kind, Message message) {
  actions_.push_back({.kind = kind, .message = std::move(message), .lease = lease_});
}

// RFC 2131 4.1 [RFC2131-4.1-a]: 4, 8, 16, 32, 64, 64 ... seconds, each a second more or less.
void DhcpClient::back_off(Instant now) {
  const Duration delay = Duration::seconds(std::int64_t{4} << std::min(tries_, 4U));
  const Duration second = Duration::seconds(1);
  next_ = now + random_within(delay - second, delay + second);
  ++tries_;
}

// RFC 2131 4.1 [RFC2131-4.1-c]: our stack hears no unicast before it has an address, so answers are
// to be broadcast until then.
Message DhcpClient::blank(Type type) const {
  Message message;
  message.type = type;
  message.transaction = transaction_;
  message.seconds = seconds_;
  message.hardware = settings_.mac;
  message.client_identifier.resize(1 + settings_.mac.bytes.size());
  message.client_identifier[0] = ethernet;
  std::ranges::copy(settings_.mac.bytes, message.client_identifier.begin() + 1);
  const bool asks = type == Type::discover || type == Type::request;
  const bool has_address = state_ == State::renewing || state_ == State::rebinding;
  message.wants_broadcast = asks && !has_address;
  if (!asks) return message;
  message.host_name = settings_.host_name;
  message.parameters = {dhcp::option::subnet_mask, dhcp::option::routers,
                        dhcp::option::name_servers, dhcp::option::domain_name};
  return message;
}

void DhcpClient::send_discover(Instant now) {
  seconds_ = static_cast<std::uint16_t>(
      std::min<std::int64_t>((now - began_) / Duration::seconds(1), 65535));
  Message message = blank(Type::discover);
  message.requested = settings_.suggested;
  act(Action::Kind::broadcast, std::move(message));
  back_off(now);
}

// Of an offer (RFC 2131 4.3.2 [RFC2131-3.1-a]: the server and the address named, the transaction
// and seconds as in the DISCOVER), or of what is remembered (4.4.2 [RFC2131-4.4.2-a]: no server).
void DhcpClient::send_request(Instant now) {
  Message message = blank(Type::request);
  if (state_ == State::rebooting) {
    message.requested = settings_.remembered;
  } else {
    message.requested = lease_.address.address;
    message.server = lease_.server;
  }
  asked_at_ = now;
  act(Action::Kind::broadcast, std::move(message));
  back_off(now);
}

// RFC 2131 4.4.5 [RFC2131-4.4.5-a]: to the server, then to all; again after half the time that is
// left, at least a minute.
void DhcpClient::send_renewal(Instant now) {
  Message message = blank(Type::request);
  message.client = lease_.address.address;
  asked_at_ = now;
  const bool is_renewing = state_ == State::renewing;
  const Instant end = is_renewing ? lease_.rebind_at : lease_.expires_at;
  act(is_renewing ? Action::Kind::unicast : Action::Kind::broadcast, std::move(message));
  next_ = std::min(end, now + std::max(renewal_wait_min, (end - now) / 2));
}

void DhcpClient::renew(Instant now, State state) {
  state_ = state;
  transaction_ = static_cast<std::uint32_t>(chance_.next());
  seconds_ = 0;
  send_renewal(now);
}

std::vector<DhcpClient::Action> DhcpClient::poll(Instant now) {
  if (next_ > now) return {};
  switch (state_) {
    case State::init:
      transaction_ = static_cast<std::uint32_t>(chance_.next());
      began_ = now;
      seconds_ = 0;
      state_ = settings_.remembered ? State::rebooting : State::selecting;
      settings_.remembered ? send_request(now) : send_discover(now);
      break;
    case State::selecting:
      send_discover(now);
      break;
    case State::requesting:
    case State::rebooting:
      if (tries_ < requests_max) {
        send_request(now);
      } else {
        settings_.remembered.reset();
        begin(now, Duration::zero());
      }
      break;
    case State::bound:
      renew(now, State::renewing);
      break;
    case State::renewing:
      now < lease_.rebind_at ? send_renewal(now) : renew(now, State::rebinding);
      break;
    case State::rebinding:
      if (now < lease_.expires_at) {
        send_renewal(now);
      } else {
        act(Action::Kind::drop);
        begin(now, Duration::zero());
      }
      break;
    case State::checking:
      next_ = Instant::never();
      break;
  }
  return std::exchange(actions_, {});
}

std::vector<DhcpClient::Action> DhcpClient::on_message(Instant now, const Message& message) {
  // RFC 2131 4.4.1 [RFC2131-4.4.1-a], BI-89: an answer to somebody else, or to an older question.
  const bool is_ours =
      message.is_reply && message.transaction == transaction_ && message.hardware == settings_.mac;
  if (!is_ours) return {};
  if (message.type == Type::offer) on_offer(now, message);
  if (message.type == Type::ack) on_ack(now, message);
  if (message.type == Type::nak) on_nak(now, message);
  return std::exchange(actions_, {});
}

// What a server gives, if it makes sense. BI-89: no server, no time, an impossible address.
std::optional<DhcpLease> DhcpClient::lease_of(const Message& message) const {
  if (!message.server || !message.lease_s || *message.lease_s == 0) return std::nullopt;
  if (!is_possible(message.yours)) return std::nullopt;
  DhcpLease lease;
  std::optional<std::uint8_t> length;
  if (message.mask) length = dhcp::length_of_mask(*message.mask);
  lease.address = {message.yours, length.value_or(class_length(message.yours))};
  const bool is_network_itself =
      lease.address.length < 31 &&
      (lease.address.network() == message.yours || lease.address.broadcast() == message.yours);
  if (is_network_itself) return std::nullopt;
  lease.server = *message.server;
  lease.routers = message.routers;
  lease.name_servers = message.name_servers;
  lease.domain_name = message.domain_name;
  lease.duration = seconds_of(*message.lease_s);
  // RFC 2131 4.4.5: half, and seven eighths, unless it says better.
  Duration renewal = share_of(lease.duration, 1, 2);
  Duration rebinding = share_of(lease.duration, 7, 8);
  if (message.rebinding_s && seconds_of(*message.rebinding_s) < lease.duration) {
    rebinding = seconds_of(*message.rebinding_s);
  }
  if (message.renewal_s && seconds_of(*message.renewal_s) < rebinding) {
    renewal = seconds_of(*message.renewal_s);
  }
  renewal = std::min(renewal, rebinding);
  lease.renew_at = asked_at_ + renewal;
  lease.rebind_at = asked_at_ + rebinding;
  lease.expires_at = asked_at_ + lease.duration;
  return lease;
}

// The first that makes sense is taken.
void DhcpClient::on_offer(Instant now, const Message& message) {
  if (state_ != State::selecting) return;
  auto lease = lease_of(message);
  if (!lease) return;
  lease_ = std::move(*lease);
  state_ = State::requesting;
  tries_ = 0;
  send_request(now);
}

void DhcpClient::on_ack(Instant now, const Message& message) {
  const bool is_first = state_ == State::requesting || state_ == State::rebooting;
  const bool is_again = state_ == State::renewing || state_ == State::rebinding;
  if (!is_first && !is_again) return;
  auto lease = lease_of(message);
  if (!lease) return;
  const IpAddress wanted =
      state_ == State::rebooting ? *settings_.remembered : lease_.address.address;
  const bool is_other_server = state_ == State::requesting && lease->server != lease_.server;
  if (lease->address.address != wanted || is_other_server) return;
  lease_ = std::move(*lease);
  if (is_first) {
    // RFC 2131 4.4.1 [RFC2131-4.4.1-b]: is it really free?
    state_ = State::checking;
    next_ = Instant::never();
    return act(Action::Kind::check);
  }
  state_ = State::bound;
  next_ = std::max(now, lease_.renew_at);
  act(Action::Kind::use);
}

// RFC 2131 3.1, 4.4 [RFC2131-3.1-b]: all over again. BI-89: not from a server nobody asked.
void DhcpClient::on_nak(Instant now, const Message& message) {
  const bool is_renewal = state_ == State::renewing || state_ == State::rebinding;
  const bool is_asked = is_renewal || state_ == State::requesting || state_ == State::rebooting;
  const bool has_one_server = state_ == State::renewing || state_ == State::requesting;
  if (!is_asked || !message.server) return;
  if (has_one_server && *message.server != lease_.server) return;
  if (is_renewal) act(Action::Kind::drop);
  settings_.remembered.reset();
  begin(now, random_within(Duration::seconds(1), Duration::seconds(10)));
}

std::vector<DhcpClient::Action> DhcpClient::on_checked(Instant now, bool is_free) {
  if (state_ != State::checking) return {};
  if (is_free) {
    state_ = State::bound;
    next_ = std::max(now, lease_.renew_at);
    act(Action::Kind::use);
  } else {
    // RFC 2131 3.1 5, 4.4.4 [RFC2131-4.4.1-b]: refused, and a pause so that this makes no storm.
    Message message = blank(Type::decline);
    message.seconds = 0;
    message.requested = lease_.address.address;
    message.server = lease_.server;
    act(Action::Kind::broadcast, std::move(message));
    settings_.remembered.reset();
    settings_.suggested.reset();
    begin(now, decline_wait);
  }
  return std::exchange(actions_, {});
}

// RFC 2131 3.1 6, 4.4.6 [RFC2131-3.1-b]: with the client identifier the lease was got with.
std::vector<DhcpClient::Action> DhcpClient::release(Instant now) {
  const bool has_lease =
      state_ == State::bound || state_ == State::renewing || state_ == State::rebinding;
  if (has_lease) {
    transaction_ = static_cast<std::uint32_t>(chance_.next());
    Message message = blank(Type::release);
    message.seconds = 0;
    message.client = lease_.address.address;
    message.server = lease_.server;
    act(Action::Kind::unicast, std::move(message));
    act(Action::Kind::drop);
  }
  begin(now, Duration::infinite());
  return std::exchange(actions_, {});
}

}  // namespace lanyard::application
