// SPDX-License-Identifier: Apache-2.0
// Blocks of a few sizes, kept on free lists of their thread when nobody refers to them any more.
// Reference counts are plain numbers: a block stays on its thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lanyard {

struct Block {
  std::uint32_t references;
  std::uint32_t capacity;
  Block* next_free;

  [[nodiscard]] std::uint8_t* data() {
    return static_cast<std::uint8_t*>(static_cast<void*>(this + 1));
  }
};

// A block of at least `capacity` bytes with one reference.
[[nodiscard]] Block* allocate_block(std::size_t capacity);
// Gives a block without references back.
void free_block(Block* block);

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

}  // namespace lanyard
