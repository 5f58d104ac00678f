// SPDX-License-Identifier: Apache-2.0
// The table of conversations, at its worst: hundreds of them that all want one place.
#include "transport/tcp/demux.hh"

#include <gtest/gtest.h>

#include <memory>

namespace lanyard::tcp {
namespace {

std::unique_ptr<Node> between(Port port, std::uint32_t peer) {
  auto node = std::make_unique<Node>();
  node->local = {IpAddress::v4(10, 0, 0, 1), port, 0};
  node->remote = {IpAddress::v4(peer), 80, 0};
  return node;
}

}  // namespace

// Beyond 255 steps from home an entry no longer says how many: it is moved up all the same when
// others go, and found wherever it is.
TEST(Demux, EntriesFarFromHomeAreFoundWhileOthersComeAndGo) {
  constexpr std::size_t wanted = 300;
  constexpr std::uint32_t mask = 511;  // of a table that holds these and is not grown
  Demux demux{SipKey{1, 2}};
  std::vector<std::unique_ptr<Node>> nodes;
  for (std::uint32_t peer = 1; nodes.size() < wanted; ++peer) {
    auto node = between(static_cast<Port>(peer), 0x0a000000U + peer);
    demux.insert(*node);
    if ((node->hash & mask) == 7) {
      nodes.push_back(std::move(node));
    } else {
      demux.remove(*node);
    }
  }
  ASSERT_EQ(demux.size(), wanted);
  const auto expect_found = [&](std::size_t from) {
    for (std::size_t i = 0; i < wanted; ++i)
      ASSERT_EQ(demux.find(nodes[i]->local, nodes[i]->remote).node(),
                i < from ? nullptr : nodes[i].get())
          << i << " after " << from << " have gone";
  };
  expect_found(0);
  for (std::size_t gone = 0; gone < wanted; ++gone) {
    demux.remove(*nodes[gone]);
    if (gone % 20 == 0 || gone + 1 == wanted) expect_found(gone + 1);
  }
  EXPECT_EQ(demux.size(), 0U);
}

}  // namespace lanyard::tcp
