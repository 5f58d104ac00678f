// SPDX-License-Identifier: Apache-2.0
// Moves a stated number of bytes over one connection. The bytes are a known sequence, so the
// receiver checks each one; the sender learns from the receiver's line, sent back after its
// half-close, that all arrived.
#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <memory>
#include <vector>

#include "application/programs.hh"
#include "application/resolver.hh"

namespace lanyard::application {

namespace {

using socket::Process;
using socket::Shutdown;
using socket::Socket;
using socket::Type;

constexpr std::size_t chunk_bytes = 65536;
constexpr std::uint64_t sequence_step = 0x9e3779b97f4a7c15ULL;

// The sequence is words of eight bytes, the least significant first: cheap to make anywhere,
// without a period a network could hide in.
std::uint64_t word_at(std::uint64_t position) {
  return position / 8 * sequence_step + sequence_step;
}
std::uint8_t byte_at(std::uint64_t position) {
  return static_cast<std::uint8_t>(word_at(position) >> (position % 8 * 8));
}
void store_word(std::uint8_t* to, std::uint64_t word) {
  if constexpr (std::endian::native == std::endian::big) word = std::byteswap(word);
  std::memcpy(to, &word, sizeof word);
}

// Two words of the sequence, on any machine.
using Words = std::uint64_t __attribute__((vector_size(16)));

// The bytes of the sequence from `position` on.
void make_bytes(std::uint64_t position, MutableBytes out) {
  std::size_t i = 0;
  for (; i < out.size() && (position + i) % 8 != 0; ++i) out[i] = byte_at(position + i);
  std::uint64_t word = word_at(position + i);
  if constexpr (std::endian::native == std::endian::little) {
    Words words = {word, word + sequence_step};
    const auto put = [&] {
      std::memcpy(&out[i], &words, sizeof words);
      words += 2 * sequence_step;
      i += sizeof words;
    };
    while (i + 4 * sizeof words <= out.size()) put(), put(), put(), put();
    word = words[0];
  }
  for (; i + 8 <= out.size(); i += 8, word += sequence_step) store_word(&out[i], word);
  for (; i < out.size(); ++i) out[i] = byte_at(position + i);
}

// Whether they are what the sequence has from `word` on. All are looked at before that is said.
bool are_right(std::uint64_t word, Bytes bytes) {
  Words wanted = {word, word + sequence_step}, differ = {};
  const std::uint8_t* at = bytes.data();
  const auto look = [&] {
    Words found;
    std::memcpy(&found, at, sizeof found);
    differ |= found ^ wanted;
    wanted += 2 * sequence_step;
    at += sizeof found;
  };
  std::size_t left = bytes.size() / sizeof(Words);
  for (; left >= 4; left -= 4) look(), look(), look(), look();
  for (; left > 0; --left) look();
  return (differ[0] | differ[1]) == 0;
}

// How many of them are not what the sequence has from `position` on.
std::uint64_t count_wrong(std::uint64_t position, Bytes bytes) {
  std::uint64_t wrong = 0;
  std::size_t i = 0;
  const auto look_until = [&](std::size_t end) {
    for (; i < end; ++i) wrong += bytes[i] != byte_at(position + i);
  };
  look_until(std::min<std::size_t>(bytes.size(), (8 - position % 8) % 8));
  const std::size_t whole = (bytes.size() - i) / 16 * 16;
  constexpr bool is_as_stored = std::endian::native == std::endian::little;
  if (is_as_stored && are_right(word_at(position + i), bytes.subspan(i, whole))) i += whole;
  look_until(bytes.size());
  return wrong;
}

void receive_all(Process& process, socket::Handle handle) {
  Socket peer(process, handle);
  // Uninitialised: most of it is never touched, and costs nothing then.
  const auto room = std::make_unique_for_overwrite<std::uint8_t[]>(chunk_bytes);
  const MutableBytes buffer(room.get(), chunk_bytes);
  std::uint64_t bytes = 0;
  std::uint64_t wrong = 0;
  Instant first = process.now(), last = first;
  Duration pause;
  bool is_reset = false;
  while (true) {
    const auto some = peer.recv(buffer);
    is_reset = !some;
    if (!some || *some == 0) break;
    if (bytes == 0) first = process.now();
    if (bytes > 0) pause = std::max(pause, process.now() - last);
    last = process.now();
    wrong += count_wrong(bytes, buffer.first(*some));
    bytes += *some;
  }
  const std::string verdict = fmt::format("{} bytes, {} wrong", bytes, wrong);
  if (!is_reset) (void)peer.send(verdict + "\n");
  process.print(1, fmt::format("bulk: received {} in {} us, longest pause {} us{}\n", verdict,
                               (last - first).count_us(), pause.count_us(),
                               is_reset ? ", then a reset" : ""));
}

int serve(Process& process, Port port) {
  Socket listener(process, Family::ipv6, Type::stream);
  (void)listener.set_option(socket::Option::reuse_address, std::int64_t{1});
  if (const auto bound = listener.bind({IpAddress::any(Family::ipv6), port}); !bound) {
    process.print(2, fmt::format("bulk: port {}: {}\n", port, errno_text(bound.error())));
    return 1;
  }
  (void)listener.listen(128);
  while (true) {
    auto peer = listener.accept();
    if (!peer) return 1;
    process.spawn([handle = peer->release()](Process& own) { receive_all(own, handle); });
  }
}

// The sequence is the same for everybody: the transfers of a thread share its bytes, of which some
// are kept as long as any of them goes on. A lab of many would else hold each one's send queue.
class SharedBytes {
 public:
  SharedBytes() { ++users; }
  SharedBytes(const SharedBytes&) = delete;
  SharedBytes& operator=(const SharedBytes&) = delete;
  ~SharedBytes() {
    if (--users == 0) kept.clear();
  }

