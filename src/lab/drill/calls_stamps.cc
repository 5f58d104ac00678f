// SPDX-License-Identifier: Apache-2.0
// SO_TIMESTAMPING of streams: when what was sent was handed down, went out and was acknowledged.
#include <fmt/format.h>
#include <linux/net_tstamp.h>
#include <sys/socket.h>

#include "lab/drill/calls.hh"

namespace lanyard::lab::drill {

namespace {

constexpr std::uint32_t supported = SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_TX_SOFTWARE |
                                    SOF_TIMESTAMPING_TX_ACK | SOF_TIMESTAMPING_SOFTWARE |
                                    SOF_TIMESTAMPING_OPT_ID;
constexpr std::int64_t origin_timestamping = 4, no_message = 42;  // SO_EE_ORIGIN_*, ENOMSG

void compare(const Expression& data, std::string_view name, std::int64_t value) {
  const std::int64_t said = Arguments::field_number(data, name, value);
  if (said != value)
    Arguments::failed(data.mark, fmt::format("{} is {}, not {}", name, value, said));
}

}  // namespace

SystemCalls::Answer SystemCalls::ask_for_stamps(const Arguments& a, Descriptor& descriptor) const {
  const std::int64_t flags = a.pointed(3);
  if ((flags & ~std::int64_t{supported}) != 0 || descriptor.type != socket::Type::stream)
    Arguments::unsupported(a.at(3).mark, "of SO_TIMESTAMPING only what streams tell of sends");
  Stamps& stamps = descriptor.stamps;
  stamps.flags = static_cast<std::uint32_t>(flags);
  stamps.from = descriptor.copies.written - sockets_.unsent_bytes(descriptor.handle);
  return Returned{};
}

void SystemCalls::observe(Instant now) {
  for (auto& [number, descriptor] : descriptors_) {
    Stamps& stamps = descriptor.stamps;
    if (stamps.waiting.empty()) continue;
    const auto info = sockets_.get_option(now, descriptor.handle, socket::Option::tcp_info);
    const auto* facts = info ? std::get_if<socket::TcpInfo>(&*info) : nullptr;
    if (facts == nullptr) continue;
    const std::uint64_t written = descriptor.copies.written;
    const std::uint64_t sent = written - facts->notsent_bytes;
    const std::uint64_t acknowledged = written - sockets_.unsent_bytes(descriptor.handle);
    const auto tell = [&](Stamps::Kind kind, std::uint32_t wanted, std::uint64_t end) {
      const bool has_key = (stamps.flags & SOF_TIMESTAMPING_OPT_ID) != 0;
      const auto key = static_cast<std::uint32_t>(has_key ? end - 1 - stamps.from : 0);
      if ((stamps.flags & wanted) != 0) stamps.done.push_back({kind, key, now});
    };
    for (Stamps::Send& send : stamps.waiting) {
      if (send.is_sent || send.end > sent) continue;
      send.is_sent = true;
      tell(Stamps::Kind::scheduled, SOF_TIMESTAMPING_TX_SCHED, send.end);
      tell(Stamps::Kind::sent, SOF_TIMESTAMPING_TX_SOFTWARE, send.end);
    }
    while (!stamps.waiting.empty() && stamps.waiting.front().end <= acknowledged) {
      tell(Stamps::Kind::acknowledged, SOF_TIMESTAMPING_TX_ACK, stamps.waiting.front().end);
      stamps.waiting.pop_front();
    }
  }
}

// Two control messages: the time since the script began, and a struct sock_extended_err.
void SystemCalls::check_stamp(const Expression& control, const Stamps::Told& told) const {
  for (const Expression& message : control.items) {
    const Expression* data = Arguments::field(message, "cmsg_data");
    if (data == nullptr || data->kind != Expression::Kind::structure) continue;
    if (Arguments::field(*data, "scm_sec") != nullptr) {
      const Duration said = Duration::seconds(Arguments::field_number(*data, "scm_sec", 0)) +
                            Duration::nanoseconds(Arguments::field_number(*data, "scm_nsec", 0));
      const Duration came = told.at - setup_.began;
      if (came > said + setup_.tolerance || said > came + setup_.tolerance)
        Arguments::failed(data->mark, fmt::format("the time is {} us, not {} us", came.count_us(),
                                                  said.count_us()));
      continue;
    }
    compare(*data, "ee_errno", no_message);
    compare(*data, "ee_origin", origin_timestamping);
    compare(*data, "ee_type", 0);
    compare(*data, "ee_code", 0);
    compare(*data, "ee_info", static_cast<std::int64_t>(told.kind));
    compare(*data, "ee_data", told.key);
  }
}

}  // namespace lanyard::lab::drill
