// SPDX-License-Identifier: Apache-2.0
#include "core/pool.hh"

#include <array>
#include <new>

#include "core/check.hh"

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

class Pool {
 public:
  Pool() = default;
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool();

  Block* take(std::size_t size_class) {
    List& list = lists_[size_class];
    Block* block = list.first;
    if (block != nullptr) {
      list.first = block->next_free;
      --list.count;
    }
    return block;
  }

  bool keep(std::size_t size_class, Block* block) {
    List& list = lists_[size_class];
    if (!keeps_blocks || list.count == classes[size_class].kept_blocks_max) return false;
    block->next_free = list.first;
    list.first = block;
    ++list.count;
    return true;
  }

 private:
  struct List {
    Block* first = nullptr;
    std::uint32_t count = 0;
  };
  std::array<List, classes.size()> lists_{};
};

// A block may outlive its thread's pool (a packet in a static): then it goes straight back.
constinit thread_local bool pool_is_gone = false;
thread_local Pool pool;

Pool::~Pool() {
  pool_is_gone = true;
  for (List& list : lists_) {
    while (list.first != nullptr) {
      Block* next = list.first->next_free;
      release(list.first);
      list.first = next;
    }
  }
}

// The first class that holds `size` bytes; classes.size() if none does.
std::size_t class_for(std::size_t size) {
  std::size_t i = 0;
  while (i < classes.size() && classes[i].capacity < size) ++i;
  return i;
}

}  // namespace

Block* allocate_block(std::size_t capacity) {
  CHECK(capacity <= UINT32_MAX);
  const std::size_t size_class = class_for(capacity);
  const bool is_pooled = size_class < classes.size();
  if (is_pooled && !pool_is_gone) {
    if (Block* block = pool.take(size_class); block != nullptr) {
      block->references = 1;
      return block;
    }
  }
  const std::uint32_t size =
      is_pooled ? classes[size_class].capacity : static_cast<std::uint32_t>(capacity);
  return new (::operator new(sizeof(Block) + size)) Block{1, size, nullptr};
}

void free_block(Block* block) {
  const std::size_t size_class = class_for(block->capacity);
  if (size_class < classes.size() && !pool_is_gone && pool.keep(size_class, block)) return;
  release(block);
}

}  // namespace lanyard
