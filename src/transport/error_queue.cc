// SPDX-License-Identifier: Apache-2.0
#include "transport/error_queue.hh"

#include <utility>

namespace lanyard::udp {

void ErrorQueue::add(Instant now, const internet::IcmpError& error, const Endpoint& destination,
                     Bytes payload) {
  if (errors_.size() >= errors_max) return;
  errors_.push_back({.error = internet::meaning_of(error.kind).error,
                     .icmp_type = error.type,
                     .icmp_code = error.code,
                     .hop_limit = error.hop_limit,
                     .info = error.mtu,
                     .reporter = error.reporter,
                     .destination = destination,
                     .payload = {payload.begin(), payload.end()},
                     .arrived = now});
}

void ErrorQueue::add_too_long(Instant now, std::uint32_t mtu, const Endpoint& destination) {
  if (errors_.size() >= errors_max) return;
  errors_.push_back({.error = Errno::message_too_long,
                     .info = mtu,
                     .reporter = IpAddress::any(destination.address.family()),
                     .destination = destination,
                     .payload = {},
                     .arrived = now});
}

std::optional<QueuedError> ErrorQueue::take(std::optional<Errno>& pending) {
  if (errors_.empty()) return std::nullopt;
  QueuedError first = std::move(errors_.front());
  errors_.pop_front();
  pending.reset();
  if (!errors_.empty()) pending = errors_.front().error;
  return first;
}

}  // namespace lanyard::udp
