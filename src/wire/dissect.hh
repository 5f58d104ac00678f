// SPDX-License-Identifier: Apache-2.0
// Any bytes as a tree of named fields, one layer per header, and as one line. Nothing is too broken
// for it: what is malformed is said in words, with its offset, and the rest is payload.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/bytes.hh"

namespace lanyard::wire {

// Offsets count from the first byte given. Values are printable ASCII.
struct Field {
  std::string name{};   // the protocols' own terms: "Time to Live"
  std::string value{};  // for a person: "64", "0x1234 (correct)"; empty for a mere heading
  std::size_t offset = 0;
  std::size_t size = 0;
  std::vector<Field> children{};
};

// What the first byte belongs to.
enum class Start : std::uint8_t { ethernet, ip };

// The layers of a frame, outermost first: "Ethernet", "IPv4", "TCP", "HTTP" ... A field called
// "Malformed" says what is wrong with its layer.
[[nodiscard]] std::vector<Field> dissect(Bytes frame, Start start = Start::ethernet);
// "TCP 49152 -> 80 [SYN] Seq=0x0000002a Win=64240 Len=0 MSS=1460": the innermost layer's protocol
// and what matters of it.
[[nodiscard]] std::string summary(Bytes frame, Start start = Start::ethernet);
// The addresses of the innermost network layer, or of the link: "10.0.0.1", "02:00:00:00:00:01".
struct Ends {
  std::string source{};
  std::string destination{};
};
[[nodiscard]] Ends ends(Bytes frame, Start start = Start::ethernet);

}  // namespace lanyard::wire
