// SPDX-License-Identifier: Apache-2.0
// Frames in and out: Ethernet is taken off, and what is inside is handed to ARP or IP.
#include <algorithm>
#include <cstring>

#include "link/join.hh"
#include "stack/parts.hh"
#include "wire/ethernet.hh"
#include "wire/front.hh"
#include "wire/vlan.hh"

namespace lanyard::stack {

namespace {

// Takes the headers off `frame` and says what is inside; a reason if it is not for us.
struct Inside {
  DropReason reason = DropReason::none;
  ethernet::Type type = ethernet::Type::llc;
};

// BI-03: a tag that is cut short, or of a VLAN, since interfaces here have none; a priority tag
// (VLAN 0) is passed over, also in front of another.
Inside take_off_tags(Packet& frame, ethernet::Type type) {
  for (int tags = 0; vlan::is_tag(type); ++tags) {
    const auto view = vlan::View::parse(frame.front(), type);
    if (!view) return {view.error(), type};
    if (tags == 2 || view->tag().id != 0) return {DropReason::bad_vlan, type};
    type = view->type();
    frame.pull_front(vlan::tag_size);
  }
  return {DropReason::none, type};
}

Inside take_off_header(Packet& frame, const ethernet::View& view) {
  // RFC 1042 [RFC1122-2.3.3-b]: an 802.3 frame says how much of it counts.
  const std::size_t payload = view.payload_size();
  const ethernet::Type type = view.type();
  frame.pull_front(view.header_size());
  if (frame.size() > payload) frame.truncate(payload);
  return take_off_tags(frame, type);
}

// [RFC1122-3.2.1.1-a], RFC 8200 3: an IPv4 frame holds IPv4, an IPv6 frame IPv6.
bool has_version(const Packet& packet, unsigned version) {
  return !packet.front().empty() && packet.front()[0] >> 4 == version;
}

// Nearly all frames: IPv4 for us alone, no longer than the link takes.
bool is_plain(const link::Interface& link, const Packet& frame) {
  const Bytes front = frame.front();
  if (front.size() <= ethernet::header_size) return false;
  const std::uint8_t* const header = front.data();
  const bool is_ours = std::memcmp(header, link.mac.bytes.data(), 6) == 0;
  const bool is_v4 =
      load16(header + ethernet::type_offset) == static_cast<std::uint16_t>(ethernet::Type::ipv4) &&
      header[ethernet::header_size] >> 4 == 4;
  const bool is_from_one = (header[ethernet::source_offset] & 1) == 0;
  const bool is_short =
      frame.size() <= link.mtu + ethernet::header_size || frame.offload.segment_bytes != 0;
  return is_ours && is_v4 && is_from_one && is_short;
}

}  // namespace

bool Stack::Parts::receive(Instant now, std::uint32_t index, Packet&& frame) {
  internet::Interface* interface = network.interfaces().find(index);
  if (interface == nullptr || interface->link.is_loopback) return false;
  ++interface->link.counters.received_frames;
  interface->link.counters.received_bytes += frame.size();
  if (trace == nullptr || !trace->is_on()) return take_in(now, *interface, std::move(frame));
  // What follows is caused by this frame, which was caused by its sending.
  const EventId before = trace->set_cause(frame.cause);
  const auto bytes = static_cast<std::int64_t>(frame.size());
  const EventId received =
      emit(now, EventKind::frame_received, {index, bytes, static_cast<std::int64_t>(frame.id)});
  trace->set_cause(received);
  frame.cause = received;  // also of what it becomes: forwarded, answered, held
  const bool is_passed_on = take_in(now, *interface, std::move(frame));
  if (!is_passed_on) work_off(now);
  trace->set_cause(before);
  return is_passed_on;
}

void Stack::Parts::receive_joined(Instant now, std::uint32_t index, std::span<Packet> batch) {
  link::FrameRun run;
  const auto hand_on = [&] {
    if (run.is_empty()) return;
    link::FrameRun::Joined joined = run.release();
    if (internet::Interface* const interface = network.interfaces().find(index)) {
      interface->link.counters.received_frames += joined.more_frames;
      interface->link.counters.received_bytes += joined.more_bytes;
    }
    static_cast<void>(receive(now, index, std::move(joined.frame)));
  };
  for (Packet& frame : batch) {
    if (run.takes(frame)) continue;
    hand_on();
    if (!run.begins(frame)) static_cast<void>(receive(now, index, std::move(frame)));
  }
  hand_on();
}

void Stack::Parts::drop_frame(Instant now, internet::Interface& interface, DropReason reason,
                              const Packet& frame) {
  ++interface.link.counters.dropped_frames;
  on_drop(now, interface.link.index, reason, frame);
}

bool Stack::Parts::take_in(Instant now, internet::Interface& interface, Packet&& frame) {
  const link::Interface& link = interface.link;
  if (!link.is_up) {
    drop_frame(now, interface, DropReason::link_down, frame);
    return false;
  }
  if (!is_plain(link, frame)) {
    take_in_any(now, interface, std::move(frame));
    return false;
  }
  internet::Arrival arrival;
  arrival.interface = link.index;
  std::copy_n(frame.front().data() + ethernet::source_offset, 6, arrival.sender.bytes.data());
  frame.pull_front(ethernet::header_size);
  return network.on_packet(now, arrival, std::move(frame));
}

void Stack::Parts::take_in_any(Instant now, internet::Interface& interface, Packet&& frame) {
  const link::Interface& link = interface.link;
  make_headers_contiguous(frame, ethernet::header_size);
  // BI-01, BI-02, BI-93.
  const auto view = ethernet::View::parse(frame.front(), frame.size());
  if (!view) return drop_frame(now, interface, view.error(), frame);
  const MacAddress destination = view->destination();
  const MacAddress source = view->source();
  if (!link::is_for(link, destination) || source.is_group()) {
    return drop_frame(now, interface, DropReason::not_for_us, frame);
  }
  const bool is_giant = view->payload_size() > link.mtu + 2 * vlan::tag_size;
  if (is_giant && frame.offload.segment_bytes == 0) {
    return drop_frame(now, interface, DropReason::frame_too_long, frame);
  }
  const Inside inside = take_off_header(frame, *view);
  if (inside.reason != DropReason::none) {
    return drop_frame(now, interface, inside.reason, frame);
  }
  // [RFC1122-2.4-a].
  const internet::Arrival arrival{link.index, source, destination.is_group(), false};
  switch (inside.type) {
    case ethernet::Type::arp:
      frame.linear();
      return network.on_arp(now, arrival, frame);
    case ethernet::Type::ipv4:
      if (!has_version(frame, 4)) break;
      network.on_packet(now, arrival, std::move(frame));
      return;
    case ethernet::Type::ipv6:
      if (!has_version(frame, 6)) break;
      network.on_packet(now, arrival, std::move(frame));
      return;
    case ethernet::Type::llc:
    case ethernet::Type::vlan:
    case ethernet::Type::service_vlan:
    default:
      return drop_frame(now, interface, DropReason::unknown_ethertype, frame);
  }
  drop_frame(now, interface,
             frame.size() == 0 ? DropReason::frame_too_short : DropReason::bad_version, frame);
}

void Stack::Parts::transmit(Instant now, std::uint32_t index, Packet&& frame) {
  link::Interface& link = network.interfaces().at(index).link;
  if (!link.is_up) return on_drop(now, index, DropReason::link_down, frame);
  ++link.counters.sent_frames;
  link.counters.sent_bytes += frame.size();
  if (trace != nullptr && trace->is_on()) {
    const EventId before = frame.cause != 0 ? trace->set_cause(frame.cause) : trace->cause();
    const auto bytes = static_cast<std::int64_t>(frame.size());
    frame.cause =
        emit(now, EventKind::frame_sent, {index, bytes, static_cast<std::int64_t>(frame.id)});
    trace->set_cause(before);
  }
  frames.push(index, std::move(frame));
}

void Stack::Parts::loop_back(Instant now, std::uint32_t index, Packet&& packet) {
  static_cast<void>(now);
  // Nothing can happen to it on the way: a checksum still to be computed is as good as computed.
  if (packet.offload.checksum_wanted) {
    packet.offload.checksum_wanted = false;
    packet.offload.checksum_good = true;
  }
  link::InterfaceCounters& counters = network.interfaces().at(index).link.counters;
  if (index == 1) {
    ++counters.sent_frames;
    counters.sent_bytes += packet.size();
  }
  looped.push(index, std::move(packet));
}

}  // namespace lanyard::stack