  // `size` bytes from `position` on, which is a multiple of chunk_bytes or nobody else's.
  [[nodiscard]] Slice at(std::uint64_t position, std::size_t size) const {
    kept.resize(chunks_kept);
    Chunk& chunk = kept[position / chunk_bytes % chunks_kept];
    if (chunk.position != position || chunk.bytes.size() < size) {
      Block* const block = allocate_block(size);
      make_bytes(position, {block->data(), size});
      chunk = {position, Slice(block, 0, static_cast<std::uint32_t>(size))};
      drop_reference(block);  // the chunk holds it
    }
    return chunk.bytes.part(0, size);
  }

 private:
  struct Chunk {
    std::uint64_t position = 0;
    Slice bytes;
  };
  static constexpr std::size_t chunks_kept = 128;  // twice the greatest send queue of a stack
  static thread_local int users;
  static thread_local std::vector<Chunk> kept;
};
constinit thread_local int SharedBytes::users = 0;
constinit thread_local std::vector<SharedBytes::Chunk> SharedBytes::kept;

// Queues `bytes` of the sequence, or until `end`; how many went in.
Result<std::uint64_t> send_sequence(Process& process, Socket& socket, const SharedBytes& sequence,
                                    std::uint64_t bytes, Instant end) {
  std::uint64_t sent = 0;
  while (sent < bytes && process.now() < end) {
    const std::size_t size = std::min<std::uint64_t>(chunk_bytes, bytes - sent);
    if (end != Instant::never()) socket.set_timeout(end - process.now());
    const auto put = socket.send(sequence.at(sent, size));
    if (!put && put.error() == Errno::try_again) break;
    if (!put) {
      process.print(2, fmt::format("bulk: after {} bytes: {}\n", sent, errno_text(put.error())));
      return std::unexpected(put.error());
    }
    sent += *put;
  }
  return sent;
}

int send_all(Process& process, Socket& socket, std::uint64_t bytes) {
  const Instant begun = process.now();
  const SharedBytes sequence;  // until the last of them has arrived
  if (!send_sequence(process, socket, sequence, bytes, Instant::never())) return 1;
  (void)socket.shutdown(Shutdown::write);
  const auto verdict = socket.recv(std::size_t{100});
  const std::int64_t took_us = std::max<std::int64_t>(1, (process.now() - begun).count_us());
  if (!verdict || *verdict != fmt::format("{} bytes, 0 wrong\n", bytes)) {
    process.print(2, fmt::format("bulk: the receiver says '{}'\n", verdict.value_or("nothing")));
    return 1;
  }
  process.print(1, fmt::format("bulk: sent {} bytes in {} us, {} kbit/s\n", bytes, took_us,
                               bytes * 8000 / static_cast<std::uint64_t>(took_us)));
  return 0;
}

// Sends for so long, then resets the connection: the receiver counts what had arrived.
int send_for(Process& process, Socket& socket, Duration duration) {
  const SharedBytes sequence;
  const auto sent = send_sequence(process, socket, sequence, UINT64_MAX, process.now() + duration);
  if (!sent) return 1;
  (void)socket.set_option(socket::Option::linger, socket::Linger{.is_on = true, .timeout = {}});
  process.print(1, fmt::format("bulk: queued {} bytes, then reset\n", *sent));
  return 0;
}

}  // namespace

int bulk(Process& process, std::span<const std::string> all) {
  Arguments arguments(all.subspan(1), {.with_value = {"--port", "--for"},
                                       .without_value = {"-4", "-6"},
                                       .words_min = 1,
                                       .words_max = 3});
  const auto port = static_cast<Port>(arguments.number("--port", 5001, 1, 65535));
  constexpr std::uint64_t bytes_max = 1'000'000'000'000'000;
  const std::uint64_t bytes = arguments.word_number(2, 0, 1, bytes_max);
  const std::uint64_t seconds = arguments.number("--for", 0, 1, 1'000'000);
  if (!arguments.problem().empty()) return wrong_usage(process, "bulk", arguments.problem());
  const auto& words = arguments.words();
  if (words[0] == "serve" && words.size() == 1) return serve(process, port);
  if (words[0] != "send" || words.size() != (seconds > 0 ? 2u : 3u))
    return wrong_usage(process, "bulk", "say 'serve', 'send HOST BYTES' or 'send HOST --for N'");
  auto socket = connect_to(process, words[1], port, wanted_family(arguments));
  if (!socket) {
    process.print(2, fmt::format("bulk: {}\n", socket.error()));
    return 1;
  }
  if (seconds == 0) return send_all(process, *socket, bytes);
  return send_for(process, *socket, Duration::seconds(static_cast<std::int64_t>(seconds)));
}

}  // namespace lanyard::application
