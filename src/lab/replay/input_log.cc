// SPDX-License-Identifier: Apache-2.0
#include "lab/replay/input_log.hh"

#include "lab/recorder.hh"

namespace lanyard::lab {
namespace {

constexpr std::size_t rows_bytes_max = 64 * 1024;

bool changes_nothing(const socket::Call& call) {
  return call.kind == socket::CallKind::get_option &&
         call.numbers[0] != static_cast<std::int64_t>(socket::Option::error);
}

}  // namespace

std::array<std::int64_t, 3> numbers_of(const Offload& offload) {
  return {(offload.checksum_wanted ? 1 : 0) | (offload.checksum_good ? 2 : 0),
          offload.checksum_start | offload.checksum_offset << 16, offload.segment_bytes};
}

Offload offload_of(const std::array<std::int64_t, 3>& numbers) {
  return {.checksum_wanted = (numbers[0] & 1) != 0,
          .checksum_good = (numbers[0] & 2) != 0,
          .checksum_start = static_cast<std::uint16_t>(numbers[1] & 0xffff),
          .checksum_offset = static_cast<std::uint16_t>(numbers[1] >> 16 & 0xffff),
          .segment_bytes = static_cast<std::uint16_t>(numbers[2])};
}

void InputLog::write(const Input& input) {
  // A turn in which nothing was due was not written; but now the time matters.
  if (turned_to_ != now_ && input.kind != InputKind::turn && input.kind != InputKind::began)
    turn(now_);
  writer_.write(input, rows_);
  if (rows_.size() >= rows_bytes_max && is_outside()) flush();
}

void InputLog::flush() {
  if (!rows_.empty()) recorder_.inputs(rows_);
  rows_.clear();
}

void InputLog::add(InputKind kind, const Facts& facts) {
  Input input;
  input.kind = kind;
  input.whom = facts.whom;
  input.numbers = facts.numbers;
  input.bytes = bytes_of(facts.text);
  write(input);
}

void InputLog::turn(Instant until) {
  Input input;
  input.kind = InputKind::turn;
  input.at = turned_to_ = until;
  write(input);
}

void InputLog::call(std::uint32_t node, std::uint32_t boot, const socket::Call& call) {
  if (changes_nothing(call)) return;
  Input input;
  input.kind = InputKind::call;
  input.at = call.at;
  input.whom = node;
  input.boot = boot;
  input.call = call.kind;
  input.socket = call.socket;
  input.result = call.result;
  input.numbers = call.numbers;
  input.bytes = call.bytes;
  if (call.endpoint != nullptr) input.endpoint = *call.endpoint;
  if (call.facts != nullptr) input.facts = *call.facts;
  if (call.value != nullptr) input.value = *call.value;
  write(input);
}

void InputLog::frame(std::uint32_t port, const Packet& frame) {
  bytes_.resize(frame.size());
  frame.copy_to(0, bytes_);
  Input input;
  input.kind = InputKind::frame;
  input.whom = port;
  input.numbers = numbers_of(frame.offload);
  input.bytes = bytes_;
  write(input);
}

void InputLog::start(std::uint32_t node, const Launch& launch, bool has_descriptors) {
  std::string words;
  for (const std::string& word : launch.command) words += word + '\0';
  add(InputKind::start, {.whom = node, .numbers = {has_descriptors ? 1 : 0}, .text = words});
}

}  // namespace lanyard::lab
