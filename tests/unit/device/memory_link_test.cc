// SPDX-License-Identifier: Apache-2.0
#include "device/memory_link.hh"

#include <sys/epoll.h>

#include <string>

#include <gtest/gtest.h>

#include "device/event_loop.hh"

namespace lanyard::device {
namespace {

Packet frame_of(std::string_view text) {
  return Packet::copy_of(bytes_of(text));
}

TEST(MemoryDevice, WhatIsSentIntoOneEndComesOutOfTheOtherInOrder) {
  auto [first, second] = MemoryDevice::make_pair({});
  ASSERT_TRUE(first->send(frame_of("one")));
  ASSERT_TRUE(first->send(frame_of("two")));
  ASSERT_TRUE(second->send(frame_of("back")));
  EXPECT_EQ(text_of(second->receive()->front()), "one");
  EXPECT_EQ(text_of(second->receive()->front()), "two");
  EXPECT_EQ(second->receive().error(), Errno::try_again);
  EXPECT_EQ(text_of(first->receive()->front()), "back");
}

TEST(MemoryDevice, FullQueueSaysTryAgainAndAGoneEndSaysDown) {
  auto [first, second] = MemoryDevice::make_pair({}, 2);
  ASSERT_TRUE(first->send(frame_of("1")));
  ASSERT_TRUE(first->send(frame_of("2")));
  EXPECT_EQ(first->send(frame_of("3")).error(), Errno::try_again);
  second.reset();
  EXPECT_EQ(first->send(frame_of("4")).error(), Errno::network_down);
}

TEST(MemoryDevice, RingsOnceForManyFramesAndAgainAfterTheyAreTaken) {
  auto [first, second] = MemoryDevice::make_pair({});
  EventLoop loop;
  std::string got;
  loop.watch(second->descriptor(), EPOLLIN, [&, &to = *second, &from = *first](std::uint32_t) {
    got += text_of(to.receive()->front());
    if (got == "ab") {
      EXPECT_TRUE(from.send(frame_of("c")).has_value());
    }
    if (got == "abc") loop.stop();
  });
  ASSERT_TRUE(first->send(frame_of("a")));
  ASSERT_TRUE(first->send(frame_of("b")));
  loop.run();
  EXPECT_EQ(got, "abc");
}

}  // namespace
}  // namespace lanyard::device
