// SPDX-License-Identifier: Apache-2.0
#include "lab/hunt/shrink.hh"

#include <algorithm>

#include "lab/parallel.hh"

namespace lanyard::lab::hunt {
namespace {

class Shrinker {
 public:
  Shrinker(Attempt attempt, const ShrinkOptions& options,
           const std::function<bool(const Attempt&)>& still_fails)
      : best_(std::move(attempt)), options_(options), still_fails_(still_fails) {}

  Shrunk run() {
    // Each pass can open the way for another. Rounding, which may lengthen, comes when nothing else
    // is left to do.
    for (Attempt before; before != best_ && !is_spent();) {
      before = best_;
      drop_luck();
      drop_faults();
      for (std::size_t i = 0; i < best_.faults.size(); ++i) {
        repeat([&] { return milder(i); });
        repeat([&] { return shorter(i); });
      }
    }
    for (std::size_t i = 0; i < best_.faults.size(); ++i) repeat([&] { return rounder(i); });
    drop_faults();
    return {std::move(best_), attempts_, !is_spent()};
  }

 private:
  [[nodiscard]] bool is_spent() const { return attempts_ >= options_.attempts_max; }

  // The first of the candidates that still fails becomes the best; false if none does.
  bool take_first(const std::vector<Attempt>& candidates) {
    if (candidates.empty() || is_spent()) return false;
    const std::vector<char> fails = results_of<char>(
        candidates.size(), options_.threads,
        [&](std::size_t i) { return static_cast<char>(still_fails_(candidates[i])); },
        [](const char& failed) { return failed != 0; });
    attempts_ += fails.size();
    if (fails.empty() || fails.back() == 0) return false;
    best_ = candidates[fails.size() - 1];
    return true;
  }

  void repeat(const std::function<std::vector<Attempt>()>& candidates) {
    while (take_first(candidates())) {
    }
  }

  // The lab's own seed, if the faults do it by themselves.
  void drop_luck() {
    if (best_.seed == options_.plain_seed) return;
    Attempt plain = best_;
    plain.seed = options_.plain_seed;
    take_first({plain});
  }

  // Leaves out ever smaller pieces.
  void drop_faults() {
    std::size_t pieces = 1;
    while (!best_.faults.empty() && !is_spent()) {
      std::vector<Attempt> candidates;
      const std::size_t count = best_.faults.size();
      pieces = std::min(pieces, count);
      for (std::size_t piece = 0; piece < pieces; ++piece) {
        Attempt candidate = best_;
        const auto begin = candidate.faults.begin();
        candidate.faults.erase(begin + static_cast<std::ptrdiff_t>(count * piece / pieces),
                               begin + static_cast<std::ptrdiff_t>(count * (piece + 1) / pieces));
        candidates.push_back(std::move(candidate));
      }
      if (take_first(candidates))
        pieces = std::max<std::size_t>(pieces - 1, 1);
      else if (pieces < count)
        pieces *= 2;
      else
        return;
    }
  }

  Attempt with(std::size_t index, const Fault& fault) const {
    Attempt candidate = best_;
    candidate.faults[index] = fault;
    return candidate;
  }

  std::vector<Attempt> milder(std::size_t index) const {
    const Fault& fault = best_.faults[index];
    const auto amount = fault.kind->weaker(fault.amount);
    const FaultKind* simpler = fault_kind(fault.kind->simpler);
    Fault changed = fault;
    if (amount && *amount != fault.amount) {
      changed.amount = *amount;
    } else if (simpler != nullptr) {
      changed.kind = simpler;
      changed.amount = 0;
    } else {
      return {};
    }
    return {with(index, changed)};
  }

