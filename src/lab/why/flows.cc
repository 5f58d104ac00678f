// SPDX-License-Identifier: Apache-2.0
#include "lab/why/flows.hh"

#include <algorithm>
#include <map>

namespace lanyard::lab::why {
namespace {

constexpr std::uint32_t timestamps_bytes = 12;

// Where a sequence number lies, near what was sent last.
std::int64_t offset_of(const FlowSide& side, tcp::SequenceNumber sequence) {
  const auto near = static_cast<std::uint32_t>(side.first.value() + side.highest);
  return side.highest + static_cast<std::int32_t>(sequence.value() - near);
}

bool is_between(const Flow& flow, const Endpoint& a, const Endpoint& b) {
  return flow.sides[0].endpoint == a && flow.sides[1].endpoint == b;
}

// A new conversation: a bare SYN with another number than the last one's.
bool is_opening(const Flow* flow, const Headers& headers) {
  if (flow == nullptr) return true;
  const bool is_bare_syn = headers.tcp.flags.syn() && !headers.tcp.flags.ack();
  return is_bare_syn && is_between(*flow, headers.source, headers.destination) &&
         flow->sides[0].is_known && flow->sides[0].first != headers.tcp.sequence;
}

void learn_side(FlowSide& side, FlowSide& other, const TcpHeader& header) {
  if (!side.is_known) {
    side.is_known = true;
    side.first = header.flags.syn() ? header.sequence : header.sequence - 1;
    side.highest = header.flags.syn() ? 0 : 1;
  }
  if (!header.flags.syn()) return;
  side.scale = header.scale;
  side.has_scale = header.has_scale;
  // What this side says it takes is what the other may send.
  if (header.mss != 0) other.mss = header.mss - (header.has_timestamps ? timestamps_bytes : 0);
}

// The latest earlier segment of this side that carried its first byte.
std::optional<std::size_t> repeated_by(const Flow& flow, const Segment& segment) {
  for (std::size_t i = flow.segments.size(); i-- > 0;) {
    const Segment& earlier = flow.segments[i];
    if (earlier.side != segment.side || earlier.begin == earlier.end) continue;
    if (earlier.begin <= segment.begin && segment.begin < earlier.end) return i;
  }
  return std::nullopt;
}

}  // namespace

Flows::Flows(const Packets& packets) : packets_(packets), places_(packets.journeys().size()) {
  using Ends = std::pair<Endpoint, Endpoint>;
  std::map<Ends, std::size_t> open;
  for (std::size_t i = 0; i < packets.journeys().size(); ++i) {
    const Headers& headers = packets.journeys()[i].headers;
    if (headers.layer != Layer::tcp) continue;
    const Ends ends = std::minmax(headers.source, headers.destination);
    const auto found = open.find(ends);
    Flow* const last = found == open.end() ? nullptr : &flows_[found->second];
    if (is_opening(last, headers)) {
      // A SYN,ACK or anything else seen first comes from the side that was asked.
      const bool is_answer = headers.tcp.flags.syn() && headers.tcp.flags.ack();
      Flow flow;
      flow.sides[is_answer ? 1 : 0].endpoint = headers.source;
      flow.sides[is_answer ? 0 : 1].endpoint = headers.destination;
      for (FlowSide& side : flow.sides) side.node = packets.owner(side.endpoint.address);
      open[ends] = flows_.size();
      flows_.push_back(std::move(flow));
    }
    places_[i] = Place{open[ends], flows_[open[ends]].segments.size()};
    take(i);
  }
}

void Flows::take(std::size_t journey) {
  const Journey& from = packets_.journeys()[journey];
  const TcpHeader& header = from.headers.tcp;
  Flow& flow = flows_[places_[journey]->flow];
  Segment segment;
  segment.journey = journey;
  segment.side = flow.sides[0].endpoint == from.headers.source ? 0 : 1;
  FlowSide& side = flow.sides[segment.side];
  FlowSide& other = flow.sides[1 - segment.side];
  learn_side(side, other, header);
  segment.sent_at = from.sent_at;
  segment.arrived_at = packets_.arrived_at(from);
  segment.arrival = from.arrival.value_or(0);
  segment.payload = from.headers.payload;
  segment.flags = header.flags;
  segment.begin = offset_of(side, header.sequence);
  segment.payload_begin = segment.begin + (header.flags.syn() ? 1 : 0);
  segment.end = segment.payload_begin + static_cast<std::int64_t>(segment.payload.size()) +
                (header.flags.fin() ? 1 : 0);
  if (header.flags.ack() && other.is_known) segment.acked = offset_of(other, header.acknowledgment);
  const bool is_scaled = !header.flags.syn() && side.has_scale && other.has_scale;
  segment.window = std::int64_t{header.window} << (is_scaled ? side.scale : 0);
  if (segment.begin < segment.end && segment.begin < side.highest)
    segment.repeats = repeated_by(flow, segment);
  side.highest = std::max(side.highest, segment.end);
  flow.segments.push_back(segment);
}

std::optional<Flows::Place> Flows::of_journey(std::size_t journey) const {
  return places_[journey];
}

std::optional<Flows::Place> Flows::find(const Endpoint& a, const Endpoint& b, Instant at) const {
  for (std::size_t i = flows_.size(); i-- > 0;) {
    const Flow& flow = flows_[i];
    if (flow.began() > at) continue;
    if (is_between(flow, a, b) || is_between(flow, b, a)) return Place{i, 0};
  }
  return std::nullopt;
}

std::optional<Flows::Place> Flows::find_opened(const Endpoint& a, const Endpoint& b,
                                               Instant at) const {
  for (std::size_t i = 0; i < flows_.size(); ++i)
    if (flows_[i].began() >= at && is_between(flows_[i], a, b)) return Place{i, 0};
  return std::nullopt;
}

std::string endpoint_name(const RunFile& run, const FlowSide& side) {
  if (!side.node) return to_text(side.endpoint);
  return run.nodes[*side.node].name + ":" + std::to_string(side.endpoint.port);
}

std::string flow_name(const RunFile& run, const Flow& flow) {
  return endpoint_name(run, flow.sides[0]) + "-" + endpoint_name(run, flow.sides[1]);
}

namespace {

// Segments of a side in the order they arrived.
std::vector<std::size_t> arrivals(const Flow& flow, std::uint8_t side) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < flow.segments.size(); ++i) {
    const Segment& segment = flow.segments[i];
    if (segment.side == side && segment.begin < segment.end &&
        segment.arrived_at != Instant::never())
      order.push_back(i);
  }
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return flow.segments[a].arrival < flow.segments[b].arrival;
  });
  return order;
}

