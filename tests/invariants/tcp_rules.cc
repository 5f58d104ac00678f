// SPDX-License-Identifier: Apache-2.0
#include "invariants/tcp_rules.hh"

#include <fmt/format.h>

namespace lanyard::invariants {
namespace {

// Differences of sequence numbers (RFC 9293 3.4).
std::int32_t after(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::int32_t>(a - b);
}

}  // namespace

void TcpRules::begin(Flow& flow, const Segment& segment) {
  flow = {};
  flow.has_begun = true;
  flow.first = segment.sequence;
  flow.next = segment.sequence + 1;
  flow.has_scale = segment.scale.has_value();
  flow.scale = segment.scale.value_or(0);
  flow.mss = segment.mss.value_or(536);
}

// The furthest the peer has ever let this side send.
void TcpRules::received(const std::string& flow, const std::string& back, const Segment& segment) {
  Flow& own = flows_[back];
  const Flow& peer = flows_[flow];
  if (!own.has_begun || !segment.ack() || segment.rst()) return;
  if (after(segment.acknowledgment, own.first) < 0 || after(segment.acknowledgment, own.next) > 0)
    return;
  const bool is_scaled = !segment.syn() && peer.has_scale && own.has_scale;
  const std::uint32_t edge = segment.acknowledgment + (static_cast<std::uint32_t>(segment.window)
                                                       << (is_scaled ? peer.scale : 0));
  if (!own.seen_edge || after(edge, *own.seen_edge) > 0) own.seen_edge = edge;
}

void TcpRules::sent(const std::string& name, const std::string& back, const Segment& segment) {
  Flow& flow = flows_[name];
  if (segment.rst()) return;
  if (segment.syn() && (!flow.has_begun || flow.first != segment.sequence)) begin(flow, segment);
  if (!flow.has_begun) return;
  const Flow& peer = flows_[back];
  check_window(segment, flow, peer);
  const auto length = static_cast<std::uint32_t>(segment.payload.size());
  if (peer.has_begun && length > peer.mss && !segment.is_super)
    complain_(fmt::format("{} bytes in a segment, the peer takes {}", length, peer.mss));
  check_stream(segment, flow);
  // RFC 9293 3.8.6: nothing beyond the offered window but a probe of one octet.
  const std::uint32_t end = segment.sequence + length;
  if (length > 1 && flow.seen_edge && after(end, *flow.seen_edge) > 0)
    complain_(fmt::format("{} bytes beyond the offered window", after(end, *flow.seen_edge)));
  if (segment.fin()) {
    if (flow.fin && *flow.fin != end) complain_("a second FIN at another place");
    flow.fin = end;
  }
  const std::uint32_t next = end + (segment.fin() ? 1 : 0) + (segment.syn() ? 1 : 0);
  if (after(next, flow.next) > 0) flow.next = next;
}

// RFC 9293 3.8.6 [SHLD-14]: the right edge of the receive window does not move to the left; nor
// does what was acknowledged. Scaling rounds, RFC 7323 2.3.
void TcpRules::check_window(const Segment& segment, Flow& flow, const Flow& peer) {
  if (!segment.ack()) return;
  const std::uint8_t scale = !segment.syn() && flow.has_scale && peer.has_scale ? flow.scale : 0;
  const std::uint32_t edge =
      segment.acknowledgment + (static_cast<std::uint32_t>(segment.window) << scale);
  if (peer.has_begun && flow.acknowledged && after(segment.acknowledgment, *flow.acknowledged) < 0)
    complain_(fmt::format("acknowledges {} less than before",
                          after(*flow.acknowledged, segment.acknowledgment)));
  // A SYN that is sent again after an acknowledgment cannot say more than this: its window is not
  // scaled.
  const bool says_all = segment.syn() && segment.window == 0xffff;
  if (flow.edge && after(*flow.edge, edge) >= (1 << scale) && !says_all)
    complain_(fmt::format("the offered window shrinks by {}", after(*flow.edge, edge)));
  if (peer.has_begun && after(segment.acknowledgment, peer.next) > 0)
    complain_("acknowledges what was never sent");
  flow.acknowledged = segment.acknowledgment;
  if (!says_all || !flow.edge || after(edge, *flow.edge) > 0) flow.edge = edge;
}

// What is sent again is what was sent, and nothing follows the FIN.
void TcpRules::check_stream(const Segment& segment, Flow& flow) {
  if (segment.payload.empty() || segment.syn()) return;
  const std::uint32_t end = segment.sequence + static_cast<std::uint32_t>(segment.payload.size());
  if (flow.fin && after(end, *flow.fin) > 0) complain_("data behind the FIN");
  const std::int32_t offset = after(segment.sequence, flow.first + 1);
  // A keep-alive or window probe of an octet the peer has.
  if (offset < 0) return;
  const auto begin = static_cast<std::size_t>(offset);
  if (begin > flow.stream.size() && may_leave_out) return;
  if (begin > flow.stream.size())
    return complain_(fmt::format("leaves out {} bytes", begin - flow.stream.size()));
  for (std::size_t i = 0; i < segment.payload.size(); ++i) {
    if (begin + i >= flow.stream.size()) {
      flow.stream.insert(flow.stream.end(),
                         segment.payload.begin() + static_cast<std::ptrdiff_t>(i),
                         segment.payload.end());
      return;
    }
    if (flow.stream[begin + i] != segment.payload[i])
      return complain_(fmt::format("byte {} of the stream is another than before", begin + i));
  }
}

}  // namespace lanyard::invariants
