// SPDX-License-Identifier: Apache-2.0
#include "talk.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "application/resolver.hh"

namespace lanyard::simulation {
namespace {

using socket::Option;
using socket::Process;
using socket::Socket;
using socket::Type;

constexpr Port talk_port = 2000;
constexpr Port chat_port = 2001;
constexpr std::size_t greeting_bytes = 8;
constexpr std::size_t bytes_in_a_frame = 1200;  // or fewer, of a datagram

std::uint8_t byte_at(std::uint64_t connection, unsigned side, std::uint64_t position) {
  std::uint64_t x = connection * 2 + side + (position >> 3) * 0x9e3779b97f4a7c15ULL;
  x ^= x >> 29;
  x *= 0xbf58476d1ce4e5b9ULL;
  return static_cast<std::uint8_t>(x >> (8 * (position & 7)));
}

// How one side behaves, drawn before it begins.
struct Manner {
  std::uint64_t bytes = 0;
  std::uint64_t piece_max = 1, read_max = 1;
  std::uint64_t pause_parts = 0;  // of a thousand million, before each call
  std::uint64_t pause_us_max = 1;
  std::uint64_t stop_after = UINT64_MAX;  // bytes read, then it closes without the rest
  bool aborts = false;
};

Manner draw_manner(RandomStream& dice) {
  constexpr std::array<std::uint64_t, 6> most{0, 1, 1'000, 8'000, 30'000, 120'000};
  constexpr std::array<std::uint64_t, 4> pieces{1, 100, 1'460, 20'000};
  Manner manner;
  manner.bytes = dice.below(most.at(dice.below(most.size())) + 1);
  manner.piece_max = std::max(pieces.at(dice.below(pieces.size())), manner.bytes / 200);
  manner.read_max = std::max(pieces.at(dice.below(pieces.size())), manner.bytes / 200 + 200);
  manner.pause_parts = dice.below(3) * 100'000'000;
  manner.pause_us_max = dice.below(4) == 0 ? 700'000 : 20'000;
  manner.aborts = dice.below(16) == 0;
  if (dice.below(12) == 0) manner.stop_after = dice.below(5'000);
  return manner;
}

void draw_options(Socket& socket, RandomStream& dice) {
  const auto set = [&](Option option, std::int64_t value) {
    (void)socket.set_option(option, value);
  };
  // A peer that is gone without a word must be found out.
  set(Option::keep_alive, 1);
  set(Option::keep_idle, static_cast<std::int64_t>(3 + dice.below(20)));
  set(Option::keep_interval, static_cast<std::int64_t>(1 + dice.below(3)));
  set(Option::keep_count, static_cast<std::int64_t>(3 + dice.below(4)));
  if (dice.below(4) == 0) set(Option::no_delay, 1);
  if (dice.below(8) == 0) set(Option::cork, 1);
  if (dice.below(4) == 0)
    set(Option::receive_buffer, static_cast<std::int64_t>(2'304 + dice.below(20'000)));
  if (dice.below(4) == 0)
    set(Option::send_buffer, static_cast<std::int64_t>(4'608 + dice.below(20'000)));
}

// One end of a connection: a task that writes and one that reads.
struct End {
  End(Process& of, Socket own, Book& in, std::uint64_t number, unsigned at)
      : process(of),
        socket(std::move(own)),
        book(in),
        ledger(in.ledgers[number]),
        connection(number),
        side(at),
        manner(draw_manner(of.random())) {
    // Two ends that both stop reading, and write on, would wait for one another for ever.
    if (at == 1) manner.stop_after = Manner{}.stop_after;
  }
  // Unwound without a close: its program was killed.
  ~End() {
    if (!is_closed) ledger.was_killed[side] = true;
  }
  End(const End&) = delete;
  End& operator=(const End&) = delete;
  Process& process;
  Socket socket;
  Book& book;
  Ledger& ledger;
  std::uint64_t connection;
  unsigned side;
  Manner manner;
  Task* writer = nullptr;
  bool has_read_all = false, is_closed = false;