// What has come, as far as it is whole; pieces beyond a hole wait in `ahead`.
class Assembly {
 public:
  // True if the stream grew.
  bool take(std::int64_t begin, std::int64_t end) {
    if (end <= next_) return false;
    if (begin > next_) {
      std::int64_t& known = ahead_[begin];
      known = std::max(known, end);
      return false;
    }
    next_ = end;
    while (!ahead_.empty() && ahead_.begin()->first <= next_) {
      next_ = std::max(next_, ahead_.begin()->second);
      ahead_.erase(ahead_.begin());
    }
    return true;
  }
  [[nodiscard]] std::int64_t next() const { return next_; }

 private:
  std::int64_t next_ = 0;
  std::map<std::int64_t, std::int64_t> ahead_;
};

}  // namespace

Delivery::Delivery(const Flow& flow, std::uint8_t side) {
  Assembly assembly;
  for (const std::size_t i : arrivals(flow, side))
    if (assembly.take(flow.segments[i].begin, flow.segments[i].end))
      steps_.emplace_back(assembly.next(), i);
}

std::optional<std::size_t> Delivery::of(std::int64_t end) const {
  const auto found = std::lower_bound(steps_.begin(), steps_.end(), std::pair(end, std::size_t{0}));
  if (found == steps_.end()) return std::nullopt;
  return found->second;
}

std::vector<Piece> stream_of(const Flow& flow, std::uint8_t side) {
  std::map<std::int64_t, Piece> pieces;  // by where they begin; no two overlap
  Assembly assembly;
  std::int64_t told = 0;
  for (const std::size_t i : arrivals(flow, side)) {
    const Segment& segment = flow.segments[i];
    std::int64_t begin = segment.payload_begin;
    Bytes bytes = segment.payload;
    // Only what is new: behind a piece that begins before, in front of one that begins after.
    const auto after = pieces.upper_bound(begin);
    if (after != pieces.begin()) {
      const Piece& before = std::prev(after)->second;
      const auto seen = before.begin + static_cast<std::int64_t>(before.bytes.size());
      const auto skip =
          std::clamp<std::int64_t>(seen - begin, 0, static_cast<std::int64_t>(bytes.size()));
      bytes = bytes.subspan(static_cast<std::size_t>(skip));
      begin += skip;
    }
    if (after != pieces.end() && begin + static_cast<std::int64_t>(bytes.size()) > after->first)
      bytes =
          bytes.first(static_cast<std::size_t>(std::max<std::int64_t>(after->first - begin, 0)));
    if (!bytes.empty()) pieces[begin] = Piece{begin, bytes, i, Instant::never()};
    assembly.take(segment.begin, segment.end);
    for (auto each = pieces.lower_bound(told); each != pieces.end(); ++each) {
      if (each->second.begin >= assembly.next()) break;
      if (each->second.at == Instant::never()) each->second.at = segment.arrived_at;
    }
    told = std::max(told, assembly.next());
  }
  std::vector<Piece> stream;
  for (auto& [begin, piece] : pieces)
    if (piece.at != Instant::never()) stream.push_back(piece);
  return stream;
}

}  // namespace lanyard::lab::why
