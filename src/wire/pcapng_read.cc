// SPDX-License-Identifier: Apache-2.0
// Reading pcapng and pcap. Every length is checked against the block it stands in, and that against
// what has come.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "wire/pcapng.hh"
#include "wire/pcapng_format.hh"

namespace lanyard::pcapng {
namespace {

constexpr std::size_t padded(std::size_t size) {
  return (size + 3) / 4 * 4;
}

constexpr std::int64_t ns_max = std::numeric_limits<std::int64_t>::max();

// value * factor, or the largest number there is.
std::uint64_t times(std::uint64_t value, std::uint64_t factor) {
  std::uint64_t product = 0;
  if (__builtin_mul_overflow(value, factor, &product)) return ~std::uint64_t{0};
  return product;
}

std::uint64_t power_of_ten(unsigned exponent) {
  std::uint64_t power = 1;
  for (; exponent > 0; --exponent) power *= 10;
  return power;
}

std::uint64_t decimal_to_ns(std::uint64_t ticks, unsigned exponent) {
  if (exponent <= 9) return times(ticks, power_of_ten(9 - exponent));
  return exponent - 9 > 19 ? 0 : ticks / power_of_ten(exponent - 9);
}

std::uint64_t binary_to_ns(std::uint64_t ticks, unsigned exponent) {
  if (exponent > 63) return 0;
  const std::uint64_t seconds = ticks >> exponent;
  std::uint64_t fraction = ticks - (seconds << exponent);
  // 30 bits of fraction are finer than a nanosecond, and 30 + 30 bits fit into 64.
  const unsigned dropped = exponent > 30 ? exponent - 30 : 0;
  fraction = (fraction >> dropped) * 1'000'000'000 >> (exponent - dropped);
  const std::uint64_t whole = times(seconds, 1'000'000'000);
  return whole > ~fraction ? whole : whole + fraction;
}

}  // namespace

std::uint16_t Reader::number16(const std::uint8_t* from) const {
  const std::uint16_t value = load16(from);
  return is_big_endian_ ? value : std::byteswap(value);
}

std::uint32_t Reader::number32(const std::uint8_t* from) const {
  const std::uint32_t value = load32(from);
  return is_big_endian_ ? value : std::byteswap(value);
}

std::unexpected<Error> Reader::error(std::size_t at, std::string reason) const {
  return std::unexpected(Error{offset_ + at, std::move(reason)});
}

std::int64_t Reader::to_ns(const Clock& clock, std::uint64_t ticks) {
  const std::uint64_t ns =
      clock.is_binary ? binary_to_ns(ticks, clock.exponent) : decimal_to_ns(ticks, clock.exponent);
  std::int64_t offset_ns = 0;
  std::int64_t sum = 0;
  if (ns > static_cast<std::uint64_t>(ns_max) ||
      __builtin_mul_overflow(clock.offset_s, std::int64_t{1'000'000'000}, &offset_ns) ||
      __builtin_add_overflow(static_cast<std::int64_t>(ns), offset_ns, &sum)) {
    return ns_max;
  }
  return sum;
}

// Calls on_option(code, value) for each option that is wholly there.
template <typename OnOption>
void Reader::for_each_option(Bytes options, OnOption on_option) const {
  while (options.size() >= 4) {
    const std::uint16_t code = number16(options.data());
    const std::size_t size = number16(options.data() + 2);
    if (code == option::end || size > options.size() - 4) return;
    on_option(code, options.subspan(4, size));
    options = options.subspan(std::min(options.size(), 4 + padded(size)));
  }
}

Reader::Step Reader::next(Bytes rest) {
  taken_ = 0;
  if (failed_) return std::unexpected(*failed_);
  if (rest.size() < 4) return std::nullopt;
  Step step = format_ == Format::unknown ? find_format(rest)
              : format_ == Format::pcap  ? next_pcap_packet(rest)
                                         : next_block(rest);
  if (!step) {
    failed_ = step.error();
    taken_ = 0;
  }
  offset_ += taken_;
  return step;
}

std::optional<Error> Reader::end(Bytes rest) const {
  if (failed_) return failed_;
  if (!rest.empty()) {
    return Error{offset_, fmt::format("file ends inside a block: {} bytes are left", rest.size())};
  }
  if (format_ == Format::unknown) return Error{0, "empty file"};
  return std::nullopt;
}

Reader::Step Reader::find_format(Bytes rest) {
  const std::uint32_t magic = load32(rest.data());
  if (magic == block_type::section) {
    format_ = Format::pcapng;
    return next_block(rest);
  }
  const auto is_pcap = [](std::uint32_t m) { return m == pcap_magic_us || m == pcap_magic_ns; };
  is_big_endian_ = is_pcap(magic);
  if (!is_big_endian_ && !is_pcap(std::byteswap(magic))) {
    return error(0, fmt::format("not a capture file: it begins with {:08x}", magic));
  }
  return read_pcap_header(rest);
}

Reader::Step Reader::read_pcap_header(Bytes rest) {
  if (rest.size() < pcap_header_size) return std::nullopt;
  format_ = Format::pcap;
  const bool is_ns = number32(rest.data()) == pcap_magic_ns;
  const Clock clock{.exponent = is_ns ? std::uint8_t{9} : std::uint8_t{6}};
  interfaces_.push_back({clock, number32(rest.data() + 16)});
  taken_ = pcap_header_size;
  return Interface{.name = {},
                   .description = {},
                   // The upper half holds facts about frame check sequences.
                   .link_type = static_cast<std::uint16_t>(number32(rest.data() + 20)),
                   .snap_length = number32(rest.data() + 16)};
}

Reader::Step Reader::next_pcap_packet(Bytes rest) {
  if (rest.size() < pcap_packet_header_size) return std::nullopt;
  const std::size_t size = number32(rest.data() + 8);
  if (size > block_size_max) return error(8, fmt::format("packet of {} bytes", size));
  if (rest.size() - pcap_packet_header_size < size) return std::nullopt;
  const Clock& clock = interfaces_[0].clock;
  const std::uint64_t second = power_of_ten(clock.exponent);
  const std::uint64_t ticks = number32(rest.data()) * second + number32(rest.data() + 4);
  taken_ = pcap_packet_header_size + size;
  CapturedPacket packet;
  packet.info.time_ns = to_ns(clock, ticks);
  packet.original_size = number32(rest.data() + 12);
  packet.bytes = rest.subspan(pcap_packet_header_size, size);
  packet.offset = offset_ + pcap_packet_header_size;
  return packet;
}

Reader::Step Reader::next_block(Bytes rest) {
  if (rest.size() < block_size_min) return std::nullopt;
  if (load32(rest.data()) == block_type::section) {
    // The byte order may change with every section.
    const std::uint32_t magic = load32(rest.data() + 8);
    if (magic != byte_order_magic && magic != std::byteswap(byte_order_magic)) {
      return error(8, fmt::format("byte-order magic is {:08x}", magic));
    }
    is_big_endian_ = magic == byte_order_magic;
  }
  const std::size_t size = number32(rest.data() + 4);
  if (size < block_size_min || size % 4 != 0 || size > block_size_max) {
    return error(4, fmt::format("block total length is {}", size));
  }
  if (rest.size() < size) return std::nullopt;
  if (number32(rest.data() + size - 4) != size) {
    return error(size - 4, "the block's two lengths differ");
  }
  Step step = read_body(number32(rest.data()), rest.subspan(8, size - block_size_min));
  if (step) taken_ = size;
  return step;
}

Reader::Step Reader::read_body(std::uint32_t type, Bytes body) {
  switch (type) {
    case block_type::section:
      return read_section(body);
    case block_type::interface:
      return read_interface(body);
    case block_type::simple_packet:
      return read_simple_packet(body);
    case block_type::enhanced_packet:
      return read_packet(body);
    case block_type::custom:
    case block_type::custom_not_copied:
      return read_custom(body);
    case block_type::local_custom:
      // Local numbers are anybody's: only what is marked as ours is.
      if (body.size() < 8 || number32(body.data()) != example_enterprise) return Skipped{type};
      return read_custom(body);
    default:
      return Skipped{type};
  }
}

Reader::Step Reader::read_section(Bytes body) {
  if (body.size() < 16) return error(8, "section header cut short");
  if (number16(body.data() + 4) != 1) {
    return error(12, fmt::format("version {} of the format", number16(body.data() + 4)));
  }
  interfaces_.clear();
  Section section;
  for_each_option(body.subspan(16), [&section](std::uint16_t code, Bytes value) {
    if (code == option::comment) section.comment = text_of(value);
    if (code == option::hardware) section.hardware = text_of(value);
    if (code == option::os) section.os = text_of(value);
    if (code == option::application) section.application = text_of(value);
  });
  return section;
}

Reader::Step Reader::read_interface(Bytes body) {
  if (body.size() < 8) return error(8, "interface description cut short");
  Interface interface {
    .name = {}, .description = {}, .link_type = number16(body.data()),
    .snap_length = number32(body.data() + 4)
  };
  Clock clock;
  for_each_option(body.subspan(8), [&](std::uint16_t code, Bytes value) {
    if (code == option::name) interface.name = text_of(value);
    if (code == option::description) interface.description = text_of(value);
    if (code == option::time_resolution && value.size() == 1) {
      clock.is_binary = (value[0] & 0x80) != 0;
      clock.exponent = value[0] & 0x7f;
    }
    if (code == option::time_offset && value.size() == 8) {
      const std::uint64_t number = load64(value.data());
      clock.offset_s = static_cast<std::int64_t>(is_big_endian_ ? number : std::byteswap(number));
    }
  });
  interfaces_.push_back({clock, interface.snap_length});
  return interface;
}

Reader::Step Reader::read_packet(Bytes body) {
  if (body.size() < 20) return error(8, "enhanced packet cut short");
  CapturedPacket packet;
  packet.info.interface = number32(body.data());
  if (packet.info.interface >= interfaces_.size()) {
    return error(
        8, fmt::format("packet of interface {}, which is not described", packet.info.interface));
  }
  const std::size_t size = number32(body.data() + 12);
  if (size > body.size() - 20) return error(20, "captured length leaves the block");
  const std::uint64_t ticks =
      std::uint64_t{number32(body.data() + 4)} << 32 | number32(body.data() + 8);
  packet.info.time_ns = to_ns(interfaces_[packet.info.interface].clock, ticks);
  packet.original_size = number32(body.data() + 16);
  packet.bytes = body.subspan(20, size);
  packet.offset = offset_ + 28;
  const Bytes options = body.subspan(std::min(body.size(), 20 + padded(size)));
  for_each_option(options, [this, &packet](std::uint16_t code, Bytes value) {
    if (code == option::comment) packet.info.comments.emplace_back(text_of(value));
    if (code == option::flags && value.size() == 4 && (number32(value.data()) & 3) != 3) {
      packet.info.direction = static_cast<Direction>(number32(value.data()) & 3);
    }
    if (code == option::packet_id && value.size() == 8) {
      const std::uint64_t number = load64(value.data());
      packet.info.packet_id = is_big_endian_ ? number : std::byteswap(number);
    }
    if (code == option::custom_not_copied && value.size() == 8 &&
        number32(value.data()) == example_enterprise) {
      packet.tail_back = number32(value.data() + 4);
    }
  });
  return packet;
}

// A simple packet has no interface, no time and no captured length of its own.
Reader::Step Reader::read_simple_packet(Bytes body) {
  if (body.size() < 4) return error(8, "simple packet cut short");
  if (interfaces_.empty()) return error(8, "packet of interface 0, which is not described");
  CapturedPacket packet;
  packet.original_size = number32(body.data());
  std::size_t size = std::min<std::size_t>(packet.original_size, body.size() - 4);
  if (interfaces_[0].snap_length != 0) {
    size = std::min<std::size_t>(size, interfaces_[0].snap_length);
  }
  packet.bytes = body.subspan(4, size);
  packet.offset = offset_ + 12;
  return packet;
}

Reader::Step Reader::read_custom(Bytes body) {
  if (body.size() < 4) return error(8, "custom block cut short");
  Custom custom{.enterprise = number32(body.data()), .bytes = body.subspan(4), .offset = 0};
  custom.offset = offset_ + 12;
  if (custom.enterprise != example_enterprise) return custom;
  const std::size_t size = custom.bytes.size() < 4 ? 0 : number32(custom.bytes.data());
  // Somebody else may use the example number too: what is not ours stays whole.
  if (custom.bytes.size() < 4 || padded(size) != custom.bytes.size() - 4) return custom;
  custom.bytes = custom.bytes.subspan(4, size);
  custom.offset += 4;
  return custom;
}

}  // namespace lanyard::pcapng
