// SPDX-License-Identifier: Apache-2.0
// Capture files: pcapng written; pcapng and classic pcap read. Pure: blocks go to a sink, bytes
// come in as they come.
//
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |          Block Type           |  A file is a row of such blocks. The first, a section
//   |      Block Total Length       |  header, holds the byte order of all that follow.
//   |  Body, padded to 4 bytes      |
//   |      Block Total Length       |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/bytes.hh"
#include "core/packet.hh"

namespace lanyard::pcapng {

inline constexpr std::uint16_t link_type_ethernet = 1;
inline constexpr std::uint16_t link_type_raw_ip = 101;
// RFC 5612: the enterprise number for examples; blocks of ours carry it.
inline constexpr std::uint32_t example_enterprise = 32473;
inline constexpr std::size_t block_size_max = 16U << 20;

struct Section {
  std::string hardware{}, os{}, application{}, comment{};
};

struct Interface {
  std::string name{};
  std::string description{};
  std::uint16_t link_type = link_type_ethernet;
  std::uint32_t snap_length = 0;  // 0: no limit
};

enum class Direction : std::uint8_t { unknown = 0, inbound = 1, outbound = 2 };

// What is said about a packet besides its bytes.
struct PacketInfo {
  std::uint32_t interface = 0;  // as Writer::interface returned it
  std::int64_t time_ns = 0;     // since 1970, not negative
  Direction direction = Direction::unknown;
  std::optional<std::uint64_t> packet_id{};
  std::vector<std::string> comments{};
};

// Writes a section in little-endian order. Call section() first, then interface() for each one,
// then the rest in any order. Text of more than 65535 bytes is cut.
class Writer {
 public:
  using Sink = std::function<void(Bytes)>;  // gets one whole block; copies what it keeps
  explicit Writer(Sink sink) : sink_(std::move(sink)) {}
  explicit Writer(std::vector<std::uint8_t>& to);

  void section(const Section& section);
  std::uint32_t interface(const Interface& interface);
  void packet(const PacketInfo& info, Bytes bytes);
  void packet(const PacketInfo& info, const Packet& packet);  // all of it, slices too
  // A block of ours (pcapng_format.hh), which other readers pass over without a trace.
  void custom(Bytes bytes);
  // How many packets an interface saw, for readers that show it.
  void statistics(std::uint32_t interface, std::int64_t time_ns, std::uint64_t received,
                  std::uint64_t dropped);

 private:
  class Block;
  Sink sink_;
  std::vector<std::uint8_t> block_;
  std::uint32_t interfaces_ = 0;
};

struct CapturedPacket {
  PacketInfo info{};
  std::uint32_t original_size = 0;
  Bytes bytes{};             // points into what was given to next()
  std::uint64_t offset = 0;  // of the bytes, in the file
  // Not 0: the bytes up to original_size are the last ones of the packet so many packets before
  // (pcapng_whole.hh).
  std::uint32_t tail_back = 0;
};
struct Custom {
  std::uint32_t enterprise = 0;
  Bytes bytes{};             // of ours: what custom() was given; of others: all of the body
  std::uint64_t offset = 0;  // of the bytes, in the file
};
struct Skipped {
  std::uint32_t block_type = 0;
};
using Record = std::variant<Section, Interface, CapturedPacket, Custom, Skipped>;

struct Error {
  std::uint64_t offset = 0;  // in the file
  std::string reason{};
};

// Reads a file, block by block, as far as it is there:
//   while (record = reader.next(rest)) { ...; rest = rest.subspan(reader.taken()); }
class Reader {
 public:
  // The block at the start of `rest`, which is what follows the bytes already taken. Nothing (and
  // nothing taken): it is not all there yet. After an error only errors follow.
  [[nodiscard]] std::expected<std::optional<Record>, Error> next(Bytes rest);
  // The bytes that the last next() used.
  [[nodiscard]] std::size_t taken() const { return taken_; }
  // At the file's end, with what is left: nothing if that is as it should be.
  [[nodiscard]] std::optional<Error> end(Bytes rest) const;
  [[nodiscard]] std::uint64_t offset() const { return offset_; }

 private:
  enum class Format : std::uint8_t { unknown, pcapng, pcap };
  struct Clock {  // of an interface
    bool is_binary = false;
    std::uint8_t exponent = 6;
    std::int64_t offset_s = 0;
  };
  using Step = std::expected<std::optional<Record>, Error>;

  Step find_format(Bytes rest);
  Step next_block(Bytes rest);
  Step next_pcap_packet(Bytes rest);
  Step read_pcap_header(Bytes rest);
  Step read_section(Bytes body);
  Step read_body(std::uint32_t type, Bytes body);
  Step read_interface(Bytes body);
  Step read_packet(Bytes body);
  Step read_simple_packet(Bytes body);
  Step read_custom(Bytes body);
  [[nodiscard]] std::unexpected<Error> error(std::size_t at, std::string reason) const;
  [[nodiscard]] std::uint16_t number16(const std::uint8_t* from) const;
  [[nodiscard]] std::uint32_t number32(const std::uint8_t* from) const;
  template <typename OnOption>
  void for_each_option(Bytes options, OnOption on_option) const;

  struct OneInterface {
    Clock clock;
    std::uint32_t snap_length = 0;
  };
  static std::int64_t to_ns(const Clock& clock, std::uint64_t ticks);

  Format format_ = Format::unknown;
  bool is_big_endian_ = false;
  std::vector<OneInterface> interfaces_;
  std::uint64_t offset_ = 0;
  std::size_t taken_ = 0;
  std::optional<Error> failed_;
};

}  // namespace lanyard::pcapng