  // Half as long, three quarters, seven eighths: what comes first of it, or what comes last.
  std::vector<Attempt> shorter(std::size_t index) const {
    const Fault& fault = best_.faults[index];
    std::vector<Attempt> candidates;
    for (std::int64_t part = 2; part <= 8; part *= 2) {
      const Duration length = Duration::microseconds(fault.lasts.count_us() * (part - 1) / part);
      if (length < Duration::milliseconds(1)) continue;
      Fault first = fault, last = fault;
      first.lasts = last.lasts = length;
      last.at = fault.at + (fault.lasts - length);
      candidates.push_back(with(index, first));
      candidates.push_back(with(index, last));
    }
    return candidates;
  }

  // Times that a person would write: whole seconds, then tenths, hundredths, milliseconds. Rounded
  // outwards, so that what the fault covered stays covered.
  std::vector<Attempt> rounder(std::size_t index) const {
    const Fault& fault = best_.faults[index];
    std::vector<Attempt> candidates;
    for (std::int64_t unit = 1'000'000'000; unit >= 100'000; unit /= 10) {
      const std::int64_t at = fault.at.count_ns() / unit * unit;
      const std::int64_t end = (fault.at + fault.lasts).count_ns();
      const std::int64_t lasts = std::max(unit, (end - at + unit - 1) / unit * unit);
      Fault changed = fault;
      changed.at = Duration::nanoseconds(at);
      if (is_rounder(at, fault.at.count_ns())) candidates.push_back(with(index, changed));
      changed.lasts = Duration::nanoseconds(lasts);
      if (is_rounder(at, fault.at.count_ns()) && is_rounder(lasts, fault.lasts.count_ns()))
        candidates.push_back(with(index, changed));
      changed.at = fault.at;
      if (is_rounder(lasts, fault.lasts.count_ns()) && lasts <= 2 * fault.lasts.count_ns())
        candidates.push_back(with(index, changed));
    }
    return candidates;
  }

  // Fewer digits before the zeros.
  static bool is_rounder(std::int64_t now, std::int64_t before) {
    const auto digits = [](std::int64_t value) {
      int trailing = 0;
      for (; value != 0 && value % 10 == 0; value /= 10) ++trailing;
      return value == 0 ? 100 : trailing;
    };
    return digits(now) > digits(before);
  }

  Attempt best_;
  const ShrinkOptions& options_;
  const std::function<bool(const Attempt&)>& still_fails_;
  std::size_t attempts_ = 0;
};

}  // namespace

// Ever smaller pieces of what is still there, as with faults.
LeftOut leave_out(std::size_t count, const ShrinkOptions& options,
                  const std::function<bool(const std::vector<bool>&)>& still_fails) {
  LeftOut best{.parts = std::vector<bool>(count, false)};
  std::vector<std::size_t> left(count);
  for (std::size_t i = 0; i < count; ++i) left[i] = i;
  for (std::size_t pieces = 1; !left.empty();) {
    if (best.attempts >= options.attempts_max) {
      best.is_finished = false;
      break;
    }
    pieces = std::min(pieces, left.size());
    std::vector<std::vector<bool>> candidates(pieces, best.parts);
    for (std::size_t piece = 0; piece < pieces; ++piece)
      for (std::size_t i = left.size() * piece / pieces; i < left.size() * (piece + 1) / pieces;
           ++i)
        candidates[piece][left[i]] = true;
    const std::vector<char> fails = results_of<char>(
        pieces, options.threads,
        [&](std::size_t i) { return static_cast<char>(still_fails(candidates[i])); },
        [](const char& failed) { return failed != 0; });
    best.attempts += fails.size();
    if (!fails.empty() && fails.back() != 0) {
      best.parts = candidates[fails.size() - 1];
      std::erase_if(left, [&](std::size_t part) { return best.parts[part]; });
      pieces = std::max<std::size_t>(pieces - 1, 1);
    } else if (pieces < left.size()) {
      pieces *= 2;
    } else {
      break;
    }
  }
  return best;
}

Shrunk shrink(const Attempt& attempt, const ShrinkOptions& options,
              const std::function<bool(const Attempt&)>& still_fails) {
  return Shrinker(attempt, options, still_fails).run();
}

}  // namespace lanyard::lab::hunt
