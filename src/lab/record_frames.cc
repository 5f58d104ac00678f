// SPDX-License-Identifier: Apache-2.0
#include "lab/record_frames.hh"

#include <algorithm>
#include <cstring>

#include "core/check.hh"
#include "wire/ethernet.hh"
#include "wire/pcapng_packet.hh"
#include "wire/protocol.hh"

namespace lanyard::lab {
namespace {

constexpr std::size_t wholes_kept = 8'192;
// A shorter payload is written again: naming it would save nothing.
constexpr std::size_t payload_bytes_min = 48;
constexpr std::size_t comment_bytes_max = 64;

}  // namespace

void FrameWriter::begin(const Model& model, const Plan& plan) {
  passes_on_.clear();
  for (const PlannedPort& port : plan.ports) {
    const NodeKind kind = model.nodes[port.node].kind;
    passes_on_.push_back(kind == NodeKind::switching || kind == NodeKind::router);
  }
}

// Where the payload of TCP or UDP begins; the eight bytes before the acknowledgment (ports and
// sequence number, or ports, length and checksum) tell segments of one packet apart.
FrameWriter::Shape FrameWriter::shape_of(const Packet& frame) {
  const Bytes bytes = frame.front();
  std::size_t at = ethernet::header_size;
  if (bytes.size() < at + 40) return {};
  std::uint8_t protocol = 0;
  const std::uint16_t type = load16(bytes.data() + ethernet::type_offset);
  if (type == static_cast<std::uint16_t>(ethernet::Type::ipv4)) {
    if ((load16(bytes.data() + at + 6) & 0x3fff) != 0) return {};
    protocol = bytes[at + 9];
    at += (bytes[at] & 0x0fU) * std::size_t{4};
  } else if (type == static_cast<std::uint16_t>(ethernet::Type::ipv6)) {
    protocol = bytes[at + 6];
    at += 40;
  } else {
    return {};
  }
  if (bytes.size() < at + 20) return {};
  const std::uint64_t key = (frame.id * 0x9e37'79b9'7f4a'7c15) ^ load64(bytes.data() + at);
  if (protocol == protocol::udp) return {at + 8, key};
  if (protocol != protocol::tcp) return {};
  at += (bytes[at + 12] >> 4U) * std::size_t{4};
  return {at <= bytes.size() ? at : 0, key};
}

bool FrameWriter::ends_alike(const Whole& whole, const Packet& frame, std::size_t headers) const {
  const std::size_t size = frame.size() - headers;
  const std::uint8_t* before = to_.at(whole.place);
  if (before == nullptr || whole.size < size) return false;
  before += whole.size - size;
  const auto is_next = [&before](Bytes bytes) {
    const bool is_same = std::memcmp(before, bytes.data(), bytes.size()) == 0;
    before += bytes.size();
    return is_same;
  };
  if (!is_next(frame.front().subspan(headers))) return false;
  return std::ranges::all_of(frame.slices(),
                             [&](const Slice& slice) { return is_next(slice.bytes()); });
}

void FrameWriter::open(const pcapng::PacketInfo& info, const Packet& frame) {
  CHECK(!is_open_);
  is_open_ = true;
  info_ = info;
  ++records_;
  size_ = here_ = frame.size();
  tail_back_ = 0;
  const std::size_t room = size_ + pcapng::PacketBlock::room_around + comment_bytes_max;
  CHECK(room <= RecordBuffer::piece_bytes);
  std::uint8_t* to = to_.room(room);
  const Shape shape = shape_of(frame);
  const bool has_payload = shape.headers != 0 && size_ - shape.headers >= payload_bytes_min;
  if (has_payload) {
    if (wholes_.empty()) wholes_.resize(wholes_kept);
    Whole& whole = wholes_[(shape.key * 0x9e37'79b9'7f4a'7c15) >> 51U];
    if (whole.key == shape.key && passes_on_[info.interface] &&
        ends_alike(whole, frame, shape.headers)) {
      here_ = shape.headers;
      tail_back_ = static_cast<std::uint32_t>(records_ - whole.number);
    } else {
      RecordBuffer::Place place = to_.place();
      place.offset += static_cast<std::uint32_t>(pcapng::PacketBlock(to).bytes() - to);
      whole = {shape.key, place, static_cast<std::uint32_t>(size_), records_};
    }
  }
  frame.copy_to(0, {pcapng::PacketBlock(to).bytes(), here_});
}

void FrameWriter::close(std::string_view comment) {
  CHECK(is_open_);
  is_open_ = false;
  comment = comment.substr(0, comment_bytes_max);
  std::uint8_t* to = to_.room(here_ + pcapng::PacketBlock::room_around + comment.size());
  to_.commit(pcapng::PacketBlock(to).finish(
      info_, comment, {.here = here_, .whole = size_, .tail_back = tail_back_}));
}

}  // namespace lanyard::lab
