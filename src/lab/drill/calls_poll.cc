// SPDX-License-Identifier: Apache-2.0
// poll and epoll.
#include <fmt/format.h>
#include <poll.h>
#include <sys/epoll.h>

#include <algorithm>

#include "lab/drill/calls.hh"

namespace lanyard::lab::drill {

namespace {

using Kind = Expression::Kind;

constexpr std::uint32_t always_told = EPOLLERR | EPOLLHUP;
constexpr std::int64_t poll_normal = POLLRDNORM, poll_write_normal = POLLWRNORM;

struct Polled {
  std::int64_t descriptor, events;
  const Expression* returned;
};

std::vector<Polled> polled_of(const Expression& list) {
  std::vector<Polled> polled;
  for (const Expression& item : list.items) {
    if (item.kind != Kind::structure) {
      Arguments::wrong(item.mark, "expected {fd=3, events=POLLIN, revents=POLLIN}");
    }
    polled.push_back({Arguments::field_number(item, "fd", -1),
                      Arguments::field_number(item, "events", 0),
                      Arguments::field(item, "revents")});
  }
  return polled;
}

}  // namespace

std::uint32_t SystemCalls::ready_events(Descriptor& descriptor) const {
  settle_copies(descriptor);
  const socket::Readiness ready = sockets_.readiness(descriptor.handle);
  std::uint32_t events = 0;
  if (ready.readable) events |= EPOLLIN | EPOLLRDNORM;
  if (ready.writable) events |= EPOLLOUT | EPOLLWRNORM;
  if (ready.read_closed) events |= EPOLLRDHUP;
  if (ready.hung_up) events |= EPOLLHUP;
  if (ready.failed || !descriptor.copies.done.empty() || !descriptor.stamps.done.empty())
    events |= EPOLLERR;
  if (ready.urgent) events |= EPOLLPRI;
  return events;
}

SystemCalls::Answer SystemCalls::poll(const Arguments& a) {
  a.expect_count(3, 3);
  const std::vector<Polled> polled = polled_of(a.at(0));
  std::vector<std::int64_t> returned;
  std::int64_t ready = 0;
  for (const Polled& each : polled) {
    Descriptor* descriptor = find(each.descriptor);
    std::int64_t events = POLLNVAL;
    if (descriptor != nullptr) {
      events = ready_events(*descriptor) & (static_cast<std::uint32_t>(each.events) | always_told);
    }
    ready += events != 0 ? 1 : 0;
    returned.push_back(events);
  }
  const std::int64_t timeout_ms = a.number(2);
  if (ready == 0 && timeout_ms != 0) {
    if (timeout_ms > 0) gives_up_at_ = began_at_ + Duration::milliseconds(timeout_ms);
    if (timeout_ms < 0 || now_ < gives_up_at_) return std::nullopt;
  }
  for (std::size_t i = 0; i < polled.size(); ++i) {
    const Expression* said = polled[i].returned;
    if (said == nullptr || said->kind == Kind::ellipsis) continue;
    const std::int64_t passed_over = ~(polled[i].events) & (poll_normal | poll_write_normal);
    const std::int64_t expected = Arguments::number_of(*said);
    if (expected == (returned[i] & ~(passed_over & ~expected))) continue;
    Arguments::failed(said->mark,
                      fmt::format("poll gives revents {:#x}, not {:#x}", returned[i], expected));
  }
  return Returned{ready, std::nullopt, false};
}

SystemCalls::Answer SystemCalls::watch(const Arguments& a) {
  a.expect_count(1, 1);
  if (a.name() == "epoll_create" && a.number(0) <= 0) return failed(Errno::invalid);
  opened(Descriptor{});
  return Returned{0, std::nullopt, true};
}

SystemCalls::Answer SystemCalls::watch_one(const Arguments& a) {
  a.expect_count(3, 4);
  Descriptor* set = find(a.number(0));
  const std::int64_t number = a.number(2);
  if (set == nullptr || find(number) == nullptr) return failed(Errno::bad_descriptor);
  const auto known =
      std::find_if(set->watched.begin(), set->watched.end(),
                   [&](const Watched& watched) { return watched.descriptor == number; });
  const bool is_known = known != set->watched.end();
  const std::int64_t operation = a.number(1);
  if (operation == EPOLL_CTL_DEL) {
    if (!is_known) return failed(Errno::no_such_entry);
    set->watched.erase(known);
    return Returned{};
  }
  const Expression& said = Arguments::first_of(a.at(3));
  if (said.kind != Kind::structure) Arguments::wrong(said.mark, "expected {events=EPOLLIN, fd=4}");
  Watched watched{.descriptor = number};
  watched.events = static_cast<std::uint32_t>(Arguments::field_number(said, "events", 0));
  for (const std::string_view name : {"fd", "u32", "u64", "ptr"}) {
    const std::int64_t value = Arguments::field_number(said, name, -1);
    if (value >= 0) watched.data = static_cast<std::uint64_t>(value);
  }
  if (operation == EPOLL_CTL_ADD) {
    if (is_known) return failed(Errno{EEXIST});
    set->watched.push_back(watched);
    return Returned{};
  }
  if (operation != EPOLL_CTL_MOD) return failed(Errno::invalid);
  if (!is_known) return failed(Errno::no_such_entry);
  *known = watched;
  return Returned{};
}

// All that a stream has ever received: new data is news to an edge-triggered one.
std::uint64_t SystemCalls::received_bytes(const Descriptor& descriptor) const {
  const auto info = sockets_.get_option(now_, descriptor.handle, socket::Option::tcp_info);
  const auto* facts = info ? std::get_if<socket::TcpInfo>(&*info) : nullptr;
  return facts == nullptr ? 0 : facts->bytes_received;
}

SystemCalls::Answer SystemCalls::watch_wait(const Arguments& a) {
  a.expect_count(4, 4);
  Descriptor* set = find(a.number(0));
  if (set == nullptr) return failed(Errno::bad_descriptor);
  const std::int64_t most = a.number(2);
  if (most <= 0) return failed(Errno::invalid);
  std::vector<std::pair<std::uint64_t, std::uint32_t>> told;
  for (Watched& watched : set->watched) {
    Descriptor* descriptor = find(watched.descriptor);
    if (descriptor == nullptr || watched.is_spent) continue;
    const std::uint32_t events = ready_events(*descriptor) & (watched.events | always_told);
    const bool is_edge = (watched.events & EPOLLET) != 0;
    const std::uint64_t received = received_bytes(*descriptor);
    const bool is_told = (events & EPOLLERR) != 0 && descriptor->copies.told > watched.completions;
    const bool has_more = is_told || ((events & EPOLLIN) != 0 && received > watched.received);
    const bool is_news = events != 0 && (!is_edge || has_more || (events & ~watched.last) != 0);
    watched.last = events;
    watched.received = received;
    watched.completions = descriptor->copies.told;
    if (!is_news || static_cast<std::int64_t>(told.size()) >= most) continue;
    watched.is_spent = (watched.events & EPOLLONESHOT) != 0;
    told.emplace_back(watched.data, events);
  }
  const std::int64_t timeout_ms = a.number(3);
  if (told.empty() && timeout_ms != 0) {
    if (timeout_ms > 0) gives_up_at_ = began_at_ + Duration::milliseconds(timeout_ms);
    if (timeout_ms < 0 || now_ < gives_up_at_) return std::nullopt;
  }
  const Expression& said = a.at(1);
  const auto& items = said.kind == Kind::list ? said.items : std::vector<Expression>{said};
  for (std::size_t i = 0; i < items.size() && i < told.size(); ++i) {
    if (items[i].kind != Kind::structure) continue;
    const std::int64_t events = Arguments::field_number(items[i], "events", told[i].second);
    constexpr std::uint32_t only_asked = EPOLLET | EPOLLONESHOT;
    if ((static_cast<std::uint32_t>(events) & ~only_asked) != told[i].second) {
      Arguments::failed(items[i].mark, fmt::format("epoll_wait gives events {:#x}, not {:#x}",
                                                   told[i].second, events));
    }
  }
  return Returned{static_cast<std::int64_t>(told.size()), std::nullopt, false};
}

}  // namespace lanyard::lab::drill
