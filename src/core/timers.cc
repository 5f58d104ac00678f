// SPDX-License-Identifier: Apache-2.0
// Time is cut into ticks of 2^16 ns. Timers of later ticks lie, in no order, in the slots of a
// wheel of eight levels with 64 slots each; level L's slots are 64^L ticks wide. Timers of the
// present tick (and earlier ones) lie in a heap ordered by (deadline, order of arming): it makes
// them fire exactly. When the heap is empty, the first slot with something in it is spread over
// lower levels and the heap.
//
// Where a timer lies says when it fires at the earliest: one that was put off or stopped is placed
// anew when it comes up there, so that next to nothing is done for a deadline that never comes.
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
  // What a timer was put in the heap with; it may have been put off since.
  struct Near {
    Instant deadline;
    std::uint64_t order;
    Timer* timer;
  };
  std::vector<Near> heap;
  Instant earliest_in_slots = Instant::never();
  bool is_earliest_known = true;

  static bool is_before(const Near& a, const Near& b) {
    return a.deadline != b.deadline ? a.deadline < b.deadline : a.order < b.order;
  }
  void put(std::size_t index, const Near& near_one) {
    heap[index] = near_one;
    near_one.timer->place_ = near | static_cast<std::uint32_t>(index);
  }
  void move_up(std::size_t index, Near moved);
  void move_down(std::size_t index, Near moved);
  void push_heap(Timer* timer);
  void remove_from_heap(std::size_t index);

  void place(Timer* timer);
  void make_slots();
  void remove(Timer* timer);
  void remove_from_slot(Timer* timer);
  [[nodiscard]] std::uint64_t first_tick(std::uint32_t level, std::uint32_t index) const;
  [[nodiscard]] bool may_stay(const Timer& timer, Instant deadline) const;
  void note_change(const Timer& timer);
  bool settle_first();
  // The first slot that holds something; false if none does.
  struct Slot {
    std::uint32_t level, index;
    std::uint64_t first_tick;
  };
  bool first_slot(Slot& found) const;
  void spread(const Slot& slot);
  bool find_earliest(const Slot& slot);
};

void Timers::Wheel::move_up(std::size_t index, Near moved) {
  while (index > 0) {
    const std::size_t parent = (index - 1) / 2;
    if (!is_before(moved, heap[parent])) break;
    put(index, heap[parent]);
    index = parent;
  }
  put(index, moved);
}

void Timers::Wheel::move_down(std::size_t index, Near moved) {
  while (true) {
    std::size_t child = 2 * index + 1;
    if (child >= heap.size()) break;
    if (child + 1 < heap.size() && is_before(heap[child + 1], heap[child])) ++child;
    if (!is_before(heap[child], moved)) break;
    put(index, heap[child]);
    index = child;
  }
  put(index, moved);
}

void Timers::Wheel::push_heap(Timer* timer) {
  heap.push_back({timer->deadline_, timer->order_, timer});
  move_up(heap.size() - 1, heap.back());
}

void Timers::Wheel::remove_from_heap(std::size_t index) {
  const Near last = heap.back();
  heap.pop_back();
  if (index == heap.size()) return;
  if (index > 0 && is_before(last, heap[(index - 1) / 2])) {
    move_up(index, last);
  } else {
    move_down(index, last);
  }
}

// The level is that of the highest digit in which the timer's tick differs from the wheel's. One
// that was stopped leaves.
void Timers::Wheel::place(Timer* timer) {
  if (timer->deadline_ == Instant::never()) {
    timer->owner_ = nullptr;
    return;
  }
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
  for (const Near& each : std::exchange(heap, {})) place(each.timer);
}

void Timers::Wheel::remove(Timer* timer) {
  if ((timer->place_ & near) != 0) {
    remove_from_heap(timer->place_ & ~near);
  } else {
    remove_from_slot(timer);
  }
}

// The first tick of an occupied slot; all of them lie ahead.
std::uint64_t Timers::Wheel::first_tick(std::uint32_t level, std::uint32_t index) const {
  const std::uint32_t shift = level * level_bits;
  const std::uint64_t above = tick >> shift >> level_bits << level_bits;
  return (above | index) << shift;
}

// A deadline that is not before what the timer's place says needs no other place yet.
bool Timers::Wheel::may_stay(const Timer& timer, Instant deadline) const {
  if ((timer.place_ & near) != 0) return deadline >= heap[timer.place_ & ~near].deadline;
  return tick_of(deadline) >=
         first_tick(timer.place_ / slots_per_level, timer.place_ % slots_per_level);
}

