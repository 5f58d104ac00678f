// SPDX-License-Identifier: Apache-2.0
// Objects by handles that are never reused: the low 32 bits of an id are a slot, the high 32 bits
// count how often the slot was given out. Look-up is O(1) and a stale id finds nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace lanyard::transport {

template <typename Id, typename T>
class Slots {
 public:
  // The new object is made by `make(id)`.
  template <typename Make>
  T& add(Make make) {
    std::uint32_t index = 0;
    if (free_.empty()) {
      index = static_cast<std::uint32_t>(slots_.size());
      slots_.emplace_back();
    } else {
      index = free_.back();
      free_.pop_back();
    }
    Slot& slot = slots_[index];
    slot.object = make(id_of(index, ++slot.turn));
    ++size_;
    return *slot.object;
  }

  [[nodiscard]] T* find(Id id) const {
    const auto number = static_cast<std::uint64_t>(id);
    const std::size_t index = number & 0xffff'ffff;
    if (index >= slots_.size() || slots_[index].turn != number >> 32) return nullptr;
    return slots_[index].object.get();
  }
  [[nodiscard]] T* at(std::uint32_t index) const { return slots_[index].object.get(); }

  void remove(Id id) {
    if (find(id) == nullptr) return;
    const auto index = static_cast<std::uint32_t>(static_cast<std::uint64_t>(id) & 0xffff'ffff);
    slots_[index].object.reset();
    free_.push_back(index);
    --size_;
  }

  // In slot order, which is the same in every run.
  template <typename See>
  void for_each(See see) const {
    for (const Slot& slot : slots_)
      if (slot.object) see(*slot.object);
  }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  struct Slot {
    std::unique_ptr<T> object;
    std::uint32_t turn = 0;
  };
  [[nodiscard]] static Id id_of(std::uint32_t index, std::uint32_t turn) {
    return static_cast<Id>((static_cast<std::uint64_t>(turn) << 32) | index);
  }
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::size_t size_ = 0;
};

// The number of a slot inside an id.
template <typename Id>
[[nodiscard]] std::uint32_t index_of(Id id) {
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(id) & 0xffff'ffff);
}

}  // namespace lanyard::transport
