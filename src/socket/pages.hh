// SPDX-License-Identifier: Apache-2.0
// Objects by numbers that are given out in order and never twice: pages of neighbouring numbers,
// each there while one of its objects is, or more may come. Finding one takes two loads, however
// many there are, and objects do not move.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
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
    ++size_;
    return pages_[page]->make(number(id) % page_size);
  }
  [[nodiscard]] T* find(Id id) const {
    const std::size_t page = number(id) / page_size;
    if (page >= pages_.size() || !pages_[page]) return nullptr;
    return pages_[page]->find(number(id) % page_size);
  }
  void erase(Id id) {
    if (find(id) == nullptr) return;
    std::unique_ptr<Page>& page = pages_[number(id) / page_size];
    page->end(number(id) % page_size);
    --size_;
    // The last one will be used again.
    if (page->used == 0 && &page != &pages_.back()) page.reset();
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  // In the order of their numbers.
  template <typename See>
  void for_each(See see) const {
    for (const std::unique_ptr<Page>& page : pages_) {
      if (!page) continue;
      for (std::size_t i = 0; i < page_size; ++i) {
        if (T* const object = page->find(i)) see(*object);
      }
    }
  }

 private:
  static constexpr std::size_t page_size = 32;
  struct Page {
    Page() {}
    Page(const Page&) = delete;
    Page& operator=(const Page&) = delete;
    ~Page() {
      for (std::size_t i = 0; i < page_size; ++i)
        if (find(i) != nullptr) end(i);
    }
    T& make(std::size_t i) {
      used |= std::uint32_t{1} << i;
      return *std::construct_at(&objects[i]);
    }
    [[nodiscard]] T* find(std::size_t i) { return (used >> i & 1) != 0 ? &objects[i] : nullptr; }
    void end(std::size_t i) {
      used &= ~(std::uint32_t{1} << i);
      std::destroy_at(&objects[i]);
    }
    std::uint32_t used = 0;  // a bit for each
    union {
      std::array<T, page_size> objects;
    };
  };
  [[nodiscard]] static std::size_t number(Id id) { return static_cast<std::size_t>(id); }
  std::vector<std::unique_ptr<Page>> pages_;
  std::size_t size_ = 0;
};

}  // namespace lanyard::socket
