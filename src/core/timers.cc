// SPDX-License-Identifier: Apache-2.0
// Time is cut into ticks of 2^16 ns. Timers of later ticks lie, in no order, in the slots of a
// wheel of eight levels with 64 slots each; level L's slots are 64^L ticks wide. Timers of the
// present tick (and earlier ones) lie in a heap ordered by (deadline, order of arming): it makes
// them fire exactly. When the heap is empty, the first slot with something in it is spread over
// lower levels and the heap.
#include "core/timers.hh"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>
#include <vector>

#include "core/check.hh"

namespace lanyard {
namespace {

constexpr int tick_bits = 16;
constexpr int level_bits = 6;
constexpr std::uint32_t slots_per_level = 1U << level_bits;
constexpr std::uint32_t levels = 8;  // 16 + 8 * 6 bits: all of an Instant
constexpr std::uint32_t near = 1U << 31;
// How many timers of a slot are looked at for the earliest before the slot is spread instead.
constexpr int looked_at_max = 32;
// Up to so many timers are kept in the heap alone: an idle machine's few need no slots.
constexpr std::size_t few_max = 48;

std::uint64_t tick_of(Instant instant) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(instant.count_ns(), 0)) >> tick_bits;
}

}  // namespace

struct Timers::Wheel {
  struct Levels {
    std::array<std::uint64_t, levels> occupied{};
    std::array<std::array<Timer*, slots_per_level>, levels> slots{};
  };
  std::uint64_t tick = 0;  // timers in slots are later than this
  std::uint64_t arm_count = 0;
  std::unique_ptr<Levels> far;  // made when there are more than a few timers
  std::vector<Timer*> heap;
  Instant earliest_in_slots = Instant::never();
  bool is_earliest_known = true;

  static bool is_before(const Timer& a, const Timer& b) {
    return a.deadline_ != b.deadline_ ? a.deadline_ < b.deadline_ : a.order_ < b.order_;
  }
  void put(std::size_t index, Timer* timer) {
    heap[index] = timer;
    timer->place_ = near | static_cast<std::uint32_t>(index);
  }
  void move_up(std::size_t index, Timer* timer);
  void move_down(std::size_t index, Timer* timer);
  void push_heap(Timer* timer);
  void remove_from_heap(std::size_t index);

  void place(Timer* timer);
  void make_slots();
  void remove_from_slot(Timer* timer);
  // The first slot that holds something; false if none does.
  struct Slot {
    std::uint32_t level, index;
    std::uint64_t first_tick;
  };
  bool first_slot(Slot& found) const;
  void spread(const Slot& slot);
  bool find_earliest(const Slot& slot);
};

void Timers::Wheel::move_up(std::size_t index, Timer* timer) {
  while (index > 0) {
    const std::size_t parent = (index - 1) / 2;
    if (!is_before(*timer, *heap[parent])) break;
    put(index, heap[parent]);
    index = parent;
  }
  put(index, timer);
}

void Timers::Wheel::move_down(std::size_t index, Timer* timer) {
  while (true) {
    std::size_t child = 2 * index + 1;
    if (child >= heap.size()) break;
    if (child + 1 < heap.size() && is_before(*heap[child + 1], *heap[child])) ++child;
    if (!is_before(*heap[child], *timer)) break;
    put(index, heap[child]);
    index = child;
  }
  put(index, timer);
}

void Timers::Wheel::push_heap(Timer* timer) {
  heap.push_back(timer);
  move_up(heap.size() - 1, timer);
}

void Timers::Wheel::remove_from_heap(std::size_t index) {
  Timer* last = heap.back();
  heap.pop_back();
  if (index == heap.size()) return;
  if (index > 0 && is_before(*last, *heap[(index - 1) / 2])) {
    move_up(index, last);
  } else {
    move_down(index, last);
  }
}

// The level is that of the highest digit in which the timer's tick differs from the wheel's.
void Timers::Wheel::place(Timer* timer) {
  const std::uint64_t due = tick_of(timer->deadline_);
  if (far == nullptr && heap.size() == few_max) make_slots();
  if (due <= tick || far == nullptr) {
    push_heap(timer);
    return;
  }
  const auto level = static_cast<std::uint32_t>((std::bit_width(due ^ tick) - 1) / level_bits);
  const auto index = static_cast<std::uint32_t>(due >> (level * level_bits)) % slots_per_level;
  Timer*& head = far->slots[level][index];
  timer->place_ = level * slots_per_level + index;
  timer->previous_ = nullptr;
  timer->next_ = head;
  if (head != nullptr) head->previous_ = timer;
  head = timer;
  far->occupied[level] |= std::uint64_t{1} << index;
  if (is_earliest_known) earliest_in_slots = std::min(earliest_in_slots, timer->deadline_);
}

