// SPDX-License-Identifier: Apache-2.0
// A tale of a capture that no lab made: nodes are the addresses that speak.
#include <algorithm>
#include <map>

#include "cli/capture.hh"
#include "cli/facts.hh"
#include "wire/ethernet.hh"
#include "wire/pcapng.hh"

namespace lanyard::cli {
namespace {

struct Ends {
  std::string from, to;
};

// The broadcast and multicast "hosts" are nobody: their packets stay at the sender.
bool is_somebody(const IpAddress& address) {
  return !address.is_unspecified() && !address.is_multicast() && !address.is_limited_broadcast();
}

Ends ends_of(const Facts& facts, Bytes frame) {
  Ends ends;
  if (is_somebody(facts.source)) ends.from = to_text(facts.source);
  if (is_somebody(facts.destination)) ends.to = to_text(facts.destination);
  const auto view = ethernet::View::parse(frame);
  if (ends.from.empty() && view.has_value()) ends.from = to_text(view->source());
  if (ends.from.empty()) ends.from.push_back('?');
  const bool has_ip = !facts.destination.is_unspecified();
  if (ends.to.empty() && !has_ip && view.has_value() && !view->destination().is_group()) {
    ends.to = to_text(view->destination());
  }
  if (ends.to.empty()) ends.to = ends.from;
  return ends;
}

bool is_wanted(const Ends& ends, const TaleFilter& filter) {
  return filter.nodes.empty() ||
         std::any_of(filter.nodes.begin(), filter.nodes.end(),
                     [&](const std::string& name) { return name == ends.from || name == ends.to; });
}

// The busiest names, in the order they appeared.
std::vector<std::string> choose(const std::vector<Ends>& all, std::size_t most) {
  std::vector<std::string> names;
  std::map<std::string, std::size_t> traffic;
  for (const Ends& ends : all) {
    for (const std::string& name : {ends.from, ends.to}) {
      if (traffic[name]++ == 0) names.push_back(name);
    }
  }
  if (names.size() <= most) return names;
  std::vector<std::string> busiest = names;
  std::stable_sort(busiest.begin(), busiest.end(),
                   [&](const auto& a, const auto& b) { return traffic[a] > traffic[b]; });
  busiest.resize(most);
  std::erase_if(names, [&](const std::string& name) {
    return std::find(busiest.begin(), busiest.end(), name) == busiest.end();
  });
  return names;
}

}  // namespace

Tale tale_of(const Capture& capture, const TaleFilter& filter) {
  std::vector<Ends> all;
  std::vector<std::size_t> numbers;
  for (std::size_t i = 0; i < capture.frames.size(); ++i) {
    const Bytes frame = capture.frame(capture.frames[i]);
    const Ends ends = ends_of(facts_of(frame), frame);
    if (!is_wanted(ends, filter)) continue;
    all.push_back(ends);
    numbers.push_back(i);
  }
  Tale tale;
  tale.lifelines = choose(all, filter.lifelines_max);
  std::map<std::string, std::size_t> place;
  for (const std::string& name : tale.lifelines) place.emplace(name, place.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto from = place.find(all[i].from);
    const auto to = place.find(all[i].to);
    if (from == place.end() || to == place.end()) {
      ++tale.packets_left_out;
      continue;
    }
    const CapturedFrame& frame = capture.frames[numbers[i]];
    tale.passages.push_back({.number = numbers[i] + 1,
                             .at = frame.at,
                             .frame = capture.frame(frame),
                             .from = from->second,
                             .to = to->second});
  }
  std::map<std::string, bool> seen;
  for (const Ends& ends : all) seen[ends.from] = seen[ends.to] = true;
  tale.nodes_left_out = seen.size() - tale.lifelines.size();
  return tale;
}

}  // namespace lanyard::cli
