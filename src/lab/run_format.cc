// SPDX-License-Identifier: Apache-2.0
#include "lab/run_format.hh"

#include <algorithm>

namespace lanyard::lab {

std::string_view text_of_kind(NodeKind kind) {
  switch (kind) {
    case NodeKind::host:
      return "host";
    case NodeKind::kernel_host:
      return "linux";
    case NodeKind::switching:
      return "switch";
    case NodeKind::router:
      return "router";
  }
  return "";
}

namespace {

constexpr std::size_t any_bytes_max = 10;
// Tag, five numbers and as many values, and the size of a text.
constexpr std::size_t row_bytes_max = 1 + 11 * any_bytes_max;

std::uint8_t* put_any(std::uint8_t* to, std::uint64_t value) {
  while (value >= 0x80) {
    *to++ = static_cast<std::uint8_t>(value | 0x80);
    value >>= 7U;
  }
  *to++ = static_cast<std::uint8_t>(value);
  return to;
}

std::uint8_t* put_signed(std::uint8_t* to, std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  return put_any(to, value < 0 ? ~(bits << 1U) : bits << 1U);
}

}  // namespace

void RowBlock::grow(std::size_t wanted) {
  bytes_.resize(std::max(wanted, bytes_max + row_bytes_max));
}

std::uint8_t* RowBlock::row(RunRow tag, std::size_t text_bytes) {
  const std::size_t wanted = used_ + sizeof(RunBlock) + row_bytes_max + text_bytes;
  if (bytes_.size() < wanted) grow(wanted);
  if (used_ == 0) {
    bytes_[0] = static_cast<std::uint8_t>(RunBlock::rows);
    bytes_[1] = bytes_[2] = bytes_[3] = 0;
    used_ = sizeof(RunBlock);
  }
  std::uint8_t* to = bytes_.data() + used_;
  *to = static_cast<std::uint8_t>(tag);
  return to + 1;
}

void RowBlock::event(const Event& event) {
  std::uint8_t* to = row(RunRow::short_event, event.text.size());
  std::size_t count = event.values.size();
  while (count > 0 && event.values[count - 1] == 0) --count;
  to = put_signed(to, static_cast<std::int64_t>(event.id - last_id_));
  to = put_signed(to, event.at.count_ns() - last_at_ns_);
  to = put_any(to, event.cause == 0 ? 0 : event.id - event.cause);
  to = put_any(to, event.node);
  to = put_any(to, std::uint64_t{static_cast<std::uint16_t>(event.kind)} << 4U | count << 1U |
                       (event.text.empty() ? 0U : 1U));
  for (std::size_t i = 0; i < count; ++i) to = put_signed(to, event.values[i]);
  if (!event.text.empty()) {
    to = put_any(to, event.text.size());
    to = std::ranges::copy(bytes_of(event.text), to).out;
  }
  last_id_ = event.id;
  last_at_ns_ = event.at.count_ns();
  used_ = static_cast<std::size_t>(to - bytes_.data());
}

void RowBlock::cause(std::uint64_t packet, EventId cause) {
  std::uint8_t* to = put_any(row(RunRow::short_cause, 0), packet);
  used_ = static_cast<std::size_t>(put_any(to, cause) - bytes_.data());
}

void RowBlock::clear() {
  used_ = 0;
  last_id_ = 0;
  last_at_ns_ = 0;
}

Bytes RunReader::take(std::size_t size) {
  if (!is_good_ || size > rest_.size()) {
    is_good_ = false;
    rest_ = {};
    return {};
  }
  const Bytes bytes = rest_.first(size);
  rest_ = rest_.subspan(size);
  return bytes;
}

std::uint64_t RunReader::any() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const auto byte = number<std::uint8_t>();
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) return value;
  }
  is_good_ = false;
  return 0;
}

std::int64_t RunReader::any_signed() {
  const std::uint64_t value = any();
  return static_cast<std::int64_t>((value & 1U) != 0 ? ~(value >> 1U) : value >> 1U);
}

Event RunReader::short_event() {
  Event event;
  event.id = last_id_ += static_cast<std::uint64_t>(any_signed());
  // Unsigned: what a file says may lead anywhere.
  last_at_ns_ = static_cast<std::int64_t>(static_cast<std::uint64_t>(last_at_ns_) +
                                          static_cast<std::uint64_t>(any_signed()));
  event.at = Instant::at_ns(last_at_ns_);
  const std::uint64_t back = any();
  event.cause = back == 0 ? 0 : event.id - back;
  const std::uint64_t node = any();
  const std::uint64_t kind = any();
  if (node > UINT32_MAX || kind >> 4U >= event_kinds().size()) is_good_ = false;
  event.node = static_cast<std::uint32_t>(node);
  event.kind = static_cast<EventKind>(is_good_ ? kind >> 4U : 0);
  const std::size_t count = kind >> 1U & 7U;
  if (count > event.values.size()) is_good_ = false;
  for (std::size_t i = 0; i < count && is_good_; ++i) event.values[i] = any_signed();
  if ((kind & 1U) != 0) event.text = text_of(take(any()));
  return event;
}

Event RunReader::event() {
  Event event;
  event.id = number<EventId>();
  event.cause = number<EventId>();
  event.at = Instant::at_ns(number<std::int64_t>());
  event.node = number<std::uint32_t>();
  const auto kind = number<std::uint16_t>();
  if (kind >= event_kinds().size()) is_good_ = false;
  event.kind = static_cast<EventKind>(kind);
  const std::size_t count = number<std::uint8_t>();
  if (count > event.values.size()) is_good_ = false;
  for (std::size_t i = 0; i < count && is_good_; ++i) event.values[i] = number<std::int64_t>();
  event.text = text_of(take(number<std::uint32_t>()));
  return event;
}

}  // namespace lanyard::lab
