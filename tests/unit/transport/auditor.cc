// SPDX-License-Identifier: Apache-2.0
#include "auditor.hh"

#include <gtest/gtest.h>

namespace lanyard::test {

using tcp::after;
using tcp::after_or_at;
using tcp::before_or_at;

void Auditor::see(bool from_a, const internet::Datagram& datagram) {
  const Seg segment = read_segment(datagram);
  Side& self = sides_[from_a ? 0 : 1];
  Side& other = sides_[from_a ? 1 : 0];
  const tcp::Header& header = segment.header;
  if (segment.segment_bytes == 0) {
    EXPECT_LE(segment.text.size() + header.size(), segment_bytes_max_) << describe(segment);
  }
  if (header.flags.rst()) {
    EXPECT_FALSE(self.has_reset && other.has_reset) << "a reset for a reset";  // 9293-3.5-b
    self.has_reset = true;
    return;
  }
  if (header.flags.syn()) self.scale = header.options.window_scale.value_or(0);
  const std::uint32_t window = header.flags.syn() ? std::uint32_t{header.window}
                                                  : std::uint32_t{header.window} << self.scale;
  if (header.flags.ack()) {
    const tcp::SequenceNumber edge = header.acknowledgment + window;
    // RFC 7323 2.4: by less than the unit of the scaled field it may; the old edge is honoured.
    const std::uint32_t unit = header.flags.syn() ? 1 : 1U << self.scale;
    EXPECT_TRUE(!self.edge || after_or_at(edge + (unit - 1), *self.edge)) << describe(segment);
    if (!self.edge || after(edge, *self.edge)) self.edge = edge;
    EXPECT_TRUE(!other.highest || before_or_at(header.acknowledgment, *other.highest))
        << describe(segment);
  }
  const auto size = static_cast<std::uint32_t>(segment.text.size());
  const tcp::SequenceNumber end = header.sequence + size + header.flags.syn() + header.flags.fin();
  if (!self.highest || after(end, *self.highest)) self.highest = end;
  const tcp::SequenceNumber text_end = header.sequence + size;
  const bool is_bound = other.edge && size > 0 && !header.flags.syn();
  EXPECT_TRUE(!is_bound || before_or_at(text_end, *other.edge)) << describe(segment);
  EXPECT_TRUE(!self.fin || size == 0 || before_or_at(text_end, *self.fin)) << describe(segment);
  if (!header.flags.fin()) return;
  EXPECT_EQ(text_end, self.fin.value_or(text_end)) << describe(segment);
  self.fin = text_end;
}

void Auditor::expect_awake(const Host& host, tcp::ConnectionId connection) {
  const bool has_work = host.tcp.unacked_bytes(connection) > 0;
  EXPECT_FALSE(has_work && host.tcp.next_deadline() == Instant::never());
}

}  // namespace lanyard::test
