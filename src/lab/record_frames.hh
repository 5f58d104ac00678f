// SPDX-License-Identifier: Apache-2.0
// Frames as they go into the run file. A frame's bytes stand there once as it leaves the machine
// that made it, and once more at each host that gets it, so that what a host saw is whole for any
// reader of captures. In between, at the ports of switches and routers, its headers do: the
// payload, if it is still the same, is named and not written again.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/check.hh"
#include "core/packet.hh"
#include "lab/plan.hh"
#include "lab/record_buffer.hh"
#include "lab/record_payloads.hh"
#include "wire/pcapng_packet.hh"

namespace lanyard::lab {

class FrameWriter {
 public:
  FrameWriter(RecordBuffer& to, bool is_virtual) : to_(to), payloads_(is_virtual) {}
  void begin(const Model& model, const Plan& plan);

  // Writes a frame; `info` is what is known. Then close() it, with what is to be said about it, or
  // nothing: nothing else is written to the buffer meanwhile.
  void open(const pcapng::PacketBlock::Info& info, const Packet& frame);
  void close(std::string_view comment) {
    CHECK(is_open_);
    is_open_ = false;
    if (!comment.empty()) add(comment);
    to_.commit(block_bytes_);
  }
  [[nodiscard]] bool is_open() const { return is_open_; }

 private:
  void add(std::string_view comment);

  RecordBuffer& to_;
  RecordedPayloads payloads_;
  std::vector<bool> passes_on_;  // by port: of a switch or a router
  bool is_open_ = false;
  // Of the open one.
  pcapng::PacketBlock::Info info_;
  pcapng::PacketBlock::Extent extent_;
  std::size_t block_bytes_ = 0;  // without a comment
};

}  // namespace lanyard::lab
