// SPDX-License-Identifier: Apache-2.0
// Objects by handles that are never reused: the low 32 bits of an id are a slot, the high 32 bits
// count how often the slot was given out. Look-up is O(1) and a stale id finds nothing. Slots lie
// in chunks and do not move; the first chunks are small, since most machines have few.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace lanyard::transport {

template <typename Id, typename T>
class Slots {
 public:
  Slots() = default;
  Slots(const Slots&) = delete;
  Slots& operator=(const Slots&) = delete;
  ~Slots() {
    for_each([](T& object) { std::destroy_at(&object); });
  }

  // A new object, which `take_id(object, id)` tells its id.
  template <typename TakeId>
  T& add(TakeId take_id) {
    std::uint32_t index = count_;
    if (free_.empty()) {
      if (chunk_of(index) == chunks_.size()) add_chunk();
      ++count_;
    } else {
      index = free_.back();
      free_.pop_back();
    }
    Slot& slot = slot_at(index);
    std::construct_at(&slot.object);
    slot.is_used = true;
    ++size_;
    take_id(slot.object, id_of(index, ++slot.turn));
    return slot.object;
  }

  [[nodiscard]] T* find(Id id) const {
    const auto number = static_cast<std::uint64_t>(id);
    const auto index = static_cast<std::uint32_t>(number & 0xffff'ffff);
    if (index >= count_) return nullptr;
    Slot& slot = slot_at(index);
    return slot.turn == number >> 32 && slot.is_used ? &slot.object : nullptr;
  }
  [[nodiscard]] T* at(std::uint32_t index) const {
    Slot& slot = slot_at(index);
    return slot.is_used ? &slot.object : nullptr;
  }

  void remove(Id id) {
    T* const object = find(id);
    if (object == nullptr) return;
    const auto index = static_cast<std::uint32_t>(static_cast<std::uint64_t>(id) & 0xffff'ffff);
    slot_at(index).is_used = false;
    std::destroy_at(object);
    free_.push_back(index);
    --size_;
  }

  // In slot order, which is the same in every run.
  template <typename See>
  void for_each(See see) const {
    for (std::uint32_t index = 0; index < count_; ++index)
      if (T* const object = at(index)) see(*object);
  }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  struct Slot {
    Slot() {}
    ~Slot() {}
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;
    union {
      T object;  // while it is used
    };
    std::uint32_t turn = 0;
    bool is_used = false;
  };
  // Chunks of 1, 1, 2, 4 .. slots up to this, then all of this.
  static constexpr std::uint32_t chunk_bits_max = 9;
  static constexpr std::uint32_t chunk_slots_max = 1U << chunk_bits_max;

  [[nodiscard]] static std::size_t chunk_of(std::uint32_t index) {
    if (index < chunk_slots_max) return static_cast<std::size_t>(std::bit_width(index));
    return chunk_bits_max + std::size_t{index >> chunk_bits_max};
  }
  [[nodiscard]] Slot& slot_at(std::uint32_t index) const {
    const std::uint32_t first =
        index < chunk_slots_max ? std::bit_floor(index) : index & ~(chunk_slots_max - 1);
    return chunks_[chunk_of(index)][index - first];
  }
  void add_chunk() {
    const std::size_t number = chunks_.size();
    std::size_t slots = chunk_slots_max;
    if (number <= chunk_bits_max) slots = number == 0 ? 1 : std::size_t{1} << (number - 1);
    chunks_.push_back(std::make_unique<Slot[]>(slots));
  }
  [[nodiscard]] static Id id_of(std::uint32_t index, std::uint32_t turn) {
    return static_cast<Id>((static_cast<std::uint64_t>(turn) << 32) | index);
  }
  std::vector<std::unique_ptr<Slot[]>> chunks_;
  std::vector<std::uint32_t> free_;
  std::uint32_t count_ = 0;  // slots ever given out
  std::size_t size_ = 0;
};

// The number of a slot inside an id.
template <typename Id>
[[nodiscard]] std::uint32_t index_of(Id id) {
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(id) & 0xffff'ffff);
}

}  // namespace lanyard::transport
