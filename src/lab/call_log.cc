// SPDX-License-Identifier: Apache-2.0
#include "lab/call_log.hh"

#include "lab/replay/input_log.hh"

namespace lanyard::lab {
namespace {

using socket::Call;
using socket::CallKind;

// What says nothing about why something took its time.
bool is_left_out(const Call& call) {
  switch (call.kind) {
    case CallKind::get_option:
    case CallKind::take_error:
    case CallKind::open:
      return true;
    case CallKind::receive:
    case CallKind::receive_from:
      return call.numbers[0] != 0;  // a look ahead, or urgent data
    case CallKind::bind:
    case CallKind::listen:
    case CallKind::accept:
    case CallKind::connect:
    case CallKind::disconnect:
    case CallKind::shutdown:
    case CallKind::close:
    case CallKind::send:
    case CallKind::send_to:
    case CallKind::set_option:
      return false;
  }
  return true;
}

}  // namespace

// "10.0.1.2:40000 10.0.2.2:80", this end first, where a call says which conversation a socket is.
std::string CallLog::text_of(const Call& call) const {
  const bool is_accepted = call.kind == CallKind::accept && call.result > 0;
  if (!is_accepted && call.kind != CallKind::connect && call.facts == nullptr) return {};
  const socket::Handle socket =
      is_accepted ? static_cast<socket::Handle>(call.result) : call.socket;
  const auto local = host_.sockets.local_endpoint(socket);
  std::string text = local ? to_text(*local) : "-";
  const auto connected = host_.sockets.peer_endpoint(socket);
  if (call.facts != nullptr && !call.facts->peer.address.is_unspecified())
    text += " " + to_text(call.facts->peer);
  else if (connected)
    text += " " + to_text(*connected);
  else if (call.endpoint != nullptr)
    text += " " + to_text(*call.endpoint);
  return text;
}

void CallLog::on_call(const Call& call) {
  if (host_.inputs != nullptr && host_.inputs->is_outside())
    host_.inputs->call(host_.node, host_.boot, call);
  if (is_left_out(call)) return;
  const auto owner = host_.owners.find(host_.tasks.current());
  const TaskOwner who = owner == host_.owners.end() ? TaskOwner{} : owner->second;
  trace_.emit(now_, host_.node, EventKind::socket_call,
              {static_cast<std::int64_t>(call.socket), static_cast<std::int64_t>(call.kind),
               call.result, who.program, who.task},
              text_of(call));
}

}  // namespace lanyard::lab
