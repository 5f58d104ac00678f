// SPDX-License-Identifier: Apache-2.0
// A run file read back: a pcapng file with an interface per node port, and custom blocks
// (docs/run-file.md) with the lab, its plan, events, outputs and verdicts. A file cut short is read
// as far as it is whole. An ordinary pcapng or pcap file is not a run file and is refused with the
// reason.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.hh"
#include "core/event.hh"
#include "lab/world.hh"
#include "wire/pcapng_whole.hh"

namespace lanyard::lab {

struct RunFileProblem {
  std::size_t offset = 0;
  std::string what;  // "not a pcapng file: it begins with ..."
};

struct RunNode {
  std::string name;
  NodeKind kind = NodeKind::host;
  std::vector<stack::Route> routes;
};

struct RunPort {  // the capture interface of the same number
  std::uint32_t node = 0;
  std::string name;  // "eth0"
  MacAddress mac;
  std::uint32_t mtu = 1500;
  std::vector<IpPrefix> addresses;
  std::uint32_t peer = 0;  // the port at the other end of the link
  std::uint32_t link = 0;
};

// One frame at one port. A frame that crosses a link is there twice: sent at one port, received at
// the other. `packet` is the same number at every hop of one packet, through switches and routers.
struct RunPacket {
  std::uint32_t port = 0;
  Instant at;
  bool is_sent = true;  // false: received
  std::uint64_t packet = 0;
  EventId cause = 0;
  std::string comment;               // why it was dropped; empty: it was not
  std::size_t offset = 0, size = 0;  // of its bytes in RunFile::bytes; or, if its end stands
  Bytes whole = {};                  // elsewhere, put together in RunFile::whole
};

struct RunEvent {
  Event event;  // its `text` points into RunFile::bytes
};

struct RunProgram {
  std::uint32_t program = 0, node = 0;
  std::string name, command;
};

// A block of what entered the lab from outside (lab/replay/input.hh).
struct RunInputs {
  std::size_t offset = 0, size = 0;  // in RunFile::bytes
};

struct RunFile {
  RunFile() = default;
  RunFile(RunFile&&) = default;
  RunFile& operator=(RunFile&&) = default;
  RunFile(const RunFile&) = delete;  // events point into the bytes
  RunFile& operator=(const RunFile&) = delete;

  std::string lab_name, lab_file, lab_text;
  std::uint64_t seed = 0;
  int version = 0;  // of the format it is written in
  bool is_virtual = true;
  std::int64_t epoch_ns = 0;             // real time: of the first moment, since 1970
  bool has_inputs = false;               // real time: everything that entered was written down
  bool is_whole = true;                  // false: no end was written (the run was killed), or
  std::optional<RunFileProblem> damage;  // it could be read only up to here
  bool is_cut_short = false;             // what there is of it is good, but its end is missing
  std::vector<RunNode> nodes;
  std::vector<RunPort> ports;
  std::vector<std::string> links;  // "r1 -- dc"
  std::vector<RunProgram> programs;
  std::vector<RunPacket> packets;  // in the world's order
  std::vector<RunEvent> events;
  std::vector<RunInputs> inputs;
  std::vector<Verdict> verdicts;
  Instant ended_at;                 // if it was cut short, when the last of it happened
  std::vector<std::uint8_t> bytes;  // the whole file
  pcapng::WholePackets whole{0};    // packets whose end stands with another one

  [[nodiscard]] Bytes frame(const RunPacket& packet) const {
    return packet.whole.empty() ? Bytes(bytes).subspan(packet.offset, packet.size) : packet.whole;
  }
  [[nodiscard]] std::string port_name(std::uint32_t port) const;  // "alice:eth0"
};

[[nodiscard]] std::expected<RunFile, RunFileProblem> parse_run_file(
    std::vector<std::uint8_t> bytes);
[[nodiscard]] std::expected<RunFile, RunFileProblem> read_run_file(const std::string& path);

}  // namespace lanyard::lab
