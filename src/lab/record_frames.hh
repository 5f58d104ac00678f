// SPDX-License-Identifier: Apache-2.0
// Frames as they go into the run file. A frame's bytes stand there once as it leaves the machine
// that made it, and once more at each host that gets it, so that what a host saw is whole for any
// reader of captures. In between, at the ports of switches and routers, its headers do: the
// payload, if it is still the same, is named and not written again.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/packet.hh"
#include "lab/plan.hh"
#include "lab/record_buffer.hh"
#include "wire/pcapng.hh"

namespace lanyard::lab {

class FrameWriter {
 public:
  explicit FrameWriter(RecordBuffer& to) : to_(to) {}
  void begin(const Model& model, const Plan& plan);

  // Writes a frame up to what may be said about it at the end; `info` is what is known. Then
  // close() it: nothing else is written to the buffer meanwhile.
  void open(const pcapng::PacketInfo& info, const Packet& frame);
  void close(std::string_view comment);
  [[nodiscard]] bool is_open() const { return is_open_; }

 private:
  // A frame that stands in the file to its end.
  struct Whole {
    std::uint64_t key = 0;
    RecordBuffer::Place place;
    std::uint32_t size = 0;
    std::uint64_t number = 0;  // of its record, from 1
  };
  struct Shape {
    std::size_t headers = 0;  // 0: unknown
    std::uint64_t key = 0;    // the same for the same payload, mostly
  };
  static Shape shape_of(const Packet& frame);
  [[nodiscard]] bool ends_alike(const Whole& whole, const Packet& frame, std::size_t headers) const;

  RecordBuffer& to_;
  std::vector<bool> passes_on_;  // by port: of a switch or a router
  std::vector<Whole> wholes_;    // by key; the newest of those that share a place
  std::uint64_t records_ = 0;
  bool is_open_ = false;
  // Of the open one.
  pcapng::PacketInfo info_;
  std::size_t here_ = 0, size_ = 0;
  std::uint32_t tail_back_ = 0;
};

}  // namespace lanyard::lab