// The timer, which stays in its place, is about to be put off or stopped.
void Timers::Wheel::note_change(const Timer& timer) {
  if ((timer.place_ & near) == 0 && timer.deadline_ == earliest_in_slots) {
    is_earliest_known = false;
  }
}

// Places the first of the heap anew if it was put off since; true if it was.
bool Timers::Wheel::settle_first() {
  const Near first = heap.front();
  if (first.order == first.timer->order_ && first.timer->is_armed()) return false;
  const bool stays_near = first.timer->is_armed() && tick_of(first.timer->deadline_) <= tick;
  if (stays_near || (far == nullptr && first.timer->is_armed())) {
    move_down(0, {first.timer->deadline_, first.timer->order_, first.timer});
  } else {
    remove_from_heap(0);
    place(first.timer);
  }
  return true;
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
    found = {level, index, first_tick(level, index)};
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

// Looks for the earliest timer of the first slot, after what was put off or stopped has left it;
// false when there are many, or none is left.
bool Timers::Wheel::find_earliest(const Slot& slot) {
  const std::uint64_t ticks = std::uint64_t{1} << (slot.level * level_bits);
  Instant earliest = Instant::never();
  int looked_at = 0;
  for (Timer* each = far->slots[slot.level][slot.index]; each != nullptr;) {
    if (++looked_at > looked_at_max) {
      spread(slot);
      return false;
    }
    Timer* const next = each->next_;
    if (!each->is_armed() || tick_of(each->deadline_) - slot.first_tick >= ticks) {
      remove_from_slot(each);
      place(each);
    } else {
      earliest = std::min(earliest, each->deadline_);
    }
    each = next;
  }
  if (earliest == Instant::never()) return false;
  earliest_in_slots = earliest;
  is_earliest_known = true;
  return true;
}

void Timer::stop() {
  if (!is_armed()) return;
  owner_->wheel_->note_change(*this);
  deadline_ = Instant::never();
  --owner_->armed_;
}

void Timer::take_out() {
  owner_->forget(*this);
}

Timers::Timers(Instant now) : wheel_(std::make_unique<Wheel>()) {
  wheel_->tick = tick_of(now);
}

Timers::~Timers() {
  const auto let_go = [](Timer& timer) {
    timer.owner_ = nullptr;
    timer.deadline_ = Instant::never();
  };
  for (const Wheel::Near& each : wheel_->heap) let_go(*each.timer);
  if (wheel_->far == nullptr) return;
  for (const auto& level : wheel_->far->slots) {
    for (Timer* timer : level) {
      for (; timer != nullptr; timer = timer->next_) let_go(*timer);
    }
  }
}

void Timers::forget(Timer& timer) {
  timer.stop();
  wheel_->remove(&timer);
  timer.owner_ = nullptr;
}

void Timers::arm(Timer& timer, Instant deadline) {
  if (deadline == Instant::never()) return timer.stop();
  Wheel& wheel = *wheel_;
  timer.order_ = ++wheel.arm_count;
  if (!timer.is_armed()) ++armed_;
  if (timer.owner_ != nullptr) {
    wheel.note_change(timer);
    if (wheel.may_stay(timer, deadline)) {
      timer.deadline_ = deadline;
      if ((timer.place_ & near) == 0 && wheel.is_earliest_known) {
        wheel.earliest_in_slots = std::min(wheel.earliest_in_slots, deadline);
      }
      return;
    }
    wheel.remove(&timer);
  }
  timer.owner_ = this;
  timer.deadline_ = deadline;
  wheel.place(&timer);
}

Timer* Timers::pop(Instant now) {
  Wheel& wheel = *wheel_;
  const std::uint64_t now_tick = tick_of(now);
  while (true) {
    if (wheel.heap.empty()) {
      Wheel::Slot slot{};
      if (!wheel.first_slot(slot) || slot.first_tick > now_tick) {
        // Nothing is due in between: slots of the levels stay those of their timers.
        wheel.tick = std::max(wheel.tick, now_tick);
        return nullptr;
      }
      wheel.spread(slot);
    } else if (!wheel.settle_first()) {
      Timer* const first = wheel.heap.front().timer;
      if (first->deadline_ > now) return nullptr;
      forget(*first);
      return first;
    }
  }
}

Instant Timers::next_deadline() const {
  Wheel& wheel = *wheel_;
  while (armed_ > 0) {
    if (!wheel.heap.empty()) {
      if (!wheel.settle_first()) return wheel.heap.front().deadline;
      continue;
    }
    if (wheel.is_earliest_known) return wheel.earliest_in_slots;
    Wheel::Slot slot{};
    CHECK(wheel.first_slot(slot));
    static_cast<void>(wheel.find_earliest(slot));
  }
  return Instant::never();
}

}  // namespace lanyard
