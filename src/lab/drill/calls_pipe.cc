// SPDX-License-Identifier: Apache-2.0
// pipe and splice: octets that go from a socket into a pipe, or out of one, are zeros as all
// others.
#include <sys/socket.h>

#include <algorithm>

#include "lab/drill/calls.hh"

namespace lanyard::lab::drill {

namespace {

constexpr std::uint64_t pipe_bytes_max = 65'536;  // as Linux: sixteen pages
constexpr std::int64_t splice_nonblock = 2;       // SPLICE_F_NONBLOCK

std::size_t part(std::int64_t wanted, std::uint64_t there) {
  return static_cast<std::size_t>(std::min<std::uint64_t>(
      static_cast<std::uint64_t>(std::max<std::int64_t>(wanted, 0)), there));
}

}  // namespace

// pipe([5, 6]): the script names the ends, the one to read from first.
SystemCalls::Answer SystemCalls::make_pipe(const Arguments& a) {
  a.expect_count(1, 2);
  const Expression& ends = a.at(0);
  if (ends.kind != Expression::Kind::list || ends.items.size() != 2)
    Arguments::wrong(ends.mark, "expected [5, 6]");
  Descriptor end;
  end.pipe = std::make_shared<std::uint64_t>(0);
  descriptors_[Arguments::number_of(ends.items[0])] = end;
  end.is_pipe_input = true;
  descriptors_[Arguments::number_of(ends.items[1])] = end;
  return Returned{};
}

// splice(from, NULL, to, NULL, size, flags), where one of them is a pipe and the other a socket.
SystemCalls::Answer SystemCalls::splice(const Arguments& a) {
  a.expect_count(6, 6);
  Descriptor* const from = find(a.number(0));
  Descriptor* const to = find(a.number(2));
  if (from == nullptr || to == nullptr) return failed(Errno::bad_descriptor);
  const bool fills = to->pipe && to->is_pipe_input && from->handle != socket::Handle::none;
  const bool drains = from->pipe && !from->is_pipe_input && to->handle != socket::Handle::none;
  if (!fills && !drains) return failed(Errno::invalid);
  const std::shared_ptr<std::uint64_t> pipe = fills ? to->pipe : from->pipe;
  Transfer transfer;
  transfer.descriptor = a.number(fills ? 0 : 2);
  transfer.mark = a.mark();
  if ((a.number(5) & splice_nonblock) != 0) transfer.flags = MSG_DONTWAIT;
  transfer.bytes = part(a.number(4), fills ? pipe_bytes_max - *pipe : *pipe);
  // As Linux: the urgent octet is not spliced, and nothing behind it until it is read.
  if (fills && sockets_.is_at_urgent_mark(from->handle)) return Returned{};
  const Answer answer = fills ? transfer_in(transfer) : transfer_out(transfer);
  if (!answer || answer->error) return answer;
  *pipe += static_cast<std::uint64_t>(fills ? answer->value : -answer->value);
  return answer;
}

}  // namespace lanyard::lab::drill
