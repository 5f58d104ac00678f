// SPDX-License-Identifier: Apache-2.0
#include "core/pool.hh"

#include <array>
#include <new>

#include "core/check.hh"
#include "core/pool_count.hh"

namespace lanyard {
namespace {

// Under AddressSanitizer blocks are not kept, so that it sees every use after the last reference.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool keeps_blocks = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool keeps_blocks = false;
#else
constexpr bool keeps_blocks = true;
#endif
#else
constexpr bool keeps_blocks = true;
#endif

struct SizeClass {
  std::uint32_t capacity;
  std::uint32_t kept_blocks_max;
};
// Headers; an Ethernet frame; a program's write; a super-segment with its headers.
constexpr std::array classes = {SizeClass{256, 16384}, SizeClass{2048, 8192},
                                SizeClass{16 * 1024, 512}, SizeClass{66 * 1024, 256}};

void release(Block* block) {
  block->~Block();
  ::operator delete(block);
}

struct List {
  Block* first = nullptr;
  std::uint32_t count = 0;
};

// Plain memory, so that reaching it needs no guard; the keeper below empties it.
constinit thread_local std::array<List, classes.size()> lists{};
// A block may outlive its thread's keeper (a packet in a static): then it goes straight back.
constinit thread_local bool keeper_is_gone = false;
constinit thread_local std::int64_t in_use = 0;

struct Keeper {
  Keeper() = default;
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;
  ~Keeper() {
    keeper_is_gone = true;
    for (List& list : lists) {
      while (list.first != nullptr) {
        Block* next = list.first->next_free;
        release(list.first);
        list.first = next;
      }
    }
  }
  void be_there() const {}
};
thread_local Keeper keeper;

// The first class that holds `size` bytes; classes.size() if none does.
std::size_t class_for(std::size_t size) {
  std::size_t i = 0;
  while (i < classes.size() && classes[i].capacity < size) ++i;
  return i;
}

Block* fresh_block(std::size_t size_class, std::size_t capacity) {
  CHECK(capacity <= UINT32_MAX);
  keeper.be_there();  // whoever allocates may free, and keep, later
  const bool is_pooled = size_class < classes.size();
  const std::uint32_t size =
      is_pooled ? classes[size_class].capacity : static_cast<std::uint32_t>(capacity);
  return new (::operator new(sizeof(Block) + size)) Block{1, size, nullptr};
}

}  // namespace

std::int64_t blocks_in_use() {
  return in_use;
}

Block* allocate_block(std::size_t capacity) {
  ++in_use;
  const std::size_t size_class = capacity <= classes[0].capacity ? 0 : class_for(capacity);
  if (size_class < classes.size()) {
    List& list = lists[size_class];
    if (Block* const block = list.first; block != nullptr) {
      list.first = block->next_free;
      --list.count;
      block->references = 1;
      return block;
    }
  }
  return fresh_block(size_class, capacity);
}

void free_block(Block* block) {
  --in_use;
  const std::size_t size_class =
      block->capacity == classes[0].capacity ? 0 : class_for(block->capacity);
  if (!keeps_blocks || size_class == classes.size() || keeper_is_gone) return release(block);
  List& list = lists[size_class];
  if (list.count == classes[size_class].kept_blocks_max) return release(block);
  block->next_free = list.first;
  list.first = block;
  ++list.count;
}

}  // namespace lanyard
