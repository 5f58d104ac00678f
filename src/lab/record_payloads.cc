// SPDX-License-Identifier: Apache-2.0
#include "lab/record_payloads.hh"

#include <algorithm>
#include <cstring>

#include "core/check.hh"
#include "wire/ethernet.hh"
#include "wire/protocol.hh"

namespace lanyard::lab {
namespace {

// A shorter one is written again: naming it would save nothing.
constexpr std::size_t payload_bytes_min = 48;
constexpr unsigned payloads_bits = 16;
constexpr std::size_t kept_bytes = std::size_t{8} << 20;
constexpr std::uint64_t factor = 0x9e37'79b9'7f4a'7c15;

}  // namespace

// Where the payload of TCP or UDP begins; the eight bytes before the acknowledgment (ports and
// sequence number, or ports, length and checksum) tell segments of one packet apart.
RecordedPayloads::Shape RecordedPayloads::shape_of(const Packet& frame) {
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
  const std::uint64_t key = (frame.id * factor) ^ load64(bytes.data() + at);
  if (protocol == protocol::udp) return {at + 8, key};
  if (protocol != protocol::tcp) return {};
  at += (bytes[at + 12] >> 4U) * std::size_t{4};
  return {at <= bytes.size() ? at : 0, key};
}

RecordedPayloads::Payload& RecordedPayloads::place_of(std::uint64_t key) {
  if (payloads_.empty()) payloads_.resize(std::size_t{1} << payloads_bits);
  return payloads_[(key * factor) >> (64 - payloads_bits)];
}

RecordedPayloads::Found RecordedPayloads::look(const Packet& frame, bool stands_anew) {
  ++records_;
  if (frame.size() < payload_bytes_min + ethernet::header_size) return {};
  const Shape shape = shape_of(frame);
  if (shape.headers == 0 || frame.size() - shape.headers < payload_bytes_min) return {};
  const bool is_a_slice = frame.slices().size() == 1 && frame.front().size() == shape.headers;
  return is_virtual_ && is_a_slice ? look_at_slice(frame, shape, stands_anew)
                                   : look_at_bytes(frame, shape, stands_anew);
}

// What a slice holds does not change, and what has the packet's number was made of that packet
// while it was there. So it is the same if it lies where it lay.
RecordedPayloads::Found RecordedPayloads::look_at_slice(const Packet& frame, const Shape& shape,
                                                        bool stands_anew) {
  const Slice& slice = frame.slices().front();
  const Slice::Origin origin = slice.origin();
  Payload& known = place_of(shape.key);
  const Payload now{shape.key | 1U, records_, origin.use, origin.offset,
                    static_cast<std::uint32_t>(slice.size())};
  const bool is_same = known.key == now.key && known.place == now.place &&
                       known.offset == now.offset && known.size == now.size;
  if (is_same && !stands_anew)
    return {shape.headers, static_cast<std::uint32_t>(records_ - known.record)};
  known = now;
  return {};
}

RecordedPayloads::Found RecordedPayloads::look_at_bytes(const Packet& frame, const Shape& shape,
                                                        bool stands_anew) {
  Payload& known = place_of(shape.key);
  const std::uint64_t key = shape.key & ~std::uint64_t{1};
  if (known.key == key && is_kept(known, frame, shape.headers)) {
    if (!stands_anew) return {shape.headers, static_cast<std::uint32_t>(records_ - known.record)};
    known.record = records_;
    return {};
  }
  const std::size_t size = frame.size() - shape.headers;
  known = {key, records_, keep(frame, shape.headers), 0, static_cast<std::uint32_t>(size)};
  return {};
}

bool RecordedPayloads::is_kept(const Payload& payload, const Packet& frame,
                               std::size_t headers) const {
  if (payload.size != frame.size() - headers || kept_end_ - payload.place > kept_bytes)
    return false;
  const std::uint8_t* before = kept_.get() + payload.place % kept_bytes;
  const auto is_next = [&before](Bytes bytes) {
    const bool is_same = std::memcmp(before, bytes.data(), bytes.size()) == 0;
    before += bytes.size();
    return is_same;
  };
  if (!is_next(frame.front().subspan(headers))) return false;
  return std::ranges::all_of(frame.slices(),
                             [&](const Slice& slice) { return is_next(slice.bytes()); });
}

// Copies the payload to the end of the ring, all of it in a row.
std::uint64_t RecordedPayloads::keep(const Packet& frame, std::size_t headers) {
  const std::size_t size = frame.size() - headers;
  CHECK(size <= kept_bytes);
  if (kept_ == nullptr) kept_ = std::make_unique_for_overwrite<std::uint8_t[]>(kept_bytes);
  const std::size_t left = kept_bytes - kept_end_ % kept_bytes;
  if (left < size) kept_end_ += left;
  const std::uint64_t place = kept_end_;
  frame.copy_to(headers, {kept_.get() + place % kept_bytes, size});
  kept_end_ += size;
  return place;
}

}  // namespace lanyard::lab
