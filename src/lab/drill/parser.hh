// SPDX-License-Identifier: Apache-2.0
// Reads a script of the packetdrill language. Any bytes may be given: the answer is a tree, or one
// problem with its place (a construct we cannot run is `unsupported`, anything else
// `wrong_script`).
#pragma once

#include <expected>
#include <map>
#include <string>
#include <string_view>

#include "lab/drill/lexer.hh"
#include "lab/drill/script.hh"

namespace lanyard::lab::drill {

inline constexpr std::size_t script_bytes_max = 1 << 20;
inline constexpr std::size_t script_events_max = 20'000;
inline constexpr std::size_t expression_depth_max = 32;

// Words to be replaced before anything is read (-D NAME=VALUE).
using Defines = std::map<std::string, std::string>;

[[nodiscard]] std::expected<Script, Problem> parse_script(std::string_view text,
                                                          const std::string& file,
                                                          const Defines& defines = {});

// The parser's parts. They throw Fault.
[[nodiscard]] PacketEvent parse_packet(Lexer& lexer);
[[nodiscard]] CallEvent parse_call(Lexer& lexer);
// What stands in brackets before a packet.
[[nodiscard]] PacketPrefix parse_prefix(Lexer& lexer);
// <mss 1460,sackOK,...>, the opening angle taken already.
void parse_options(Lexer& lexer, PacketEvent& packet);
void parse_icmp(Lexer& lexer, PacketEvent& packet);
[[nodiscard]] SequenceRange parse_range(Lexer& lexer);

}  // namespace lanyard::lab::drill
