// SPDX-License-Identifier: Apache-2.0
// A pointer to what is made when it is first looked at: nine hosts of ten in a big lab never hear a
// frame, and are not to cost memory or time.
#pragma once

#include <functional>
#include <memory>
#include <utility>

namespace lanyard::lab {

// Used as a unique_ptr; `*maker` is called at the first look, and assigns.
template <typename T>
class OnDemand {
 public:
  OnDemand() = default;
  // There is one from here on, made when it is wanted. The maker outlives this or the first look.
  void make_with(const std::function<void()>& maker) { maker_ = &maker; }
  OnDemand& operator=(std::unique_ptr<T> made) {
    maker_ = nullptr;
    made_ = std::move(made);
    return *this;
  }

  [[nodiscard]] T* get() const {
    if (maker_ != nullptr) (*std::exchange(maker_, nullptr))();
    return made_.get();
  }
  T* operator->() const { return get(); }
  T& operator*() const { return *get(); }
  // These look without making.
  [[nodiscard]] bool is_made() const { return made_ != nullptr; }
  friend bool operator==(const OnDemand& one, std::nullptr_t) {
    return one.maker_ == nullptr && one.made_ == nullptr;
  }
  void reset() {
    maker_ = nullptr;
    made_.reset();
  }
  [[nodiscard]] std::unique_ptr<T> release() {
    (void)get();
    return std::move(made_);
  }

 private:
  mutable const std::function<void()>* maker_ = nullptr;
  std::unique_ptr<T> made_;
};

}  // namespace lanyard::lab
