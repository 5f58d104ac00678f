// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "wire/pcapng.hh"
#include "wire/pcapng_format.hh"

namespace lanyard::pcapng {

// One block being built in the writer's buffer; handed to the sink by finish().
class Writer::Block {
 public:
  Block(Writer& writer, std::uint32_t type) : writer_(writer), bytes_(writer.block_) {
    bytes_.clear();
    number32(type);
    number32(0);
  }

  void number16(std::uint32_t value) {
    bytes_.push_back(static_cast<std::uint8_t>(value & 0xff));
    bytes_.push_back(static_cast<std::uint8_t>(value >> 8 & 0xff));
  }
  void number32(std::uint32_t value) {
    number16(value & 0xffff);
    number16(value >> 16);
  }
  void number64(std::uint64_t value) {
    number32(static_cast<std::uint32_t>(value));
    number32(static_cast<std::uint32_t>(value >> 32));
  }
  // The high half first: how the format writes its timestamps in any byte order.
  void time(std::int64_t ns) {
    number32(static_cast<std::uint32_t>(static_cast<std::uint64_t>(ns) >> 32));
    number32(static_cast<std::uint32_t>(ns));
  }
  void padded(Bytes bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    pad();
  }
  void padded(const Packet& packet) {
    const std::size_t at = bytes_.size();
    bytes_.resize(at + packet.size());
    packet.copy_to(0, {bytes_.data() + at, packet.size()});
    pad();
  }
  void option(std::uint16_t code, std::string_view text) {
    if (text.empty()) return;
    text = text.substr(0, 0xffff);
    open_option(code, text.size());
    padded(bytes_of(text));
  }
  void option32(std::uint16_t code, std::uint32_t value) {
    open_option(code, 4);
    number32(value);
  }
  void option64(std::uint16_t code, std::uint64_t value) {
    open_option(code, 8);
    number64(value);
  }
  void end_options() {
    if (has_options_) open_option(option::end, 0);
  }
  void finish() {
    const auto size = static_cast<std::uint32_t>(bytes_.size() + 4);
    number32(size);
    for (std::size_t i = 0; i < 4; ++i) bytes_[4 + i] = bytes_[bytes_.size() - 4 + i];
    writer_.sink_(bytes_);
  }

 private:
  void open_option(std::uint16_t code, std::size_t size) {
    has_options_ = true;
    number16(code);
    number16(static_cast<std::uint32_t>(size));
  }
  void pad() { bytes_.resize((bytes_.size() + 3) / 4 * 4); }

  Writer& writer_;
  std::vector<std::uint8_t>& bytes_;
  bool has_options_ = false;
};

Writer::Writer(std::vector<std::uint8_t>& to)
    : sink_([&to](Bytes block) { to.insert(to.end(), block.begin(), block.end()); }) {}

void Writer::section(const Section& section) {
  Block block(*this, block_type::section);
  block.number32(byte_order_magic);
  block.number16(1);
  block.number16(0);
  block.number64(~std::uint64_t{0});  // the section's length is not said
  block.option(option::comment, section.comment);
  block.option(option::hardware, section.hardware);
  block.option(option::os, section.os);
  block.option(option::application, section.application);
  block.end_options();
  block.finish();
  interfaces_ = 0;
}

std::uint32_t Writer::interface(const Interface& interface) {
  Block block(*this, block_type::interface);
  block.number16(interface.link_type);
  block.number16(0);
  block.number32(interface.snap_length);
  block.option(option::name, interface.name);
  block.option(option::description, interface.description);
  block.option(option::time_resolution, "\x09");  // nanoseconds
  block.end_options();
  block.finish();
  return interfaces_++;
}

namespace {

// The options of an enhanced packet block.
template <typename Block>
void write_packet_options(Block& block, const PacketInfo& info) {
  for (const std::string& comment : info.comments) block.option(option::comment, comment);
  if (info.direction != Direction::unknown) {
    block.option32(option::flags, static_cast<std::uint32_t>(info.direction));
  }
  if (info.packet_id) block.option64(option::packet_id, *info.packet_id);
  block.end_options();
}

// An enhanced packet block up to its bytes.
template <typename Block>
void write_packet_start(Block& block, const PacketInfo& info, std::size_t size) {
  block.number32(info.interface);
  block.time(info.time_ns);
  block.number32(static_cast<std::uint32_t>(size));
  block.number32(static_cast<std::uint32_t>(size));
}

}  // namespace

void Writer::packet(const PacketInfo& info, Bytes bytes) {
  Block block(*this, block_type::enhanced_packet);
  write_packet_start(block, info, bytes.size());
  block.padded(bytes);
  write_packet_options(block, info);
  block.finish();
}

void Writer::packet(const PacketInfo& info, const Packet& packet) {
  Block block(*this, block_type::enhanced_packet);
  write_packet_start(block, info, packet.size());
  block.padded(packet);
  write_packet_options(block, info);
  block.finish();
}

// A custom block does not say how long its data is without the padding; ours say it themselves.
void Writer::custom(Bytes bytes) {
  Block block(*this, block_type::local_custom);
  block.number32(example_enterprise);
  block.number32(static_cast<std::uint32_t>(bytes.size()));
  block.padded(bytes);
  block.finish();
}

void Writer::statistics(std::uint32_t interface, std::int64_t time_ns, std::uint64_t received,
                        std::uint64_t dropped) {
  Block block(*this, block_type::statistics);
  block.number32(interface);
  block.time(time_ns);
  block.option64(option::received, received);
  block.option64(option::dropped, dropped);
  block.end_options();
  block.finish();
}

}  // namespace lanyard::pcapng
