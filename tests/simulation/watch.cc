// SPDX-License-Identifier: Apache-2.0
#include "watch.hh"

#include <fmt/format.h>

#include "wire/dissect.hh"

namespace lanyard::simulation {
namespace {

// Differences of sequence numbers (RFC 9293 3.4).
std::int32_t after(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::int32_t>(a - b);
}

}  // namespace

Watch::Watch(const lab::Model& model, const lab::Plan& plan, Allowed allowed)
    : model_(model), plan_(plan), allowed_(allowed), handled_(model.nodes.size()) {
  for (const lab::NodeSpec& node : model.nodes)
    is_switch_.push_back(node.kind == lab::NodeKind::switching);
}

void Watch::problem(const lab::RecordedFrame& frame, const std::string& what) {
  if (problems_.size() >= 20) return;
  problems_.push_back(fmt::format("{} at {}, {}: {}", what, plan_.port_name(model_, frame.port),
                                  to_text(frame.at), wire::summary(frame.bytes)));
}

void Watch::on_event(const Event& event) {
  if (event.kind == EventKind::frame_received) {
    handled_[event.node] = {};
    handled_[event.node].event = event.id;
    handled_[event.node].packet = static_cast<std::uint64_t>(event.values[2]);
  }
  // RFC 6298 2.4, 2.5: the configured bounds are 200 ms (less than the RFC's second) and 120 s.
  if (event.kind == EventKind::tcp_rtt && problems_.size() < 20 &&
      (event.values[3] < 100'000'000 || event.values[3] > 120'000'000'000))
    problems_.push_back(fmt::format("an RTO of {} ns at {}, {}", event.values[3],
                                    model_.nodes[event.node].name, to_text(event.at)));
}

void Watch::on_frame(const lab::RecordedFrame& frame) {
  ++frames_;
  count_copies(frame);
  if (is_switch_[plan_.ports[frame.port].node]) return;
  if (allowed_.corrupts) return;
  const FrameFacts facts = facts_of(frame.bytes);
  if (!facts.problem.empty()) return problem(frame, facts.problem);
  if (frame.is_sent)
    on_sent(frame, facts);
  else
    on_received(frame, facts);
}

// What comes out of one direction of a link has gone into it, as often.
void Watch::count_copies(const lab::RecordedFrame& frame) {
  const lab::PlannedPort& port = plan_.ports[frame.port];
  const bool is_a_to_b = port.is_a == frame.is_sent;
  const std::uint64_t key =
      frame.packet << 12 | static_cast<std::uint64_t>(port.link) << 1 | (is_a_to_b ? 1U : 0U);
  if (frame.is_sent) {
    if (frame.dropped == DropReason::none) ++copies_[key];
    return;
  }
  const auto found = copies_.find(key);
  if (found == copies_.end() || found->second == 0) {
    if (!allowed_.duplicates) problem(frame, "a frame came that was not sent, or came twice");
    return;
  }
  if (--found->second == 0 && !allowed_.duplicates) copies_.erase(found);
}

void Watch::on_received(const lab::RecordedFrame& frame, const FrameFacts& facts) {
  const std::uint32_t node = plan_.ports[frame.port].node;
  Handled& handled = handled_[node];
  if (handled.packet == frame.packet) {
    handled.is_reset = facts.tcp && facts.tcp->rst();
    handled.is_to_group = facts.is_to_group;
    handled.is_icmp_error = facts.is_icmp_error;
  }
  if (model_.nodes[node].kind == lab::NodeKind::router) hops_[frame.packet] = facts.hops;
  if (!facts.tcp || facts.is_fragment) return;
  // The furthest the peer has ever let this side send.
  Flow& own = flows_[facts.back];
  const Flow& peer = flows_[facts.flow];
  if (!own.has_begun || !facts.tcp->ack() || facts.tcp->rst()) return;
  if (after(facts.tcp->acknowledgment, own.first) < 0 ||
      after(facts.tcp->acknowledgment, own.next) > 0)
    return;
  const bool is_scaled = !facts.tcp->syn() && peer.has_scale && own.has_scale;
  const std::uint32_t edge =
      facts.tcp->acknowledgment +
      (static_cast<std::uint32_t>(facts.tcp->window) << (is_scaled ? peer.scale : 0));
  if (!own.seen_edge || after(edge, *own.seen_edge) > 0) own.seen_edge = edge;
}

void Watch::on_sent(const lab::RecordedFrame& frame, const FrameFacts& facts) {
  // Numbers are given out in order, to a packet where it begins.
  const bool begins_here = frame.packet > last_packet_;
  last_packet_ = std::max(last_packet_, frame.packet);
  if (facts.version == 0) return;
  if (!begins_here) return check_forwarded(frame, facts);
  if (facts.hops == 0) problem(frame, "a packet begins without a hop left");
  check_answer(frame, facts);
  check_identification(frame, facts);
  if (facts.tcp) check_segment(frame, facts);
}

// RFC 1812 5.3.1: a router takes one off the TTL, and sends nothing with none left.
void Watch::check_forwarded(const lab::RecordedFrame& frame, const FrameFacts& facts) {
  if (model_.nodes[plan_.ports[frame.port].node].kind != lab::NodeKind::router) return;
  const auto came = hops_.find(frame.packet);
  // A fragment of a packet that begins here has its number too.
  if (came == hops_.end()) return;
  if (facts.hops != came->second - 1 || facts.hops == 0)
    problem(frame, fmt::format("a packet that came with {} hops left is forwarded with {}",
                               came->second, facts.hops));
}

// RFC 1122 3.2.2, 4.2.3.10; RFC 9293 3.5.2: nothing is said to a reset, and no error about an error
// or a broadcast.
void Watch::check_answer(const lab::RecordedFrame& frame, const FrameFacts& facts) {
  const Handled& handled = handled_[plan_.ports[frame.port].node];
  if (frame.cause == 0 || frame.cause != handled.event) return;
  const bool is_reset = facts.tcp && facts.tcp->rst();
  if (handled.is_reset && is_reset) problem(frame, "a reset answers a reset");
  if (handled.is_icmp_error && facts.is_icmp_error)
    problem(frame, "an ICMP error answers an ICMP error");
  if (handled.is_to_group && (is_reset || (facts.is_icmp_error && facts.version == 4)))
    problem(frame, "an error answers a broadcast or multicast");
}

// RFC 6864 4.2: an identification is not used again while a fragment may be on its way.
void Watch::check_identification(const lab::RecordedFrame& frame, const FrameFacts& facts) {
  if (facts.version != 4 || !facts.is_first_fragment) return;
  if (!facts.is_fragment && !facts.may_fragment) return;
  const std::string key = facts.addresses + static_cast<char>(facts.protocol) +
                          std::string{static_cast<char>(facts.identification >> 8),
                                      static_cast<char>(facts.identification & 0xff)};
  Identified& last = identified_[key];
  if (last.packet != 0 && last.packet != frame.packet && frame.at - last.at < Duration::seconds(30))
    problem(frame, fmt::format("the identification {} is used again after {}", facts.identification,
                               to_text(frame.at - last.at)));
  last = {frame.packet, frame.at};
}

void Watch::begin(Flow& flow, const TcpFacts& tcp) {
  flow = {};
  flow.has_begun = true;
  flow.first = tcp.sequence;
  flow.next = tcp.sequence + 1;
  flow.has_scale = tcp.scale.has_value();
  flow.scale = tcp.scale.value_or(0);
  flow.mss = tcp.mss.value_or(536);
}

void Watch::check_segment(const lab::RecordedFrame& frame, const FrameFacts& facts) {
  const TcpFacts& tcp = *facts.tcp;
  Flow& flow = flows_[facts.flow];
  if (tcp.rst()) return;
  if (tcp.syn() && (!flow.has_begun || flow.first != tcp.sequence)) begin(flow, tcp);
  if (!flow.has_begun) return;
  check_window(frame, facts, flow);
  const Flow& peer = flows_[facts.back];
  const auto length = static_cast<std::uint32_t>(tcp.payload.size());
  if (peer.has_begun && length > peer.mss)
    problem(frame, fmt::format("{} bytes in a segment, the peer takes {}", length, peer.mss));
  check_stream(frame, tcp, flow);
  // RFC 9293 3.8.6: nothing beyond the offered window but a probe of one octet.
  const std::uint32_t end = tcp.sequence + length;
  if (length > 1 && flow.seen_edge && after(end, *flow.seen_edge) > 0)
    problem(frame, fmt::format("{} bytes beyond the offered window", after(end, *flow.seen_edge)));
  if (tcp.fin()) {
    if (flow.fin && *flow.fin != end) problem(frame, "a second FIN at another place");
    flow.fin = end;
  }
  const std::uint32_t next = end + (tcp.fin() ? 1 : 0) + (tcp.syn() ? 1 : 0);
  if (after(next, flow.next) > 0) flow.next = next;
}

// RFC 9293 3.8.6 [SHLD-14]: the right edge of the receive window does not move to the left; nor
// does what was acknowledged. Scaling rounds, RFC 7323 2.3.
void Watch::check_window(const lab::RecordedFrame& frame, const FrameFacts& facts, Flow& flow) {
  const TcpFacts& tcp = *facts.tcp;
  if (!tcp.ack()) return;
  const Flow& peer = flows_[facts.back];
  const std::uint8_t scale = !tcp.syn() && flow.has_scale && peer.has_scale ? flow.scale : 0;
  const std::uint32_t edge = tcp.acknowledgment + (static_cast<std::uint32_t>(tcp.window) << scale);
  if (peer.has_begun && flow.acknowledged && after(tcp.acknowledgment, *flow.acknowledged) < 0)
    problem(frame, fmt::format("acknowledges {} less than before",
                               after(*flow.acknowledged, tcp.acknowledgment)));
  if (flow.edge && after(*flow.edge, edge) >= (1 << scale))
    problem(frame, fmt::format("the offered window shrinks by {}", after(*flow.edge, edge)));
  if (peer.has_begun && after(tcp.acknowledgment, peer.next) > 0)
    problem(frame, "acknowledges what was never sent");
  flow.acknowledged = tcp.acknowledgment;
  flow.edge = edge;
}

// What is sent again is what was sent, and nothing follows the FIN.
void Watch::check_stream(const lab::RecordedFrame& frame, const TcpFacts& tcp, Flow& flow) {
  if (tcp.payload.empty() || tcp.syn()) return;
  if (flow.fin &&
      after(tcp.sequence + static_cast<std::uint32_t>(tcp.payload.size()), *flow.fin) > 0)
    problem(frame, "data behind the FIN");
  const std::int32_t offset = after(tcp.sequence, flow.first + 1);
  // A keep-alive or window probe of an octet the peer has.
  if (offset < 0) return;
  const auto begin = static_cast<std::size_t>(offset);
  if (begin > flow.stream.size())
    return problem(frame, fmt::format("leaves out {} bytes", begin - flow.stream.size()));
  for (std::size_t i = 0; i < tcp.payload.size(); ++i) {
    if (begin + i >= flow.stream.size()) {
      flow.stream.insert(flow.stream.end(), tcp.payload.begin() + static_cast<std::ptrdiff_t>(i),
                         tcp.payload.end());
      return;
    }
    if (flow.stream[begin + i] != tcp.payload[i])
      return problem(frame, fmt::format("byte {} of the stream is another than before", begin + i));
  }
}

}  // namespace lanyard::simulation
