// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/capture.hh"
#include "cli/hex_text.hh"
#include "cli/tree.hh"
#include "cli/verbs.hh"
#include "wire/dissect.hh"
#include "wire/dissect_json.hh"
#include "wire/pcapng.hh"

namespace lanyard::cli {
namespace {

constexpr std::size_t raw_frame_bytes_max = 65'535 + 64;

struct Frame {
  std::vector<std::uint8_t> bytes;
  wire::Start start = wire::Start::ethernet;
};

std::unexpected<std::string> wrong(std::string sentence) {
  return std::unexpected(std::move(sentence));
}

std::expected<Frame, std::string> frame_of(const Capture& capture, const DissectOptions& options) {
  if (!options.packet.has_value() && capture.frames.size() != 1) {
    return wrong(
        fmt::format("a capture of {} packets: say which with --packet N", capture.frames.size()));
  }
  const std::uint64_t number = options.packet.value_or(1);
  if (number == 0 || number > capture.frames.size()) {
    return wrong(
        fmt::format("there is no packet {}; the file has 1 to {}", number, capture.frames.size()));
  }
  const CapturedFrame& frame = capture.frames[number - 1];
  const Bytes bytes = capture.frame(frame);
  const bool is_ip = frame.link_type == pcapng::link_type_raw_ip;
  return Frame{{bytes.begin(), bytes.end()}, is_ip ? wire::Start::ip : wire::Start::ethernet};
}

bool is_text(Bytes bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) {
    return byte == '\n' || byte == '\r' || byte == '\t' || (byte >= 0x20 && byte < 0x7f);
  });
}

// What a file or standard input holds: a capture, hex text, or a frame's own bytes.
std::expected<Frame, std::string> frame_of(std::vector<std::uint8_t> content,
                                           const DissectOptions& options) {
  const wire::Start start = options.link == "ip" ? wire::Start::ip : wire::Start::ethernet;
  auto capture = parse_capture(content);
  if (capture.has_value()) return frame_of(*capture, options);
  if (options.packet.has_value()) {
    return wrong(fmt::format("offset {}: {}", capture.error().offset, capture.error().what));
  }
  if (is_text(content)) {
    auto bytes = parse_hex(text_of(content));
    if (!bytes.has_value()) return wrong("as hex text: " + bytes.error());
    return Frame{std::move(*bytes), start};
  }
  if (content.size() > raw_frame_bytes_max) {
    return wrong(fmt::format("{} are neither a capture nor one frame", bytes_text(content.size())));
  }
  return Frame{std::move(content), start};
}

std::vector<std::uint8_t> read_standard_input() {
  std::vector<std::uint8_t> content;
  std::vector<std::uint8_t> piece(std::size_t{1} << 16);
  for (std::size_t got = 0; (got = std::fread(piece.data(), 1, piece.size(), stdin)) != 0;) {
    content.insert(content.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(got));
  }
  return content;
}

std::expected<Frame, std::string> find_frame(const DissectOptions& options) {
  if (options.input == "-") return frame_of(read_standard_input(), options);
  if (access(options.input.c_str(), F_OK) == 0) {
    auto content = read_bytes(options.input);
    if (!content.has_value()) return wrong(content.error().what);
    return frame_of(std::move(*content), options);
  }
  auto bytes = parse_hex(options.input);
  if (!bytes.has_value()) {
    return wrong(fmt::format("there is no such file, and as hex text: {}", bytes.error()));
  }
  const wire::Start start = options.link == "ip" ? wire::Start::ip : wire::Start::ethernet;
  return Frame{std::move(*bytes), start};
}

}  // namespace

int dissect(const DissectOptions& options) {
  const auto frame = find_frame(options);
  if (!frame.has_value()) {
    const std::string shown = printable(std::string_view(options.input).substr(0, 60));
    fmt::print(stderr, "lanyard: {}: {}\n", shown, frame.error());
    return exit_usage;
  }
  const auto layers = wire::dissect(frame->bytes, frame->start);
  if (options.json) {
    fmt::print("{}\n", wire::to_json(layers).dump(2));
    return exit_ok;
  }
  const Paper paper = paper_of(STDOUT_FILENO);
  fmt::print("{}\n\n{}\n{}", wire::summary(frame->bytes, frame->start), tree_text(layers, paper),
             hex_dump(frame->bytes));
  return exit_ok;
}

}  // namespace lanyard::cli