// What is later than now leaves the heap.
void Timers::Wheel::make_slots() {
  far = std::make_unique<Levels>();
  for (Timer* timer : std::exchange(heap, {})) place(timer);
}

void Timers::Wheel::remove_from_slot(Timer* timer) {
  const std::uint32_t level = timer->place_ / slots_per_level;
  const std::uint32_t index = timer->place_ % slots_per_level;
  if (timer->next_ != nullptr) timer->next_->previous_ = timer->previous_;
  if (timer->previous_ != nullptr) {
    timer->previous_->next_ = timer->next_;
  } else {
    far->slots[level][index] = timer->next_;
    if (timer->next_ == nullptr) far->occupied[level] &= ~(std::uint64_t{1} << index);
  }
  if (timer->deadline_ == earliest_in_slots) is_earliest_known = false;
}

// Every timer of a level is later than all timers of the levels below it.
bool Timers::Wheel::first_slot(Slot& found) const {
  if (far == nullptr) return false;
  for (std::uint32_t level = 0; level < levels; ++level) {
    const std::uint64_t occupied = far->occupied[level];
    if (occupied == 0) continue;
    const auto index = static_cast<std::uint32_t>(std::countr_zero(occupied));
    const std::uint32_t shift = level * level_bits;
    const std::uint64_t above = tick >> shift >> level_bits << level_bits;
    found = {level, index, (above | index) << shift};
    return true;
  }
  return false;
}

// Goes on to the slot's first tick, to which nothing comes before, and places its timers anew.
void Timers::Wheel::spread(const Slot& slot) {
  Timer* timer = std::exchange(far->slots[slot.level][slot.index], nullptr);
  far->occupied[slot.level] &= ~(std::uint64_t{1} << slot.index);
  tick = slot.first_tick;
  is_earliest_known = false;
  while (timer != nullptr) {
    Timer* next = timer->next_;
    place(timer);
    timer = next;
  }
}

// Looks for the earliest timer of the first slot; gives up when there are many.
bool Timers::Wheel::find_earliest(const Slot& slot) {
  Instant earliest = Instant::never();
  int looked_at = 0;
  for (const Timer* each = far->slots[slot.level][slot.index]; each != nullptr;
       each = each->next_) {
    if (++looked_at > looked_at_max) return false;
    earliest = std::min(earliest, each->deadline_);
  }
  earliest_in_slots = earliest;
  is_earliest_known = true;
  return true;
}

void Timer::stop() {
  if (owner_ != nullptr) owner_->forget(*this);
}

Timers::Timers(Instant now) : wheel_(std::make_unique<Wheel>()) {
  wheel_->tick = tick_of(now);
}

Timers::~Timers() {
  for (Timer* timer : wheel_->heap) timer->owner_ = nullptr;
  if (wheel_->far == nullptr) return;
  for (const auto& level : wheel_->far->slots) {
    for (Timer* timer : level) {
      for (; timer != nullptr; timer = timer->next_) timer->owner_ = nullptr;
    }
  }
}

void Timers::forget(Timer& timer) {
  if ((timer.place_ & near) != 0) {
    wheel_->remove_from_heap(timer.place_ & ~near);
  } else {
    wheel_->remove_from_slot(&timer);
  }
  timer.owner_ = nullptr;
  --armed_;
}

void Timers::arm(Timer& timer, Instant deadline) {
  timer.stop();
  if (deadline == Instant::never()) return;
  timer.owner_ = this;
  timer.deadline_ = deadline;
  timer.order_ = ++wheel_->arm_count;
  wheel_->place(&timer);
  ++armed_;
}

Timer* Timers::pop(Instant now) {
  Wheel& wheel = *wheel_;
  const std::uint64_t now_tick = tick_of(now);
  while (wheel.heap.empty()) {
    Wheel::Slot slot{};
    if (!wheel.first_slot(slot) || slot.first_tick > now_tick) {
      // Nothing is due in between: slots of the levels stay those of their timers.
      wheel.tick = std::max(wheel.tick, now_tick);
      return nullptr;
    }
    wheel.spread(slot);
  }
  Timer* first = wheel.heap.front();
  if (first->deadline_ > now) return nullptr;
  forget(*first);
  return first;
}

Instant Timers::next_deadline() const {
  Wheel& wheel = *wheel_;
  while (wheel.heap.empty()) {
    if (armed_ == 0) return Instant::never();
    if (wheel.is_earliest_known) return wheel.earliest_in_slots;
    Wheel::Slot slot{};
    CHECK(wheel.first_slot(slot));
    if (!wheel.find_earliest(slot)) wheel.spread(slot);
  }
  return wheel.heap.front()->deadline_;
}

}  // namespace lanyard
