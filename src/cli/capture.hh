// SPDX-License-Identifier: Apache-2.0
// Any pcapng or pcap file, read whole: what `show` and `dissect` need of files that are not runs.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "cli/tale.hh"
#include "core/bytes.hh"
#include "core/time.hh"
#include "wire/pcapng_whole.hh"

namespace lanyard::cli {

struct FileProblem {
  std::uint64_t offset = 0;
  std::string what;
};

struct CapturedFrame {
  Instant at{};  // since the first frame
  std::uint16_t link_type = 0;
  Bytes bytes{};  // in Capture::bytes or Capture::whole
  std::uint32_t original_size = 0;
  std::string interface {};
  std::vector<std::string> comments{};
};

struct Capture {
  std::vector<std::uint8_t> bytes;
  pcapng::WholePackets whole{0};  // those whose end stands with another one
  std::vector<CapturedFrame> frames;
  bool has_lanyard_blocks = false;
  std::optional<FileProblem> cut_short;  // what is before it was read

  [[nodiscard]] Bytes frame(const CapturedFrame& frame) const { return frame.bytes; }
};

// The error's sentence has no file name. A file that cannot be opened is a problem at offset 0.
[[nodiscard]] std::expected<std::vector<std::uint8_t>, FileProblem> read_bytes(
    const std::string& path);
[[nodiscard]] std::expected<Capture, FileProblem> parse_capture(std::vector<std::uint8_t> bytes);

// Lifelines are the addresses that spoke, in order of appearance.
[[nodiscard]] Tale tale_of(const Capture& capture, const TaleFilter& filter);

}  // namespace lanyard::cli
