// SPDX-License-Identifier: Apache-2.0
// The words of core: times, errors, drops, events.
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/drop.hh"
#include "core/error.hh"
#include "core/event.hh"
#include "core/time.hh"

namespace lanyard {
namespace {

using namespace literals;

TEST(TimeText, IsTheShortestExactForm) {
  EXPECT_EQ(to_text(2_s), "2s");
  EXPECT_EQ(to_text(1500_us), "1.5ms");
  EXPECT_EQ(to_text(1_ns), "1ns");
  EXPECT_EQ(to_text(Duration::zero()), "0s");
  EXPECT_EQ(to_text(1'000'000'001_ns), "1.000000001s");
  EXPECT_EQ(to_text(Duration::zero() - 20_ms), "-20ms");
  EXPECT_EQ(to_text(Duration::infinite()), "never");
  EXPECT_EQ(to_text(Instant::at_ns(20'143'000)), "0.020143s");
  EXPECT_EQ(to_text(Instant::start() + 3_s), "3s");
  EXPECT_EQ(to_text(Instant::never()), "never");
}

TEST(Time, NothingIsLaterThanNever) {
  EXPECT_EQ(Instant::start() + Duration::infinite(), Instant::never());
  EXPECT_EQ(Instant::at_ns(1) + Duration::infinite(), Instant::never());
  EXPECT_EQ(Instant::never() + 1_s, Instant::never());
}

TEST(ErrnoText, IsLinuxsOwn) {
  EXPECT_EQ(errno_name(Errno::connection_refused), "ECONNREFUSED");
  int known = 0;
  for (int number = 1; number < 200; ++number) {
    const auto error = static_cast<Errno>(number);
    if (errno_name(error) == "E?") continue;
    ++known;
    EXPECT_EQ(errno_text(error), std::strerror(number)) << number;
  }
  EXPECT_EQ(known, 43);
  EXPECT_EQ(errno_text(static_cast<Errno>(9999)), "Unknown error");
}

TEST(DropText, EveryReasonHasItsOwnWords) {
  std::set<std::string_view> texts;
  for (std::size_t i = 0; i < drop_reasons; ++i) texts.insert(to_text(static_cast<DropReason>(i)));
  EXPECT_EQ(texts.size(), drop_reasons);
  EXPECT_EQ(to_text(DropReason::queue_full), "queue full");
}

TEST(EventKinds, NamesAreDistinctAndFoundByKind) {
  std::set<std::string_view> names;
  for (const EventKindInfo& info : event_kinds()) {
    names.insert(info.name);
    EXPECT_EQ(&info_of(info.kind), &info);
  }
  EXPECT_EQ(names.size(), event_kinds().size());
}

struct Kept : EventSink {
  void on_event(const Event& event) override { events.push_back(event); }
  std::vector<Event> events;
};

TEST(Trace, NumbersEventsAndNotesTheirCause) {
  Trace trace;
  EXPECT_EQ(trace.emit(Instant::start(), 1, EventKind::note, {}), 0U);  // nobody looks
  Kept kept;
  trace.set_sink(&kept);
  const EventId first = trace.emit(Instant::start(), 3, EventKind::frame_sent, {2, 60, 9});
  const EventId before = trace.set_cause(first);
  const EventId second = trace.emit(Instant::at_ns(5), 4, EventKind::frame_received, {1, 60, 9});
  trace.set_cause(before);
  ASSERT_EQ(kept.events.size(), 2U);
  EXPECT_EQ(first, 1U);
  EXPECT_EQ(second, 2U);
  EXPECT_EQ(kept.events[0].cause, 0U);
  EXPECT_EQ(kept.events[1].cause, first);
  EXPECT_EQ(kept.events[1].node, 4U);
  EXPECT_EQ(kept.events[1].values[1], 60);
  EXPECT_EQ(trace.cause(), 0U);
}

TEST(Trace, AsksForTheKindsThatAreWantedOnly) {
  Trace trace;
  Kept kept;
  trace.set_sink(&kept, {EventKind::tcp_state, EventKind::note});
  EXPECT_FALSE(trace.is_on());
  EXPECT_TRUE(trace.takes(EventKind::note));
  EXPECT_FALSE(trace.takes(EventKind::frame_sent));
  EXPECT_EQ(trace.emit(Instant::start(), 1, EventKind::frame_sent, {2, 60, 9}), 0U);
  EXPECT_EQ(trace.emit(Instant::start(), 1, EventKind::note, {}), 1U);
  EXPECT_EQ(kept.events.size(), 1U);
  trace.set_sink(&kept);
  EXPECT_TRUE(trace.is_on());
  trace.set_sink(nullptr);
  EXPECT_EQ(trace.emit(Instant::start(), 1, EventKind::note, {}), 0U);
}

}  // namespace
}  // namespace lanyard
