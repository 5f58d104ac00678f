// SPDX-License-Identifier: Apache-2.0
// ICMP errors about segments of ours (RFC 9293 3.9.2.2, RFC 5461, RFC 5927).
#include "transport/tcp/icmp.hh"

namespace lanyard::tcp {

// [RFC5927-4-a]: the connection that has what is quoted in flight; who cannot see our segments
// cannot guess that.
Connection* quoted_in(const Demux& demux, const internet::IcmpError& error) {
  if (error.quoted.size() < 8) return nullptr;
  const Endpoint local{error.source, load16(error.quoted.data()), 0};
  const Endpoint remote{error.destination, load16(error.quoted.data() + 2), 0};
  const Place* const place = demux.find(local, remote);
  // Those that are folded have nothing there.
  Node* const found = place == nullptr ? nullptr : place->node();
  if (found == nullptr || found->is_time_wait) return nullptr;
  auto& c = static_cast<Connection&>(*found);
  const SequenceNumber sequence(load32(error.quoted.data() + 4));
  return is_within(sequence, c.sender.una(), c.sender.flight()) ? &c : nullptr;
}

namespace {

// Whether it is narrower; what was too big is sent again in smaller pieces then.
bool take_narrower_path(Machine& m, Connection& c) {
  const std::uint16_t old = c.mss;
  m.refresh_path(c);
  if (c.mss >= old) return false;
  if (is_synchronized(c.state) && c.sender.flight() > 0) {
    c.sender.lose_all();
    c.recovery->may_undo = false;
    m.schedule(c);
  }
  return true;
}

}  // namespace

// RFC 9293 3.9.2.2 [MUST-54]. Source Quench [MUST-55] is no IcmpError: it is dropped where ICMP is
// read.
void Machine::on_icmp_error(Instant now, const internet::IcmpError& error) {
  Connection* const quoted = quoted_in(demux, error);
  if (quoted == nullptr) return;
  Connection& c = *quoted;
  if (error.kind == internet::IcmpError::Kind::packet_too_big) {
    // 9293-3.7-b: the path's MTU has been noted by internet/, which asked
    // first, within its limits (BI-33). RFC 8201 5.2: all that use the path are told.
    if (!take_narrower_path(*this, c)) return;
    for (Connection* const other : connections.unfolded())
      if (other->remote.address == error.destination) take_narrower_path(*this, *other);
    return;
  }
  const internet::IcmpErrorMeaning meaning = internet::meaning_of(error.kind);
  const bool is_opening = !is_synchronized(c.state);
  // [SHLD-26]: hard errors end a connection that is being opened only (RFC 5461 4.1); [MUST-56]:
  // soft ones never end an open one. [MUST-47], [SHLD-25]: the program is told when it asked, or
  // when the connection fails.
  if (is_opening && (meaning.is_hard || config.errors_abort_opening))
    return end(now, c, Cause::abort, meaning.error);
  c.soft_error = meaning.error;
  if (!c.settings->reports_soft_errors) return;
  c.error = meaning.error;
  changed(c);
}

}  // namespace lanyard::tcp
