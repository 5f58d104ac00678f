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

// The sizes; the last two are a program's write, and a super-segment with its headers.
constexpr std::array<std::uint32_t, pool::sizes> capacities = {pool::small_bytes, pool::frame_bytes,
                                                               16 * 1024, 66 * 1024};

constexpr pool::List list_of(std::uint32_t kept_max) {
  return {.kept_max = keeps_blocks ? kept_max : 0};
}

void release(Block* block) {
  block->~Block();
  ::operator delete(block);
}

struct Keeper {
  Keeper() = default;
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;
  ~Keeper() {
    // A block may outlive its thread's keeper (a packet in a static): then it goes straight back.
    for (pool::List& list : pool::lists) {
      list.kept_max = 0;
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

// The first list whose blocks hold `size` bytes; pool::sizes if none does.
std::size_t place_for(std::size_t size) {
  std::size_t i = 0;
  while (i < pool::sizes && capacities[i] < size) ++i;
  return i;
}

Block* fresh_block(std::size_t place, std::size_t capacity) {
  CHECK(capacity <= UINT32_MAX);
  keeper.be_there();  // whoever allocates may free, and keep, later
  const std::uint32_t size =
      place < pool::sizes ? capacities[place] : static_cast<std::uint32_t>(capacity);
  return new (::operator new(sizeof(Block) + size)) Block{1, size, {nullptr}};
}

// The first of a list that has one.
Block* take_from(pool::List& list) {
  Block* const block = list.first;
  list.first = block->next_free;
  --list.count;
  return block;
}

// Keeps it, unless there are enough.
void give_to(pool::List& list, Block* block) {
  if (list.count >= list.kept_max) return release(block);
  block->next_free = list.first;
  list.first = block;
  ++list.count;
}

}  // namespace

namespace pool {

// Plain memory, so that reaching it needs no guard; the keeper empties it.
constinit thread_local std::array<List, sizes + 1> lists{list_of(16384), list_of(8192),
                                                         list_of(512), list_of(256), list_of(256)};
constinit thread_local std::uint64_t uses = 0, uses_ended = 0;

}  // namespace pool

std::int64_t blocks_in_use() {
  return static_cast<std::int64_t>(pool::uses - pool::uses_ended);
}

Block* pool::allocate_other(std::size_t capacity) {
  const std::size_t place = place_for(capacity);
  const bool is_fresh = place == sizes || lists[place].first == nullptr;
  Block* const block = is_fresh ? fresh_block(place, capacity) : take_from(lists[place]);
  block->references = 1;
  block->use = ++uses;
  return block;
}

Block* pool::allocate_object() {
  List& list = lists[sizes];
  return list.first == nullptr ? fresh_block(sizes, object_bytes) : take_from(list);
}

void pool::free_object(Block* block) {
  give_to(lists[sizes], block);
}

void pool::free_other(Block* block) {
  const std::size_t place = place_for(block->capacity);
  return place == sizes ? release(block) : give_to(lists[place], block);
}

}  // namespace lanyard
