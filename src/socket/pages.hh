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
  Pages() = default;
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;
  ~Pages() {
    for_each([](T& object) { std::destroy_at(&object); });
  }
  // `id` is not there, and larger than all before it but for a page's worth.
  T& add(Id id) {
    const std::size_t page = number(id) / page_size;
    if (page >= pages_.size()) {
      if (!pages_.empty() && pages_.back().used == 0) pages_.back().objects.reset();
      pages_.resize(page + 1);
    }
    Page& there = pages_[page];
    if (!there.objects) there.objects = std::make_unique_for_overwrite<Objects>();
    ++size_;
    there.used |= bit_of(id);
    return *std::construct_at(there.at(number(id) % page_size));
  }
  [[nodiscard]] T* find(Id id) const {
    const std::size_t page = number(id) / page_size;
    if (page >= pages_.size() || (pages_[page].used & bit_of(id)) == 0) return nullptr;
    return pages_[page].at(number(id) % page_size);
  }
  void erase(Id id) {
    T* const object = find(id);
    if (object == nullptr) return;
    std::destroy_at(object);
    Page& page = pages_[number(id) / page_size];
    page.used &= ~bit_of(id);
    --size_;
    // The last one will be used again.
    if (page.used == 0 && &page != &pages_.back()) page.objects.reset();
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  // In the order of their numbers.
  template <typename See>
  void for_each(See see) const {
    for (const Page& page : pages_) {
      for (std::size_t i = 0; i < page_size; ++i)
        if ((page.used >> i & 1) != 0) see(*page.at(i));
    }
  }

 private:
  static constexpr std::size_t page_size = 32;
  struct Objects {
    Objects() {}
    Objects(const Objects&) = delete;
    Objects& operator=(const Objects&) = delete;
    ~Objects() {}
    union {
      std::array<T, page_size> there;
    };
  };
  // Which objects there are stands beside where they lie, so that to find one is one look at it.
  struct Page {
    [[nodiscard]] T* at(std::size_t i) const { return &objects->there[i]; }
    std::unique_ptr<Objects> objects;
    std::uint32_t used = 0;  // a bit for each
  };
  [[nodiscard]] static std::size_t number(Id id) { return static_cast<std::size_t>(id); }
  [[nodiscard]] static std::uint32_t bit_of(Id id) {
    return std::uint32_t{1} << number(id) % page_size;
  }
  std::vector<Page> pages_;
  std::size_t size_ = 0;
};

}  // namespace lanyard::socket
