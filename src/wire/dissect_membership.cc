// SPDX-License-Identifier: Apache-2.0
// IGMP, and the part of ICMPv6 that is MLD.
#include <fmt/format.h>

#include "core/checksum.hh"
#include "wire/dissect_layers.hh"
#include "wire/membership.hh"

namespace lanyard::wire {
namespace {

using membership::Kind;
using membership::RecordType;

std::string_view type_name(const membership::View& view) {
  switch (view.kind()) {
    case Kind::query:
      return "Membership Query";
    case Kind::leave:
      return "Leave Group";
    case Kind::report:
      return "Membership Report";
  }
  return "";
}

std::string_view record_name(RecordType type) {
  switch (type) {
    case RecordType::is_include:
      return "Mode Is Include";
    case RecordType::is_exclude:
      return "Mode Is Exclude";
    case RecordType::to_include:
      return "Change To Include Mode";
    case RecordType::to_exclude:
      return "Change To Exclude Mode";
    case RecordType::allow_new:
      return "Allow New Sources";
    case RecordType::block_old:
      return "Block Old Sources";
  }
  return "Unknown Record Type";
}

std::string list_of(const std::vector<IpAddress>& addresses) {
  std::string text;
  for (const IpAddress& address : addresses) {
    if (!text.empty()) text += ", ";
    text += to_text(address);
  }
  return text.empty() ? "none" : text;
}

// "join group 239.1.1.1 for any sources": what a record asks of a router.
std::string meaning_of(const membership::Record& record) {
  const std::string group = to_text(record.group);
  switch (record.type) {
    case RecordType::is_exclude:
    case RecordType::to_exclude:
      if (record.sources.empty()) return fmt::format("{} from anybody", group);
      return fmt::format("{} but from {}", group, list_of(record.sources));
    case RecordType::to_include:
    case RecordType::is_include:
      if (record.sources.empty()) return fmt::format("{} no longer", group);
      return fmt::format("{} from {}", group, list_of(record.sources));
    case RecordType::allow_new:
      return fmt::format("{} also from {}", group, list_of(record.sources));
    case RecordType::block_old:
      return fmt::format("{} no longer from {}", group, list_of(record.sources));
  }
  return group;
}

std::string info(const membership::View& view) {
  if (view.kind() == Kind::query) {
    if (view.group().is_unspecified()) return "Membership Query, general";
    std::string text = fmt::format("Membership Query for {}", to_text(view.group()));
    if (const auto sources = view.sources(); !sources.empty()) text += " from " + list_of(sources);
    return text;
  }
  if (view.kind() == Kind::leave) return fmt::format("Leave Group {}", to_text(view.group()));
  if (view.version() < 3) return fmt::format("Membership Report {}", to_text(view.group()));
  std::string text = "Membership Report";
  for (const membership::Record& record : view.records()) {
    text += fmt::format("{} {}", text.ends_with("Report") ? ":" : ";", meaning_of(record));
  }
  return text;
}

void add_records(Layer& layer, Bytes message, const membership::View& view) {
  std::size_t at = 8;
  layer.add("Number of Group Records", fmt::format("{}", view.records().size()), 6, 2);
  for (const membership::Record& record : view.records()) {
    const std::size_t size = record.size() + std::size_t{4} * message[at + 1];
    Field& field =
        layer.add("Group Record",
                  fmt::format("{}, {}", to_text(record.group), record_name(record.type)), at, size);
    const std::size_t address = record.group.is_v4() ? 4 : 16;
    layer.add_to(
        field, "Record Type",
        fmt::format("{} ({})", record_name(record.type), static_cast<unsigned>(record.type)), at,
        1);
    layer.add_to(field, "Multicast Address", to_text(record.group), at + 4, address);
    std::size_t source_at = at + 4 + address;
    for (const IpAddress& source : record.sources) {
      layer.add_to(field, "Source Address", to_text(source), source_at, address);
      source_at += address;
    }
    at += size;
  }
}

void add_query(Layer& layer, const membership::View& view, bool is_v4) {
  const std::size_t address = is_v4 ? 4 : 16;
  const std::size_t group_at = is_v4 ? 4 : 8;
  layer.add("Max Response Time", to_text(view.max_response()), is_v4 ? 1 : 4, is_v4 ? 1 : 2);
  layer.add("Multicast Address", to_text(view.group()), group_at, address);
  if (view.version() < 3) return;
  const std::size_t behind = group_at + address;
  layer.add("Querier's Robustness Variable", fmt::format("{}", view.robustness()), behind, 1);
  layer.add("Querier's Query Interval", to_text(view.query_interval()), behind + 1, 1);
  std::size_t at = behind + 4;
  for (const IpAddress& source : view.sources()) {
    layer.add("Source Address", to_text(source), at, address);
    at += address;
  }
}

void add_fields(Layer& layer, Bytes message, const membership::View& view, Family family) {
  const bool is_v4 = family == Family::ipv4;
  if (view.kind() == Kind::query) return add_query(layer, view, is_v4);
  if (view.kind() == Kind::report && view.version() == 3) return add_records(layer, message, view);
  layer.add("Multicast Address", to_text(view.group()), is_v4 ? 4 : 8, is_v4 ? 4 : 16);
}

}  // namespace

void dissect_igmp(Dissection& into, Part part, const Carried& carried) {
  Layer layer("IGMP", part, part.size());
  const auto view = membership::View::parse(Family::ipv4, part.bytes);
  if (!view) {
    layer.malformed(into, "unknown type, or shorter than it says", 0);
    return layer.finish(into);
  }
  layer.add("Version", fmt::format("{}", view->version()), 0, 1);
  layer.add("Type", fmt::format("{} (0x{:02x})", type_name(*view), part.bytes[0]), 0, 1);
  layer.add("Checksum",
            carried.is_whole ? checksum_text(view->checksum(), checksum(part.bytes))
                             : fmt::format("0x{:04x} (not checked)", view->checksum()),
            2, 2);
  add_fields(layer, part.bytes, *view, Family::ipv4);
  into.say("IGMP", info(*view));
  layer.finish(into);
}

void dissect_mld(Dissection& into, Part part, Layer& layer) {
  const auto view = membership::View::parse(Family::ipv6, part.bytes);
  if (!view) return layer.malformed(into, "shorter than it says", 0);
  add_fields(layer, part.bytes, *view, Family::ipv6);
  into.say("ICMPv6", "Multicast Listener " + info(*view));
}

}  // namespace lanyard::wire
