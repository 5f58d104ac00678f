// SPDX-License-Identifier: Apache-2.0
#include "lab/why/calls.hh"

#include <algorithm>
#include <charconv>

#include "core/error.hh"

namespace lanyard::lab::why {
namespace {

using socket::CallKind;

constexpr auto call_kinds = static_cast<std::int64_t>(CallKind::get_option) + 1;

// "10.0.0.1:80" or "[fd00::1]:80".
std::optional<Endpoint> endpoint_of(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  Endpoint endpoint;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  const auto address = IpAddress::parse(host);
  if (!address || error != std::errc() || end != port.data() + port.size()) return std::nullopt;
  endpoint.address = *address;
  return endpoint;
}

}  // namespace

bool CallRow::has_waited() const {
  return result == -static_cast<std::int64_t>(Errno::try_again) ||
         result == -static_cast<std::int64_t>(Errno::in_progress);
}

Calls::Calls(const RunFile& run, const Flows& flows) {
  for (const RunEvent& each : run.events)
    if (each.event.kind == EventKind::socket_call) take(each.event, flows);
}

// Which conversation a socket is, once it is one; how far its streams are.
void Calls::place(CallRow& row, const Event& event, const Flows& flows) {
  const std::size_t space = event.text.find(' ');
  if (space != std::string_view::npos) {
    row.local = endpoint_of(event.text.substr(0, space));
    row.peer = endpoint_of(event.text.substr(space + 1));
  }
  const bool is_accept = row.kind == CallKind::accept && row.result > 0;
  const bool is_stream = is_accept || row.kind == CallKind::connect;
  Socket socket{row.task.node, row.socket};
  if (is_accept) socket.second = static_cast<std::uint32_t>(row.result);
  const bool is_datagram = row.kind == CallKind::connect && row.result == 0;
  if (is_stream && !is_datagram && row.local && row.peer && !streams_.contains(socket)) {
    const auto found = is_accept ? flows.find(*row.local, *row.peer, row.at)
                                 : flows.find_opened(*row.local, *row.peer, row.at);
    if (found) {
      const Flow& flow = flows.all()[found->flow];
      const std::uint8_t side = flow.sides[0].endpoint == *row.local ? 0 : 1;
      streams_[socket] = {found->flow, side};
    }
  }
  // A datagram socket is connected at once, and its datagrams then name nobody.
  if (row.kind == CallKind::connect && row.result == 0 && row.local && row.peer)
    connected_[socket] = {*row.local, *row.peer};
  const auto stream = streams_.find(socket);
  if (stream == streams_.end()) {
    const auto peer = connected_.find(socket);
    if (peer == connected_.end() || row.peer) return;
    row.local = peer->second.first;
    row.peer = peer->second.second;
    return;
  }
  row.flow = stream->second.flow;
  row.side = stream->second.side;
  if (row.kind == CallKind::send && row.result > 0) stream->second.written += row.result;
  if (row.kind == CallKind::receive && row.result > 0) stream->second.read += row.result;
  row.offset = row.kind == CallKind::receive ? stream->second.read : stream->second.written;
}

void Calls::take(const Event& event, const Flows& flows) {
  CallRow row;
  row.at = event.at;
  row.task = {event.node, static_cast<std::uint32_t>(event.values[3]),
              static_cast<std::uint32_t>(event.values[4])};
  row.socket = static_cast<std::uint32_t>(event.values[0]);
  if (event.values[1] < 0 || event.values[1] >= call_kinds) return;
  row.kind = static_cast<CallKind>(event.values[1]);
  row.result = event.values[2];
  place(row, event, flows);
  const std::size_t index = rows_.size();
  if (const auto last = last_.find(row.task); last != last_.end()) {
    row.before = last->second;
    rows_[last->second].after = index;
  }
  last_[row.task] = index;
  if (row.kind == CallKind::accept && row.result > 0)
    accepted_[{row.task.node, static_cast<std::uint32_t>(row.result)}] = index;
  if (row.kind == CallKind::connect && row.flow) connects_.try_emplace(*row.flow, index);
  const bool is_end = row.kind == CallKind::close || row.kind == CallKind::shutdown;
  if (row.flow && ((row.kind == CallKind::send && row.result > 0) || is_end))
    writes_[{*row.flow, row.side}].push_back(index);
  const bool is_send = row.kind == CallKind::send_to || row.kind == CallKind::send;
  if (is_send && !row.flow && row.peer) datagrams_[row.task.node].push_back(index);
  rows_.push_back(std::move(row));
}

std::optional<std::size_t> Calls::last_of(const TaskKey& task) const {
  const auto found = last_.find(task);
  return found == last_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::size_t> Calls::writing(std::size_t flow, std::uint8_t side,
                                          std::int64_t offset) const {
  const auto found = writes_.find({flow, side});
  if (found == writes_.end()) return std::nullopt;
  for (const std::size_t index : found->second) {
    const CallRow& row = rows_[index];
    const bool is_end = row.kind != CallKind::send;
    if (row.offset > offset || (is_end && row.offset >= offset)) return index;
  }
  return std::nullopt;
}

std::int64_t Calls::written_before(std::size_t flow, std::uint8_t side, Instant at) const {
  std::int64_t written = 1;
  const auto found = writes_.find({flow, side});
  if (found == writes_.end()) return written;
  for (const std::size_t index : found->second)
    if (rows_[index].at < at) written = std::max(written, rows_[index].offset);
  return written;
}

std::optional<std::size_t> Calls::connecting(std::size_t flow) const {
  const auto found = connects_.find(flow);
  return found == connects_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::size_t> Calls::accepting(std::uint32_t node, std::uint32_t socket) const {
  const auto found = accepted_.find({node, socket});
  return found == accepted_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::size_t> Calls::sending(std::uint32_t node, const Endpoint& local,
                                          const Endpoint& peer, Instant at) const {
  const auto found = datagrams_.find(node);
  if (found == datagrams_.end()) return std::nullopt;
  for (auto each = found->second.rbegin(); each != found->second.rend(); ++each) {
    const CallRow& row = rows_[*each];
    if (row.at > at) continue;
    const bool is_port = local.port == 0 || !row.local || row.local->port == local.port;
    if (row.result >= 0 && is_port && row.peer->address == peer.address &&
        (peer.port == 0 || row.peer->port == peer.port))
      return *each;
  }
  return std::nullopt;
}

}  // namespace lanyard::lab::why
