// SPDX-License-Identifier: Apache-2.0
// What one frame says, in the words of a sequence diagram. Any bytes may be given: what cannot be
// read is said to be unreadable.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/text.hh"
#include "core/bytes.hh"
#include "wire/address.hh"
#include "wire/tcp.hh"

namespace lanyard::cli {

// The TCP header's part that a story needs.
struct TcpFacts {
  tcp::SequenceNumber sequence, acknowledgment;
  tcp::Flags flags;
  std::uint16_t window = 0;
  std::uint32_t payload_bytes = 0;
};

struct Facts {
  // From the outside in: "ethernet", "ipv4", "tcp", "http". What --proto looks through.
  std::vector<std::string_view> protocols;
  IpAddress source, destination;  // unspecified: none
  Port source_port = 0, destination_port = 0;
  // Whom it is for or about: ARP's and NDP's target, else the IP destination.
  std::optional<IpAddress> target;
  std::optional<TcpFacts> tcp;
  Bytes payload;  // of TCP or UDP, in the frame
  std::string title, detail;
  Ink ink = Ink::plain;

  [[nodiscard]] bool is(std::string_view protocol) const;
};

[[nodiscard]] Facts facts_of(Bytes frame);
// All that may be among a frame's protocols.
[[nodiscard]] std::span<const std::string> protocol_names();

// "GET /index.html HTTP/1.1" or "HTTP/1.1 200 OK": the first line of an HTTP message that begins
// here; empty if none does.
[[nodiscard]] std::string_view http_first_line(std::string_view text);

}  // namespace lanyard::cli
