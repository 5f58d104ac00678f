// SPDX-License-Identifier: Apache-2.0
// The table of conversations, at its worst: hundreds of them that all want one place.
#include "transport/tcp/demux.hh"

#include <gtest/gtest.h>

#include <memory>

namespace lanyard::tcp {
namespace {

struct Held {
  Node node;
  Place place{node};
};

std::unique_ptr<Held> between(Port port, std::uint32_t peer) {
  auto held = std::make_unique<Held>();
  held->node.local = {IpAddress::v4(10, 0, 0, 1), port, 0};
  held->node.remote = {IpAddress::v4(peer), 80, 0};
  return held;
}

}  // namespace

// Beyond 255 steps from home an entry no longer says how many: it is moved up all the same when
// others go, and found wherever it is.
TEST(Demux, EntriesFarFromHomeAreFoundWhileOthersComeAndGo) {
  constexpr std::size_t wanted = 300;
  constexpr std::uint32_t mask = 511;  // of a table that holds these and is not grown
  Demux demux{SipKey{1, 2}};
  std::vector<std::unique_ptr<Held>> all;
  for (std::uint32_t peer = 1; all.size() < wanted; ++peer) {
    auto held = between(static_cast<Port>(peer), 0x0a000000U + peer);
    demux.insert(held->node, held->place);
    if ((held->node.hash & mask) == 7) {
      all.push_back(std::move(held));
    } else {
      demux.remove(held->place);
    }
  }
  ASSERT_EQ(demux.size(), wanted);
  const auto expect_found = [&](std::size_t from) {
    for (std::size_t i = 0; i < wanted; ++i)
      ASSERT_EQ(demux.find(all[i]->node.local, all[i]->node.remote),
                i < from ? nullptr : &all[i]->place)
          << i << " after " << from << " have gone";
  };
  expect_found(0);
  for (std::size_t gone = 0; gone < wanted; ++gone) {
    demux.remove(all[gone]->place);
    if (gone % 20 == 0 || gone + 1 == wanted) expect_found(gone + 1);
  }
  EXPECT_EQ(demux.size(), 0U);
}

}  // namespace lanyard::tcp
