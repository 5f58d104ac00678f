// SPDX-License-Identifier: Apache-2.0
// Blocks of a few sizes, kept on free lists of their thread when nobody refers to them any more.
// Reference counts are plain numbers: a block stays on its thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace lanyard {

struct Block {
  std::uint32_t references;
  std::uint32_t capacity;
  union {
    Block* next_free;
    std::uint64_t use;  // while it is in use: of all uses of blocks on this thread the how manieth
  };

  [[nodiscard]] std::uint8_t* data() {
    return static_cast<std::uint8_t*>(static_cast<void*>(this + 1));
  }
};

// The free lists of this thread, by size; those of the two least, which nearly all blocks have, are
// taken from and given to without a call.
namespace pool {

struct List {
  Block* first = nullptr;
  std::uint32_t count = 0;
  std::uint32_t kept_max = 0;
};
// Headers, and what small things lie in; an Ethernet frame.
inline constexpr std::uint32_t small_bytes = 256, frame_bytes = 2048;
inline constexpr std::size_t sizes = 4;
// Objects that are too large for small blocks and by far too small for the next, in a list of their
// own behind the others.
inline constexpr std::uint32_t object_bytes = 616;
extern constinit thread_local std::array<List, sizes + 1> lists;
extern constinit thread_local std::uint64_t uses, uses_ended;
[[nodiscard]] Block* allocate_other(std::size_t capacity);
[[nodiscard]] Block* allocate_object();
void free_other(Block* block);
void free_object(Block* block);

}  // namespace pool

// A block of at least `capacity` bytes with one reference.
[[nodiscard]] inline Block* allocate_block(std::size_t capacity) {
  if (capacity > pool::frame_bytes) return pool::allocate_other(capacity);
  pool::List& list = pool::lists[capacity > pool::small_bytes ? 1 : 0];
  Block* const block = list.first;
  if (block == nullptr) return pool::allocate_other(capacity);
  list.first = block->next_free;
  --list.count;
  block->references = 1;
  block->use = ++pool::uses;
  return block;
}
// Gives a block without references back.
inline void free_block(Block* block) {
  ++pool::uses_ended;
  const bool is_frame = block->capacity == pool::frame_bytes;
  pool::List& list = pool::lists[is_frame ? 1 : 0];
  const bool is_kept =
      (is_frame || block->capacity == pool::small_bytes) && list.count < list.kept_max;
  if (!is_kept) return pool::free_other(block);
  block->next_free = list.first;
  list.first = block;
  ++list.count;
}

inline void add_reference(Block* block) {
  ++block->references;
}
inline void drop_reference(Block* block) {
  if (--block->references == 0) free_block(block);
}

// What is made and unmade with every conversation or message lies in a pooled block.
struct Pooled {
  static void* operator new(std::size_t size) { return allocate_block(size)->data(); }
  static void operator delete(void* object) { drop_reference(static_cast<Block*>(object) - 1); }
};

// The same for those of up to pool::object_bytes; these are not counted among the blocks in use.
struct PooledObject {
  static void* operator new(std::size_t size) {
    static_cast<void>(size);
    return pool::allocate_object()->data();
  }
  static void operator delete(void* object) { pool::free_object(static_cast<Block*>(object) - 1); }
};

}  // namespace lanyard
