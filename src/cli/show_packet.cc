// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/show_parts.hh"
#include "cli/tree.hh"
#include "wire/dissect.hh"
#include "wire/dissect_json.hh"
#include "wire/pcapng.hh"

namespace lanyard::cli {
namespace {

// What both kinds of file say of one frame.
struct Found {
  Bytes bytes;
  wire::Start start = wire::Start::ethernet;
  Instant at{};
  std::string where;  // "sent by alice:eth0"
  std::string comment;
};

Found find(const lab::RunFile& run, std::size_t index) {
  const lab::RunPacket& packet = run.packets[index];
  Found found{run.frame(packet), wire::Start::ethernet, packet.at, {}, packet.comment};
  found.where =
      fmt::format("{} {}", packet.is_sent ? "sent by" : "received by", run.port_name(packet.port));
  return found;
}

Found find(const Capture& capture, std::size_t index) {
  const CapturedFrame& frame = capture.frames[index];
  const bool is_ip = frame.link_type == pcapng::link_type_raw_ip;
  Found found{capture.frame(frame),
              is_ip ? wire::Start::ip : wire::Start::ethernet,
              frame.at,
              frame.interface.empty() ? "captured" : "captured at " + printable(frame.interface),
              {}};
  for (const std::string& comment : frame.comments) {
    found.comment += (found.comment.empty() ? "" : "; ") + comment;
  }
  return found;
}

Found find(const Shown& shown, std::size_t index) {
  return std::visit([&](const auto& file) { return find(file, index); }, shown);
}

}  // namespace

std::string packet_page(const Shown& shown, std::size_t index, const Paper& paper) {
  const Found found = find(shown, index);
  std::string page = paint(paper, Ink::bold, fmt::format("Packet {}", index + 1));
  page += fmt::format(" at {} s, {}, {}\n{}\n", seconds(found.at), found.where,
                      bytes_text(found.bytes.size()), wire::summary(found.bytes, found.start));
  if (!found.comment.empty()) page += paint(paper, Ink::red, printable(found.comment)) + "\n";
  page += "\n" + tree_text(wire::dissect(found.bytes, found.start), paper);
  return page + "\n" + hex_dump(found.bytes);
}

nlohmann::json packet_json(const Shown& shown, std::size_t index) {
  const Found found = find(shown, index);
  nlohmann::json page{{"number", index + 1},
                      {"time_ns", found.at.count_ns()},
                      {"where", found.where},
                      {"bytes", found.bytes.size()},
                      {"summary", wire::summary(found.bytes, found.start)},
                      {"hex", fmt::format("{:02x}", fmt::join(found.bytes, ""))},
                      {"layers", wire::to_json(wire::dissect(found.bytes, found.start))}};
  if (!found.comment.empty()) page["comment"] = printable(found.comment);
  return page;
}

}  // namespace lanyard::cli
