// SPDX-License-Identifier: Apache-2.0
#include "lab/record_frames.hh"

#include <cstring>

namespace lanyard::lab {
namespace {

constexpr std::size_t comment_bytes_max = 64;

}  // namespace

void FrameWriter::begin(const Model& model, const Plan& plan) {
  passes_on_.clear();
  for (const PlannedPort& port : plan.ports) {
    const NodeKind kind = model.nodes[port.node].kind;
    passes_on_.push_back(kind == NodeKind::switching || kind == NodeKind::router);
  }
}

void FrameWriter::open(const pcapng::PacketBlock::Info& info, const Packet& frame) {
  CHECK(!is_open_);
  is_open_ = true;
  const std::size_t size = frame.size();
  const std::size_t room = size + pcapng::PacketBlock::room_around + comment_bytes_max;
  CHECK(room <= RecordBuffer::piece_bytes);
  const auto [headers, back] = payloads_.look(frame, !passes_on_[info.interface]);
  info_ = info;
  extent_ = {.here = back == 0 ? size : headers, .whole = size, .tail_back = back};
  pcapng::PacketBlock block(to_.room(room));
  // copy_to alone would do: this way a recorded hop takes a hundredth fewer instructions.
  if (const Bytes front = frame.front(); extent_.here <= front.size())
    std::memcpy(block.bytes(), front.data(), extent_.here);
  else
    frame.copy_to(0, {block.bytes(), extent_.here});
  block_bytes_ = block.finish(info_, {}, extent_);
}

void FrameWriter::add(std::string_view comment) {
  comment = comment.substr(0, comment_bytes_max);
  pcapng::PacketBlock block(
      to_.room(extent_.here + pcapng::PacketBlock::room_around + comment.size()));
  block_bytes_ = block.finish(info_, comment, extent_);
}

}  // namespace lanyard::lab
