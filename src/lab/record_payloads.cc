// SPDX-License-Identifier: Apache-2.0
#include "lab/record_payloads.hh"

#include <algorithm>
#include <cstring>

#include "core/check.hh"
#include "wire/ethernet.hh"
#include "wire/ipv4.hh"
#include "wire/ipv4_plain.hh"
#include "wire/protocol.hh"

namespace lanyard::lab {
namespace {

// A shorter one is written again: naming it would save nothing.
constexpr std::size_t payload_bytes_min = 48;
constexpr std::size_t frame_bytes_min = ethernet::header_size + 20 + 8 + payload_bytes_min;
constexpr std::size_t payloads_max = 65'536;
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
    if ((load16(bytes.data() + at + ipv4::fragment_offset) & ipv4::fragment_bits) != 0) return {};
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

RecordedPayloads::Found RecordedPayloads::look(const Packet& frame, bool stands_anew) {
  ++records_;
  const std::span<const Slice> slices = frame.slices();
  if (is_virtual_ && slices.size() == 1) return look_at_slice(frame, slices.front(), stands_anew);
  return frame.size() < frame_bytes_min ? Found{} : look_at_bytes(frame, stands_anew);
}

// What a slice holds does not change, and what has the packet's number was made of that packet
// while it was there. So it is the same if it lies where it lay.
RecordedPayloads::Found RecordedPayloads::look_at_slice(const Packet& frame, const Slice& slice,
                                                        bool stands_anew) {
  if (slice.size() < payload_bytes_min) return {};
  if (slices_.empty()) slices_.resize(payloads_max);
  Sliced& known = slices_[frame.id % payloads_max];
  const Slice::Origin origin = slice.origin();
  if (!stands_anew && known.packet == frame.id && known.origin == origin)
    return {frame.front().size(), static_cast<std::uint32_t>(records_ - known.record)};
  known = {records_, frame.id, origin};
  return {};
}

RecordedPayloads::Found RecordedPayloads::look_at_bytes(const Packet& frame, bool stands_anew) {
  const auto [headers, key] = shape_of(frame);
  if (headers == 0 || frame.size() - headers < payload_bytes_min) return {};
  if (keys_.empty()) keys_.resize(payloads_max);
  Kept& known = keys_[(key * factor >> 32U) % payloads_max];
  if (known.key == key && is_kept(known, frame, headers)) {
    if (!stands_anew) return {headers, static_cast<std::uint32_t>(records_ - known.record)};
    known.record = records_;
    return {};
  }
  const auto size = static_cast<std::uint32_t>(frame.size() - headers);
  known = {records_, key, keep(frame, headers), size};
  return {};
}

bool RecordedPayloads::is_kept(const Kept& kept, const Packet& frame, std::size_t headers) const {
  if (kept.size != frame.size() - headers || kept_end_ - kept.place > kept_bytes) return false;
  const std::uint8_t* before = kept_.get() + kept.place % kept_bytes;
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
