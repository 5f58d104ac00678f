// SPDX-License-Identifier: Apache-2.0
// What went out as one segment, and a row of such: the memory of flight.hh.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/pool.hh"
#include "core/time.hh"
#include "transport/tcp/delivery.hh"
#include "wire/sequence.hh"

namespace lanyard::tcp {

struct FlightRun {
  SequenceNumber from, to;
  Instant sent_at;  // the last time
  std::uint32_t order = 0;
  mutable std::uint32_t skip : 28 = 1;  // of a held run: so many from here on are held
  std::uint32_t is_held : 1 = 0;
  std::uint32_t is_lost : 1 = 0;    // and not sent again since
  std::uint32_t is_resent : 1 = 0;  // ever
  std::uint32_t is_split : 1 = 0;   // cut from the run before it
  [[nodiscard]] Moment moment(SequenceNumber end) const { return {sent_at, order, end}; }
};

// A vector of runs of which the first few need no memory of their own.
class FlightRuns {
 public:
  FlightRuns() = default;
  FlightRuns(const FlightRuns&) = delete;
  FlightRuns& operator=(const FlightRuns&) = delete;
  ~FlightRuns() {
    if (many_ != nullptr) drop_reference(many_);
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] FlightRun& operator[](std::size_t index) { return first_[index]; }
  [[nodiscard]] const FlightRun& operator[](std::size_t index) const { return first_[index]; }
  [[nodiscard]] const FlightRun* begin() const { return first_; }
  [[nodiscard]] const FlightRun* end() const { return first_ + size_; }
  // Room for so many more at the end; the caller writes them.
  [[nodiscard]] FlightRun* extend(std::uint32_t count) {
    if (capacity_ - size_ < count) grow(size_ + count);
    size_ += count;
    return first_ + (size_ - count);
  }
  void insert(std::size_t index, const FlightRun& run);
  void drop_front(std::size_t count);
  void clear() { size_ = 0; }
  [[nodiscard]] bool has_own_memory() const { return many_ != nullptr; }

 private:
  void grow(std::uint32_t wanted);
  static constexpr std::uint32_t few_max = 3;
  std::array<FlightRun, few_max> few_;
  Block* many_ = nullptr;  // instead, when there are more
  FlightRun* first_ = few_.data();
  std::uint32_t size_ = 0, capacity_ = few_max;
};

}  // namespace lanyard::tcp