  void pause() {
    if (process.random().happens(manner.pause_parts))
      process.sleep(Duration::microseconds(
          static_cast<std::int64_t>(1 + process.random().below(manner.pause_us_max))));
  }
  void close(bool by_reset) {
    if (is_closed) return;
    is_closed = true;
    if (by_reset) (void)socket.set_option(Option::linger, socket::Linger{true, Duration::zero()});
    (void)socket.close();
  }
};

void read_all(End& end) {
  const unsigned other = 1 - end.side;
  std::vector<std::uint8_t> buffer(end.manner.read_max);
  std::uint64_t position = 0;
  while (!end.is_closed && position < end.manner.stop_after) {
    end.pause();
    if (end.is_closed) return;
    const auto some = end.socket.recv(MutableBytes(buffer));
    if (!some) return;
    if (*some == 0) {
      ++end.book.streams_finished;
      const bool is_whole = end.ledger.has_finished[other] && position == end.ledger.offered[other];
      // An end that was killed before it was greeted: nobody knows whose it was.
      const bool is_strangers =
          position == 0 && end.ledger.offered[other] == 0 && end.book.killed_ungreeted > 0;
      if (!is_whole && !end.ledger.was_killed[other] && !is_strangers)
        end.book.problem(fmt::format("stream {} side {}: end after {} bytes, {} were offered",
                                     end.connection, end.side, position,
                                     end.ledger.offered[other]));
      return;
    }
    for (std::size_t i = 0; i < *some; ++i)
      if (buffer[i] != byte_at(end.connection, other, position + i))
        return end.book.problem(fmt::format("stream {} side {}: byte {} is not what was sent",
                                            end.connection, end.side, position + i));
    position += *some;
    end.book.bytes_read += *some;
    if (position > end.ledger.offered[other])
      end.book.problem(fmt::format("stream {} side {}: {} bytes came, {} were offered",
                                   end.connection, end.side, position, end.ledger.offered[other]));
  }
}

// True if all was taken.
bool write_all(End& end) {
  const std::uint64_t stop = end.manner.aborts ? end.manner.bytes / 2 : end.manner.bytes;
  for (std::uint64_t sent = 0; sent < stop;) {
    end.pause();
    const std::uint64_t size =
        std::min<std::uint64_t>(1 + end.process.random().below(end.manner.piece_max), stop - sent);
    std::vector<std::uint8_t> piece(size);
    for (std::size_t i = 0; i < size; ++i) piece[i] = byte_at(end.connection, end.side, sent + i);
    end.ledger.offered[end.side] += size;
    if (end.is_closed || !end.socket.send(Bytes(piece))) return false;
    sent += size;
  }
  return !end.manner.aborts;
}

void converse(const std::shared_ptr<End>& end) {
  Process& process = end->process;
  ++end->book.connections;
  end->writer = process.tasks().current();
  process.spawn([end](Process& own) {
    read_all(*end);
    end->has_read_all = true;
    own.tasks().wake(end->writer);
  });
  const bool is_whole = write_all(*end);
  if (!is_whole) return end->close(end->manner.aborts);
  end->ledger.has_finished[end->side] = true;
  (void)end->socket.shutdown(socket::Shutdown::write);
  while (!end->has_read_all) process.tasks().wait();
  end->close(false);
}

// Counts itself if its program is killed before it knows which connection it serves.
struct Ungreeted {
  std::shared_ptr<Book> book;
  bool is_over = false;
  explicit Ungreeted(std::shared_ptr<Book> of) : book(std::move(of)) {}
  Ungreeted(const Ungreeted&) = delete;
  Ungreeted& operator=(const Ungreeted&) = delete;
  ~Ungreeted() {
    if (!is_over) ++book->killed_ungreeted;
  }
};

int serve_talk(Process& process, const std::shared_ptr<Book>& book) {
  Socket listener(process, Family::ipv6, Type::stream);
  (void)listener.set_option(Option::reuse_address, std::int64_t{1});
  if (!listener.bind({IpAddress::any(Family::ipv6), talk_port}) || !listener.listen(8)) return 1;
  while (true) {
    auto peer = listener.accept();
    if (!peer) return 1;
    process.spawn([handle = peer->release(), book](Process& own) {
      Socket socket(own, handle);
      draw_options(socket, own.random());
      Ungreeted ungreeted(book);
      std::array<std::uint8_t, greeting_bytes> greeting{};
      std::size_t got = 0;
      while (got < greeting_bytes) {
        const auto some = socket.recv(MutableBytes(greeting).subspan(got));
        ungreeted.is_over = !some || *some == 0;
        if (ungreeted.is_over) return;
        got += *some;
      }
      ungreeted.is_over = true;
      std::uint64_t number = 0;
      for (const std::uint8_t byte : greeting) number = number << 8 | byte;
      if (!book->ledgers.contains(number))
        return book->problem(fmt::format("a stream greets with {:x}, which nobody sent", number));
      converse(std::make_shared<End>(own, std::move(socket), *book, number, 1U));
    });
  }
}

int call_talk(Process& process, const std::shared_ptr<Book>& book,
              std::span<const std::string> words) {
  const std::uint64_t calls = 1 + process.random().below(3);
  const Family family = words[4] == "-4" ? Family::ipv4 : Family::ipv6;
  for (std::uint64_t i = 0; i < calls; ++i) {
    auto socket = application::connect_to(process, words[2], talk_port, family);
    if (!socket) return 1;
    draw_options(*socket, process.random());
    const std::uint64_t number = book->ledgers.size() + 1;
    book->ledgers[number] = {};
    std::array<std::uint8_t, greeting_bytes> greeting{};
    for (std::size_t k = 0; k < greeting_bytes; ++k)
      greeting[k] = static_cast<std::uint8_t>(number >> (8 * (greeting_bytes - 1 - k)));
    if (!socket->send(Bytes(greeting))) return 1;
    converse(std::make_shared<End>(process, std::move(*socket), *book, number, 0U));
  }
  return 0;
}

// A datagram: its number (8 bytes, the first says whether an answer is wanted), then the pattern.
std::vector<std::uint8_t> datagram(std::uint64_t number, unsigned side, std::size_t size) {
  std::vector<std::uint8_t> bytes(8 + size);
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<std::uint8_t>(number >> (56 - 8 * i));
  for (std::size_t i = 0; i < size; ++i) bytes[8 + i] = byte_at(number, side, i);
  return bytes;
}

// The number of a datagram that came, 0 if it is not one of ours.
std::uint64_t look_at(Book& book, Bytes bytes, unsigned side) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8 && i < bytes.size(); ++i) number = number << 8 | bytes[i];
  ++book.datagrams_read;
  const std::uint64_t key = number * 2 + side;
  if (bytes.size() < 8 || !book.datagrams_offered.contains(key)) {
    book.problem(fmt::format("a datagram came that nobody sent: {:x}", number));
    return 0;
  }
  // Two frames of a datagram, one bit of each broken, may leave its checksum as it was.
  const bool may_be_broken = book.may_break && bytes.size() > bytes_in_a_frame;
  for (std::size_t i = 8; i < bytes.size() && !may_be_broken; ++i)
    if (bytes[i] != byte_at(number, side, i - 8))
      book.problem(fmt::format("datagram {:x}: byte {} is not what was sent", number, i));
  if (bytes.size() != book.datagrams_offered[key])
    book.problem(fmt::format("datagram {:x} has {} bytes, not {}", number, bytes.size(),
                             book.datagrams_offered[key]));
  if (++book.datagrams_seen[key] > 1 && !book.may_duplicate)
    book.problem(fmt::format("datagram {:x} came twice", number));
  return number;
}

