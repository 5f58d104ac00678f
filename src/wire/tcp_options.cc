// SPDX-License-Identifier: Apache-2.0
#include "wire/tcp_options.hh"

#include <algorithm>
#include <cstring>

#include "core/check.hh"
#include "wire/tcp_plain.hh"

namespace lanyard::tcp {

// RFC 9293 3.1 [MUST-7], BI-50: a length of 0, of 1 or past the header's end stops the walk.
// BI-51: nor is a length byte read that is not there.
std::optional<RawOption> OptionReader::next() {
  if (is_malformed_ || at_ >= options_.size()) return std::nullopt;
  const Bytes rest = options_.subspan(at_);
  const std::uint8_t kind = rest[0];
  if (kind == option::end_of_list) {
    at_ = options_.size();
    return std::nullopt;
  }
  if (kind == option::no_operation) {
    return RawOption{.kind = kind, .offset = at_++, .bytes = rest.first(1), .data = {}};
  }
  if (rest.size() < 2 || rest[1] < 2 || rest[1] > rest.size()) {
    is_malformed_ = true;
    return std::nullopt;
  }
  const Bytes bytes = rest.first(rest[1]);
  const RawOption whole{.kind = kind, .offset = at_, .bytes = bytes, .data = bytes.subspan(2)};
  at_ += bytes.size();
  return whole;
}

namespace {

// Takes the options that mean something on a SYN only. False: it is none of them.
bool take_syn_option(Options& into, const RawOption& raw) {
  if (raw.kind == option::mss && raw.data.size() == 2) {
    if (!into.mss) into.mss = load16(raw.data.data());
    return true;
  }
  if (raw.kind == option::window_scale && raw.data.size() == 1) {
    // RFC 7323 2.3 [RFC7323-2.2-a], BI-62: a shift above 14 is taken as 14.
    if (!into.window_scale) into.window_scale = std::min(raw.data[0], window_scale_max);
    return true;
  }
  if (raw.kind == option::sack_permitted && raw.data.empty()) {
    into.sack_permitted = true;
    return true;
  }
  return false;
}

void take_sack(Options& into, Bytes data) {
  if (data.size() % 8 != 0 || into.sack_blocks != 0) return;
  for (; data.size() >= 8 && into.sack_blocks < sack_blocks_max; data = data.subspan(8)) {
    into.sack[into.sack_blocks++] = {SequenceNumber(load32(data.data())),
                                     SequenceNumber(load32(data.data() + 4))};
  }
}

void take_fast_open(Options& into, Bytes data, bool is_experimental) {
  // RFC 7413 4.1.1: 4 to 16 bytes, an even number of them, or none at all.
  const bool is_legal = data.empty() || (data.size() >= 4 && data.size() <= 16);
  if (into.fast_open || !is_legal || data.size() % 2 != 0) return;
  into.fast_open.emplace();
  into.fast_open->size = static_cast<std::uint8_t>(data.size());
  into.fast_open->is_experimental = is_experimental;
  std::copy(data.begin(), data.end(), into.fast_open->bytes.begin());
}

bool is_fast_open_experiment(const RawOption& raw) {
  return raw.kind == option::experimental && raw.data.size() >= 2 &&
         load16(raw.data.data()) == option::fast_open_magic;
}

// RFC 9293 3.1 [MUST-5], [MUST-64]: on any segment and at any alignment.
void take_option(Options& into, const RawOption& raw) {
  if (raw.kind == option::sack) {
    take_sack(into, raw.data);
  } else if (raw.kind == option::timestamps && raw.data.size() == 8) {
    // BI-61: zeros are values like others, and a second option changes nothing.
    if (!into.timestamps) {
      into.timestamps = {load32(raw.data.data()), load32(raw.data.data() + 4)};
    }
  } else if (raw.kind == option::fast_open) {
    take_fast_open(into, raw.data, false);
  } else if (is_fast_open_experiment(raw)) {
    take_fast_open(into, raw.data.subspan(2), true);
  } else if (raw.kind == option::user_timeout && raw.data.size() == 2) {
    const std::uint16_t word = load16(raw.data.data());
    if (!into.user_timeout) {
      into.user_timeout = {(word & 0x8000) != 0, static_cast<std::uint16_t>(word & 0x7fff)};
    }
  } else if (raw.kind == option::md5_signature) {
    into.has_md5_signature = true;
  } else if (raw.kind == option::authentication) {
    into.has_authentication = true;
  }
  // RFC 9293 3.1 [MUST-6]: any other kind is skipped without a trace.
}

}  // namespace

// BI-46: a malformed option ends the reading and changes nothing else.
Options Options::parse(Bytes options, bool is_syn) {
  Options result;
  result.timestamps = timestamps_if_alone(options);
  if (result.timestamps) return result;
  OptionReader reader(options);
  Options skipped;
  while (const std::optional<RawOption> raw = reader.next()) {
    if (!take_syn_option(is_syn ? result : skipped, *raw)) take_option(result, *raw);
  }
  result.is_malformed = reader.is_malformed();
  return result;
}

namespace {

std::size_t padded(std::size_t size) {
  return (size + 3) / 4 * 4;
}

// Writes options with their alignment, counting the bytes.
class Writer {
 public:
  explicit Writer(std::uint8_t* to) : to_(to) {}
  // Opens an option with `data_size` bytes of data, NOPs in front so that it ends on a multiple of
  // 4. RFC 9293 3.1 [MUST-68]: a length byte always.
  std::uint8_t* open(std::uint8_t kind, std::size_t data_size) {
    const std::size_t size = 2 + data_size;
    const std::size_t nops = padded(size) - size;
    std::memset(to_, option::no_operation, nops);
    to_[nops] = kind;
    to_[nops + 1] = static_cast<std::uint8_t>(size);
    std::uint8_t* data = to_ + nops + 2;
    to_ = data + data_size;
    return data;
  }

