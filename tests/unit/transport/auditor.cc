// SPDX-License-Identifier: Apache-2.0
#include "auditor.hh"

#include <gtest/gtest.h>

namespace lanyard::test {

namespace {

invariants::Segment segment_of(const Seg& seg) {
  const tcp::Header& header = seg.header;
  invariants::Segment segment;
  segment.sequence = header.sequence.value();
  segment.acknowledgment = header.acknowledgment.value();
  segment.flags = header.flags.bits;
  segment.window = header.window;
  segment.mss = header.options.mss;
  segment.scale = header.options.window_scale;
  segment.payload = bytes_of(seg.text);
  segment.is_super = seg.segment_bytes != 0;
  return segment;
}

std::string name_of(const Endpoint& from, const Endpoint& to) {
  return to_text(from) + " " + to_text(to);
}

}  // namespace

void Auditor::complain(const std::string& what) const {
  ADD_FAILURE() << what << ": " << looked_at_;
}

void Auditor::see(bool from_a, const internet::Datagram& datagram) {
  const Seg seg = read_segment(datagram);
  looked_at_ = describe(seg);
  if (seg.segment_bytes == 0) {
    EXPECT_LE(seg.text.size() + seg.header.size(), segment_bytes_max_) << looked_at_;
  }
  if (seg.header.flags.rst()) {
    const std::size_t side = from_a ? 0 : 1;
    EXPECT_FALSE(has_reset_[side] && has_reset_[1 - side]) << "a reset for a reset";  // 9293-3.5-b
    has_reset_[side] = true;
  }
  const Endpoint from{seg.source, seg.header.source_port},
      to{seg.destination, seg.header.destination_port};
  const invariants::Segment segment = segment_of(seg);
  rules_.sent(name_of(from, to), name_of(to, from), segment);
  // What was said counts, whether it comes or not.
  rules_.received(name_of(from, to), name_of(to, from), segment);
}

void Auditor::expect_awake(const Host& host, tcp::ConnectionId connection) {
  const bool has_work = host.tcp.unacked_bytes(connection) > 0;
  EXPECT_FALSE(has_work && host.tcp.next_deadline() == Instant::never());
}

}  // namespace lanyard::test