int serve_chat(Process& process, Book& book) {
  Socket socket(process, Family::ipv6, Type::datagram);
  if (!socket.bind({IpAddress::any(Family::ipv6), chat_port})) return 1;
  std::vector<std::uint8_t> buffer(66'000);
  while (true) {
    const auto received = socket.recvfrom(buffer);
    if (!received) continue;
    const std::uint64_t number = look_at(book, Bytes(buffer).first(received->bytes), 0);
    if (number == 0 || (number & 1) == 0) continue;
    const auto answer = datagram(number, 1, received->bytes - 8);
    book.datagrams_offered[number * 2 + 1] = static_cast<std::uint32_t>(answer.size());
    (void)socket.sendto(answer, received->facts.peer);
  }
}

int call_chat(Process& process, Book& book, std::span<const std::string> words) {
  const Family family = words[4] == "-4" ? Family::ipv4 : Family::ipv6;
  const auto addresses = application::resolve(process, words[2], family);
  if (!addresses) return 1;
  Socket socket(process, family, Type::datagram);
  socket.set_timeout(Duration::milliseconds(300));
  std::vector<std::uint8_t> buffer(66'000);
  for (std::uint64_t i = 0, count = 1 + process.random().below(20); i < count; ++i) {
    const std::uint64_t number =
        (book.datagrams_offered.size() + 1) * 16 + process.random().below(2);
    const std::size_t size = process.random().below(process.random().below(4) == 0 ? 9'000 : 1'000);
    const auto bytes = datagram(number, 0, size);
    book.datagrams_offered[number * 2] = static_cast<std::uint32_t>(bytes.size());
    (void)socket.sendto(bytes, {addresses->front(), chat_port});
    if ((number & 1) == 0) continue;
    if (const auto back = socket.recvfrom(buffer))
      (void)look_at(book, Bytes(buffer).first(back->bytes), 1);
  }
  return 0;
}

}  // namespace

std::map<std::string, socket::Program, std::less<>> talking_programs(
    const std::shared_ptr<Book>& book) {
  return {
      {"talk",
       [book](Process& process, std::span<const std::string> words) {
         return words[1] == "serve" ? serve_talk(process, book) : call_talk(process, book, words);
       }},
      {"chat", [book](Process& process, std::span<const std::string> words) {
         return words[1] == "serve" ? serve_chat(process, *book) : call_chat(process, *book, words);
       }}};
}

}  // namespace lanyard::simulation
