// SPDX-License-Identifier: Apache-2.0
#include "application/dhcp6_client.hh"

#include <algorithm>
#include <utility>

namespace lanyard::application {

namespace {

using dhcp6::Message;
using dhcp6::Status;
using dhcp6::Type;

constexpr std::uint8_t preference_most = 255;

Duration seconds_of(std::uint32_t seconds) {
  return seconds == dhcp6::for_ever_s ? Duration::infinite() : Duration::seconds(seconds);
}

Type type_of(Dhcp6Client::State state) {
  switch (state) {
    case Dhcp6Client::State::soliciting:
      return Type::solicit;
    case Dhcp6Client::State::requesting:
      return Type::request;
    case Dhcp6Client::State::renewing:
      return Type::renew;
    case Dhcp6Client::State::rebinding:
      return Type::rebind;
    case Dhcp6Client::State::confirming:
      return Type::confirm;
    case Dhcp6Client::State::declining:
      return Type::decline;
    case Dhcp6Client::State::releasing:
      return Type::release;
    case Dhcp6Client::State::informing:
    case Dhcp6Client::State::checking:
    case Dhcp6Client::State::bound:
    case Dhcp6Client::State::over:
      break;
  }
  return Type::information_request;
}

// May somebody be called so? BI-90.
bool is_possible(const IpAddress& address) {
  return !address.is_unspecified() && !address.is_multicast() && !address.is_loopback() &&
         !address.is_link_local() && address.is_v6();
}

}  // namespace

Dhcp6Client::Dhcp6Client(Instant now, const Settings& settings, const RandomStream& chance)
    : settings_(settings), duid_(dhcp6::duid_of(settings.mac)), chance_(chance) {
  // RFC 8415 18.2.1, 18.2.6 [RFC8415-14-a]: up to a second before the first.
  const Duration wait = Duration::nanoseconds(static_cast<std::int64_t>(
      chance_.below(static_cast<std::uint64_t>(Duration::seconds(1).count_ns()))));
  begin(now, settings.only_informs ? State::informing : State::soliciting, wait);
}

// RFC 8415 7.6 [RFC8415-14-a].
Dhcp6Client::Repeat Dhcp6Client::repeat_of(State state) const {
  const Duration second = Duration::seconds(1);
  switch (state) {
    case State::soliciting:
    case State::informing:
      return {.first = second, .most = second * 3600};
    case State::requesting:
      return {.first = second, .most = second * 30, .count_max = 10};
    case State::renewing:
    case State::rebinding:
      return {.first = second * 10, .most = second * 600};
    case State::confirming:
      return {.first = second, .most = second * 4, .duration_max = second * 10};
    case State::declining:
    case State::releasing:
      return {.first = second, .count_max = 4};
    case State::checking:
    case State::bound:
    case State::over:
      break;
  }
  return {};
}

// RFC 8415 15: RAND is from -0.1 to 0.1, above zero for the first Solicit.
Duration Dhcp6Client::about(Duration duration, bool is_above) {
  const std::int64_t tenth = duration.count_ns() / 10;
  const auto range = static_cast<std::uint64_t>(is_above ? tenth : 2 * tenth + 1);
  const auto drawn = static_cast<std::int64_t>(chance_.below(range));
  return duration + Duration::nanoseconds(is_above ? 1 + drawn : drawn - tenth);
}

void Dhcp6Client::act(Action::Kind kind, Message message) {
  actions_.push_back({.kind = kind, .message = std::move(message), .lease = lease_});
}

void Dhcp6Client::begin(Instant now, State state, Duration wait) {
  state_ = state;
  transaction_ = static_cast<std::uint32_t>(chance_.next()) & 0xffffff;
  sent_ = 0;
  best_.reset();
  next_ = began_ = now + wait;
  const Repeat repeat = repeat_of(state);
  until_ =
      repeat.duration_max == Duration::zero() ? Instant::never() : began_ + repeat.duration_max;
  if (state == State::renewing) until_ = lease_.rebind_at;
  if (state == State::rebinding) until_ = lease_.expires_at;
}

Message Dhcp6Client::question() const {
  Message message;
  message.type = type_of(state_);
  message.transaction = transaction_;
  message.client = duid_;
  message.requested = {dhcp6::option::name_servers};
  const bool names_server = state_ == State::requesting || state_ == State::renewing ||
                            state_ == State::declining || state_ == State::releasing;
  if (names_server) message.server = lease_.server;
  if (state_ == State::informing) return message;
  message.ia = dhcp6::Ia{.id = settings_.ia};
  if (state_ != State::soliciting) message.ia->addresses = {lease_.address};
  return message;
}

// RFC 8415 15 [RFC8415-14-a], 21.9: the time since the first of these messages.
void Dhcp6Client::transmit(Instant now) {
  const Repeat repeat = repeat_of(state_);
  if (repeat.count_max != 0 && sent_ == repeat.count_max) return give_up(now);
  Message message = question();
  message.elapsed = static_cast<std::uint16_t>(
      std::min<std::int64_t>((now - began_) / Duration::milliseconds(10), 65535));
  act(Action::Kind::send, std::move(message));
  ++sent_;
  const bool is_first = sent_ == 1;
  timeout_ = is_first ? about(repeat.first, state_ == State::soliciting)
                      : timeout_ * 2 + (about(timeout_, false) - timeout_);
  const bool is_long = repeat.most != Duration::zero() && timeout_ > repeat.most;
  if (is_long) timeout_ = about(repeat.most, false);
  next_ = now + timeout_;
}

// An exchange that came to nothing.
void Dhcp6Client::give_up(Instant now) {
  switch (state_) {
    case State::requesting:
    case State::declining:
      return begin(now, State::soliciting);
    case State::renewing:
      return begin(now, State::rebinding);
    case State::confirming:
      // RFC 8415 18.2.3: nobody says no: it is used on.
      state_ = State::bound;
      return;
    case State::rebinding:
      act(Action::Kind::drop);
      lease_ = {};
      return begin(now, State::soliciting);
    case State::releasing:
      state_ = State::over;
      return;
    case State::soliciting:
    case State::checking:
    case State::bound:
    case State::informing:
    case State::over:
      return;
  }
}

Instant Dhcp6Client::next_deadline() const {
  switch (state_) {
    case State::checking:
    case State::over:
      return Instant::never();
    case State::bound:
      return lease_.renew_at;
    case State::soliciting:
    case State::requesting:
    case State::renewing:
    case State::rebinding:
    case State::confirming:
    case State::declining:
    case State::releasing:
    case State::informing:
      break;
  }
  return std::min(next_, until_);
}

std::vector<Dhcp6Client::Action> Dhcp6Client::poll(Instant now) {
  if (next_deadline() > now) return {};
  if (state_ == State::bound) begin(now, State::renewing);
  if (until_ <= now) give_up(now);
  if (state_ == State::soliciting && best_) {
    take_best_offer(now);
  } else if (next_deadline() <= now && state_ != State::bound) {
    transmit(now);
  }
  return std::exchange(actions_, {});
}

// RFC 8415 16 [RFC8415-16-a]: of this exchange, for us, and from somebody.
std::vector<Dhcp6Client::Action> Dhcp6Client::on_message(Instant now, const Message& message) {
  const bool is_ours = message.transaction == transaction_ && message.client == duid_ &&
                       !message.server.empty() && sent_ > 0;
  if (!is_ours) return {};
  if (message.type == Type::advertise && state_ == State::soliciting) on_advertise(now, message);
  if (message.type == Type::reply) on_reply(now, message);
  return std::exchange(actions_, {});
}

// RFC 8415 18.2.1, 18.2.9 [RFC8415-18-a]: the best of the first wait, or at once the one that says
// it is the best, and after that wait the first.
void Dhcp6Client::on_advertise(Instant now, const Message& message) {
  const bool offers = message.ia && message.ia->id == settings_.ia &&
                      !message.ia->addresses.empty() && message.status == Status::success &&
                      is_possible(message.ia->addresses.front().address);
  if (!offers) return;
  if (!best_ || message.preference > best_->preference) best_ = message;
  if (message.preference == preference_most || sent_ > 1) take_best_offer(now);
}

void Dhcp6Client::take_best_offer(Instant now) {
  lease_ = {};
  lease_.server = best_->server;
  lease_.address = best_->ia->addresses.front();
  begin(now, State::requesting);
  transmit(now);
}

// RFC 8415 18.2.10 [RFC8415-18-a].
void Dhcp6Client::on_reply(Instant now, const Message& message) {
  switch (state_) {
    case State::requesting:
    case State::renewing:
    case State::rebinding:
      return on_lease(now, message);
    case State::confirming:
      state_ = State::bound;
      if (message.status == Status::success) return;
      act(Action::Kind::drop);
      lease_ = {};
      return begin(now, State::soliciting);
    case State::declining:
      return begin(now, State::soliciting);
    case State::releasing:
      state_ = State::over;
      return;
    case State::informing:
      lease_.name_servers = message.name_servers;
      act(Action::Kind::inform);
      state_ = State::over;
      return;
    case State::soliciting:
    case State::checking:
    case State::bound:
    case State::over:
      return;
  }
}

void Dhcp6Client::on_lease(Instant now, const Message& message) {
  const bool is_first = state_ == State::requesting;
  const dhcp6::Ia* ia = message.ia && message.ia->id == settings_.ia ? &*message.ia : nullptr;
  const Status status = ia == nullptr ? message.status : std::max(message.status, ia->status);
  if (status == Status::unspecified || status == Status::use_multicast) return;
  if (is_first && status != Status::success) return begin(now, State::soliciting);
  if (status == Status::no_binding) {
    // RFC 8415 18.2.10.1: the server forgot us; it is asked anew.
    lease_.server = message.server;
    begin(now, State::requesting);
    return transmit(now);
  }
  if (ia == nullptr) return;
  const auto given =
      std::find_if(ia->addresses.begin(), ia->addresses.end(), [&](const dhcp6::IaAddress& each) {
        return is_possible(each.address) && (is_first || each.address == lease_.address.address);
      });
  if (given == ia->addresses.end() || given->valid_s == 0) return;
  // RFC 8415 21.4: T1 beyond T2 makes the IA void; zero leaves both to us.
  if (ia->t1_s > ia->t2_s && ia->t2_s > 0) return;
  const Duration valid = seconds_of(given->valid_s);
  const Duration preferred = seconds_of(given->preferred_s);
  const auto share = [&](std::int64_t parts) {
    return preferred == Duration::infinite() ? preferred : preferred / 10 * parts;
  };
  lease_.address = *given;
  lease_.server = message.server;
  lease_.name_servers = message.name_servers;
  lease_.renew_at = now + (ia->t1_s == 0 ? share(5) : seconds_of(ia->t1_s));
  lease_.rebind_at = now + (ia->t2_s == 0 ? share(8) : seconds_of(ia->t2_s));
  lease_.expires_at = now + valid;
  lease_.rebind_at = std::min(lease_.rebind_at, lease_.expires_at);
  lease_.renew_at = std::min(lease_.renew_at, lease_.rebind_at);
  state_ = is_first ? State::checking : State::bound;
  act(is_first ? Action::Kind::check : Action::Kind::use);
}

// RFC 8415 18.2.8 [RFC8415-18-a]: what another has is refused.
std::vector<Dhcp6Client::Action> Dhcp6Client::on_checked(Instant now, bool is_free) {
  if (state_ != State::checking) return {};
  if (is_free) {
    state_ = State::bound;
    act(Action::Kind::use);
  } else {
    begin(now, State::declining);
    transmit(now);
  }
  return std::exchange(actions_, {});
}

// RFC 8415 18.2.3 [RFC8415-18-a]: is it still the same link?
std::vector<Dhcp6Client::Action> Dhcp6Client::on_link_up(Instant now) {
  const bool has_lease =
      state_ == State::bound || state_ == State::renewing || state_ == State::rebinding;
  if (!has_lease) return {};
  begin(now, State::confirming);
  transmit(now);
  return std::exchange(actions_, {});
}

// RFC 8415 18.2.7 [RFC8415-18-a]: the address is gone before the server hears of it.
std::vector<Dhcp6Client::Action> Dhcp6Client::release(Instant now) {
  const bool has_lease = state_ == State::bound || state_ == State::renewing ||
                         state_ == State::rebinding || state_ == State::confirming;
  if (!has_lease) {
    state_ = State::over;
    return {};
  }
  act(Action::Kind::drop);
  begin(now, State::releasing);
  transmit(now);
  return std::exchange(actions_, {});
}

}  // namespace lanyard::application