 private:
  std::uint8_t* to_;
};

}  // namespace

std::size_t Options::size() const {
  std::size_t size = 0;
  if (mss) size += 4;
  if (window_scale) size += 4;
  // SACK-permitted takes the place of the two NOPs before timestamps.
  if (timestamps) size += 12;
  if (sack_permitted && !timestamps) size += 4;
  if (sack_blocks > 0) size += padded(2 + std::size_t{8} * sack_blocks);
  if (fast_open) size += padded((fast_open->is_experimental ? 4U : 2U) + fast_open->size);
  if (user_timeout) size += 4;
  return size;
}

void Options::write(std::uint8_t* to) const {
  CHECK(size() <= options_size_max);
  Writer writer(to);
  if (mss) store16(writer.open(option::mss, 2), *mss);
  if (sack_permitted && !timestamps) writer.open(option::sack_permitted, 0);
  if (timestamps) {
    std::uint8_t* data = writer.open(option::timestamps, 8);
    store32(data, timestamps->value);
    store32(data + 4, timestamps->echo);
    if (sack_permitted) {
      data[-4] = option::sack_permitted;
      data[-3] = 2;
    }
  }
  if (window_scale) *writer.open(option::window_scale, 1) = *window_scale;
  if (sack_blocks > 0) {
    std::uint8_t* data = writer.open(option::sack, std::size_t{8} * sack_blocks);
    for (const SackBlock& block : sacked()) {
      store32(data, block.left.value());
      store32(data + 4, block.right.value());
      data += 8;
    }
  }
  if (fast_open) {
    const bool is_old = fast_open->is_experimental;
    std::uint8_t* data = writer.open(is_old ? option::experimental : option::fast_open,
                                     (is_old ? 2U : 0U) + fast_open->size);
    if (is_old) store16(data, option::fast_open_magic);
    std::copy_n(fast_open->bytes.begin(), fast_open->size, data + (is_old ? 2 : 0));
  }
  if (user_timeout) {
    store16(writer.open(option::user_timeout, 2),
            static_cast<std::uint16_t>((user_timeout->in_minutes ? 0x8000 : 0) |
                                       (user_timeout->value & 0x7fff)));
  }
}

}  // namespace lanyard::tcp
