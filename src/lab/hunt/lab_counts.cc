// SPDX-License-Identifier: Apache-2.0
#include "lab/hunt/lab_counts.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>

namespace lanyard::lab::hunt {
namespace {

// The scalars of a section that name nodes.
template <typename Each>
void for_each_name(Yaml& section, Each each) {
  for (auto& [name, body] : section.pairs) each(name);
  for (Yaml& item : section.items) {
    if (item.is_scalar()) each(item);
    for (auto& [name, body] : item.pairs) each(name);
  }
}

// Halves what is between a count that fails and one that does not, which 0 never does.
class Search {
 public:
  Search(LabCounts::Counts counts, std::size_t attempts_max,
         const std::function<bool(const LabCounts::Counts&)>& still_fails)
      : best_{.counts = std::move(counts)},
        attempts_max_(attempts_max),
        still_fails_(still_fails) {}

  void lower(const std::vector<std::size_t>& together) {
    std::uint64_t good = 0, bad = best_.counts[together.front()];
    // Mostly one is enough, or a few.
    for (std::uint64_t tried = 1; good + 1 < bad; tried = std::min(2 * tried, (good + bad) / 2)) {
      if (best_.attempts >= attempts_max_) {
        best_.is_finished = false;
        return;
      }
      tried = std::clamp(tried, good + 1, bad - 1);
      LabCounts::Counts counts = best_.counts;
      for (const std::size_t each : together) counts[each] = tried;
      ++best_.attempts;
      if (still_fails_(counts)) {
        best_.counts = std::move(counts);
        bad = tried;
      } else {
        good = tried;
      }
    }
  }
  [[nodiscard]] FewerNodes take() { return std::move(best_); }

 private:
  FewerNodes best_;
  std::size_t attempts_max_;
  const std::function<bool(const LabCounts::Counts&)>& still_fails_;
};

}  // namespace

LabCounts::LabCounts(Yaml yaml) : yaml_(std::move(yaml)) {
  for (std::size_t i = 0; i < yaml_.pairs.size(); ++i) {
    if (!has_nodes(yaml_.pairs[i].key.text)) continue;
    for_each_name(yaml_.pairs[i].value, [&](const Yaml& name) {
      const std::size_t star = name.text.find('*');
      std::uint64_t count = 0;
      if (star != std::string::npos)
        std::from_chars(name.text.data() + star + 1, name.text.data() + name.text.size(), count);
      if (count < 2) return;
      places_.push_back({i, name.text.substr(0, star)});
      counts_.push_back(count);
    });
  }
}

LabParts::Sections LabCounts::with(const Counts& counts) const {
  Yaml root = yaml_;
  LabParts::Sections sections;
  for (std::size_t i = 0; i < root.pairs.size(); ++i) {
    bool is_changed = false;
    for (std::size_t place = 0; place < places_.size(); ++place) {
      if (places_[place].section != i || counts[place] == counts_[place]) continue;
      const std::string written = fmt::format("{}*{}", places_[place].base, counts_[place]);
      for_each_name(root.pairs[i].value, [&](Yaml& name) {
        if (name.text != written) return;
        name.text = fmt::format("{}*{}", places_[place].base, counts[place]);
        is_changed = true;
      });
    }
    if (is_changed)
      sections.emplace_back(root.pairs[i].key.text,
                            section_text(root.pairs[i].key.text, root.pairs[i].value));
  }
  return sections;
}

std::vector<std::string> LabCounts::changes(const Counts& counts) const {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < counts.size(); ++i)
    if (counts[i] != counts_[i])
      texts.push_back(fmt::format("{}*{} became {}*{}", places_[i].base, counts_[i],
                                  places_[i].base, counts[i]));
  return texts;
}

FewerNodes lower_counts(LabCounts::Counts counts, std::size_t attempts_max,
                        const std::function<bool(const LabCounts::Counts&)>& still_fails) {
  const LabCounts::Counts written = counts;
  Search search(std::move(counts), attempts_max, still_fails);
  for (std::size_t i = 0; i < written.size(); ++i) {
    if (std::find(written.begin(), written.begin() + static_cast<std::ptrdiff_t>(i), written[i]) !=
        written.begin() + static_cast<std::ptrdiff_t>(i))
      continue;
    std::vector<std::size_t> together;
    for (std::size_t other = i; other < written.size(); ++other)
      if (written[other] == written[i]) together.push_back(other);
    if (together.size() > 1) search.lower(together);
  }
  for (std::size_t i = 0; i < written.size(); ++i) search.lower({i});
  return search.take();
}

}  // namespace lanyard::lab::hunt
