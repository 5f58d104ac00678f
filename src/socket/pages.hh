// SPDX-License-Identifier: Apache-2.0
// Objects by numbers that are given out in order and never twice: pages of neighbouring numbers,
// each there while one of its objects is, or more may come. Finding one takes two loads, however
// many there are, and objects do not move.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace lanyard::socket {

template <typename Id, typename T>
class Pages {
 public:
  // `id` is not there, and larger than all before it but for a page's worth.
  T& add(Id id) {
    const std::size_t page = number(id) / page_size;
    if (page >= pages_.size()) {
      if (!pages_.empty() && pages_.back() && pages_.back()->used == 0) pages_.back().reset();
      pages_.resize(page + 1);
    }
    if (!pages_[page]) pages_[page] = std::make_unique_for_overwrite<Page>();
    ++pages_[page]->used;
    ++size_;
    return pages_[page]->objects[number(id) % page_size].emplace();
  }
  [[nodiscard]] T* find(Id id) const {
    const std::size_t page = number(id) / page_size;
    if (page >= pages_.size() || !pages_[page]) return nullptr;
    std::optional<T>& object = pages_[page]->objects[number(id) % page_size];
    return object ? &*object : nullptr;
  }
  void erase(Id id) {
    if (find(id) == nullptr) return;
    std::unique_ptr<Page>& page = pages_[number(id) / page_size];
    page->objects[number(id) % page_size].reset();
    --size_;
    // The last one will be used again.
    if (--page->used == 0 && &page != &pages_.back()) page.reset();
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  // In the order of their numbers.
  template <typename See>
  void for_each(See see) const {
    for (const std::unique_ptr<Page>& page : pages_) {
      if (!page) continue;
      for (std::optional<T>& object : page->objects) {
        if (object) see(*object);
      }
    }
  }

 private:
  static constexpr std::size_t page_size = 32;
  struct Page {
    std::array<std::optional<T>, page_size> objects;
    std::size_t used = 0;
  };
  [[nodiscard]] static std::size_t number(Id id) { return static_cast<std::size_t>(id); }
  std::vector<std::unique_ptr<Page>> pages_;
  std::size_t size_ = 0;
};

}  // namespace lanyard::socket
