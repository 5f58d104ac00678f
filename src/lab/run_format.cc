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

void RunWriter::text(std::string_view text) {
  number(static_cast<std::uint32_t>(text.size()));
  const Bytes bytes = bytes_of(text);
  to_.insert(to_.end(), bytes.begin(), bytes.end());
}

void RunWriter::event(const Event& event) {
  number(RunRow::event);
  number(event.id);
  number(event.cause);
  number(event.at.count_ns());
  number(event.node);
  number(static_cast<std::uint16_t>(event.kind));
  std::size_t count = event.values.size();
  while (count > 0 && event.values[count - 1] == 0) --count;
  number(static_cast<std::uint8_t>(count));
  for (std::size_t i = 0; i < count; ++i) number(event.values[i]);
  text(event.text);
}

void RunWriter::cause(std::uint64_t packet, EventId cause) {
  number(RunRow::cause);
  number(packet);
  number(cause);
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
