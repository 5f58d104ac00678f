// SPDX-License-Identifier: Apache-2.0
#include "cli/capture.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <variant>

#include "wire/pcapng.hh"

namespace lanyard::cli {
namespace {

// What one file gathers while its blocks are read.
struct Gatherer {
  Capture& capture;
  std::vector<pcapng::Interface> interfaces;
  std::int64_t first_ns = 0;

  void take(const pcapng::Record& record) {
    if (const auto* section = std::get_if<pcapng::Section>(&record)) {
      (void)section;
      interfaces.clear();
    } else if (const auto* interface = std::get_if<pcapng::Interface>(&record)) {
      interfaces.push_back(*interface);
    } else if (const auto* packet = std::get_if<pcapng::CapturedPacket>(&record)) {
      take_packet(*packet);
    } else if (const auto* custom = std::get_if<pcapng::Custom>(&record)) {
      if (custom->enterprise == pcapng::example_enterprise) capture.has_lanyard_blocks = true;
    }
  }

  void take_packet(const pcapng::CapturedPacket& packet) {
    if (capture.frames.empty()) first_ns = packet.info.time_ns;
    CapturedFrame frame;
    frame.at = Instant::at_ns(packet.info.time_ns - first_ns);
    // A wrong reference leaves what is there.
    frame.bytes = capture.whole.add(packet).value_or(packet.bytes);
    frame.original_size = packet.original_size;
    frame.comments = packet.info.comments;
    if (packet.info.interface < interfaces.size()) {
      frame.link_type = interfaces[packet.info.interface].link_type;
      frame.interface = interfaces[packet.info.interface].name;
    }
    capture.frames.push_back(std::move(frame));
  }
};

}  // namespace

std::expected<std::vector<std::uint8_t>, FileProblem> read_bytes(const std::string& path) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (file == nullptr) return std::unexpected(FileProblem{0, std::strerror(errno)});
  std::vector<std::uint8_t> bytes;
  std::vector<std::uint8_t> piece(std::size_t{1} << 16);
  for (std::size_t got = 0; (got = std::fread(piece.data(), 1, piece.size(), file.get())) != 0;) {
    bytes.insert(bytes.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(got));
  }
  if (std::ferror(file.get()) != 0) {
    return std::unexpected(FileProblem{bytes.size(), std::strerror(errno)});
  }
  return bytes;
}

std::expected<Capture, FileProblem> parse_capture(std::vector<std::uint8_t> bytes) {
  Capture capture;
  capture.bytes = std::move(bytes);
  capture.whole = pcapng::WholePackets(capture.bytes.size());
  Gatherer gatherer{capture, {}, 0};
  pcapng::Reader reader;
  Bytes rest(capture.bytes);
  std::size_t records = 0;
  for (;;) {
    const auto record = reader.next(rest);
    if (!record.has_value()) {
      const FileProblem problem{record.error().offset, record.error().reason};
      // Nothing of it could be read: it is something else.
      if (records == 0) return std::unexpected(problem);
      capture.cut_short = problem;
      return capture;
    }
    if (!record->has_value()) break;
    ++records;
    gatherer.take(**record);
    rest = rest.subspan(reader.taken());
  }
  const auto problem = reader.end(rest);
  if (problem.has_value()) {
    const FileProblem end{problem->offset, problem->reason};
    if (records == 0) return std::unexpected(end);
    capture.cut_short = end;
  }
  return capture;
}

}  // namespace lanyard::cli
