// SPDX-License-Identifier: Apache-2.0
// Any bytes as a capture file: the records and the error are the same whether they come at once or
// in pieces, and every packet lies where its offset says.
// links: wire
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "core/check.hh"
#include "wire/pcapng.hh"

namespace {

using namespace lanyard;

// What a reading came to, in numbers that can be compared.
struct Outcome {
  std::vector<std::uint64_t> facts;
  std::uint64_t error_offset = 0;
  std::string error;
  bool operator==(const Outcome&) const = default;
};

void note(Outcome& outcome, const pcapng::Record& record, Bytes file) {
  outcome.facts.push_back(record.index());
  if (const auto* packet = std::get_if<pcapng::CapturedPacket>(&record)) {
    outcome.facts.push_back(packet->offset);
    outcome.facts.push_back(static_cast<std::uint64_t>(packet->info.time_ns));
    CHECK(packet->offset + packet->bytes.size() <= file.size());
    CHECK(text_of(packet->bytes) == text_of(file.subspan(packet->offset, packet->bytes.size())));
  }
  if (const auto* custom = std::get_if<pcapng::Custom>(&record)) {
    CHECK(text_of(custom->bytes) == text_of(file.subspan(custom->offset, custom->bytes.size())));
  }
}

Outcome read(Bytes file, std::size_t piece) {
  Outcome outcome;
  pcapng::Reader reader;
  std::size_t at = 0;
  for (std::size_t end = 0; end < file.size();) {
    end = std::min(file.size(), end + piece);
    while (true) {
      const auto step = reader.next(file.subspan(at, end - at));
      if (!step) {
        outcome.error_offset = step.error().offset;
        outcome.error = step.error().reason;
        return outcome;
      }
      if (!*step) break;
      note(outcome, **step, file);
      CHECK(reader.taken() > 0 && reader.taken() <= end - at);
      at += reader.taken();
      CHECK(reader.offset() == at);
    }
  }
  if (const auto error = reader.end(file.subspan(at))) {
    outcome.error_offset = error->offset;
    outcome.error = error->reason;
  }
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes file(data, size);
  const Outcome whole = read(file, size);
  CHECK(whole == read(file, 13));
  return 0;
}
