// SPDX-License-Identifier: Apache-2.0
// The calls that move data: read, write and their kin.
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "lab/drill/calls.hh"

namespace lanyard::lab::drill {

namespace {

using Kind = Expression::Kind;

constexpr std::size_t transfer_bytes_max = 64 * 1024 * 1024;

std::size_t size_of(std::int64_t bytes, Mark mark) {
  if (bytes < 0 || static_cast<std::size_t>(bytes) > transfer_bytes_max) {
    Arguments::wrong(mark, fmt::format("a transfer is from 0 to {} bytes", transfer_bytes_max));
  }
  return static_cast<std::size_t>(bytes);
}

constexpr std::int64_t msg_fastopen = 0x20000000, msg_zerocopy = 0x4000000;
constexpr std::int64_t origin_zerocopy = 5, code_copied = 1;  // SO_EE_ORIGIN_ZEROCOPY and its code

}  // namespace

Endpoint SystemCalls::peer_of(const Expression& expression) const {
  if (expression.kind == Kind::ellipsis) return {setup_.remote, setup_.connect_port};
  return socket_address(expression).endpoint;
}

// [{..., 1000}, {"abc", 3}]
std::size_t SystemCalls::vector_bytes(const Expression& list, std::string& text) {
  std::size_t bytes = 0;
  for (const Expression& item : list.items) {
    const bool is_pair = item.kind == Kind::structure && item.items.size() == 2;
    if (!is_pair) Arguments::wrong(item.mark, "expected {..., bytes} here");
    const std::size_t size = size_of(Arguments::number_of(item.items[1]), item.mark);
    if (item.items[0].kind == Kind::text) {
      text.resize(bytes);
      text += item.items[0].text.substr(0, size);
    }
    bytes += size;
  }
  return bytes;
}

// A buffer at address zero.
bool SystemCalls::is_nowhere(const Expression& buffer) {
  const bool is_null = buffer.kind == Kind::word && buffer.text == "NULL";
  return is_null || (buffer.kind == Kind::number && buffer.number == 0);
}

// What of a stream is acknowledged is no longer needed. Each send is told of by its number; what
// follows on what waits to be told is added to it.
void SystemCalls::settle_copies(Descriptor& descriptor) const {
  Copies& copies = descriptor.copies;
  if (copies.waiting.empty()) return;
  const std::uint64_t still = sockets_.unsent_bytes(descriptor.handle);
  while (!copies.waiting.empty() && copies.waiting.front().first + still <= copies.written) {
    const std::uint32_t number = copies.waiting.front().second;
    copies.waiting.pop_front();
    ++copies.told;
    if (!copies.done.empty() && copies.done.back().high + 1 == number) {
      copies.done.back().high = number;
    } else {
      copies.done.push_back({number, number});
    }
  }
}

SystemCalls::Answer SystemCalls::transfer_out(Transfer& transfer) {
  const Answer answer = send_out(transfer);
  Descriptor* const descriptor = find(transfer.descriptor);
  if (!answer || answer->error || descriptor == nullptr) return answer;
  Copies& copies = descriptor->copies;
  copies.written += static_cast<std::uint64_t>(answer->value);
  if (copies.is_asked && (transfer.flags & msg_zerocopy) != 0 && answer->value > 0)
    copies.waiting.emplace_back(copies.written, copies.next++);
  if (descriptor->stamps.flags != 0 && answer->value > 0)
    descriptor->stamps.waiting.push_back({.end = copies.written});
  return answer;
}

// A blocking stream socket takes all of it, however often it has to wait.
SystemCalls::Answer SystemCalls::send_out(Transfer& transfer) {
  Descriptor* descriptor = find(transfer.descriptor);
  if (descriptor == nullptr) return failed(Errno::bad_descriptor);
  std::vector<std::uint8_t> data(transfer.bytes);
  std::copy_n(transfer.text.begin(), std::min(transfer.text.size(), data.size()), data.begin());
  if (descriptor->type != socket::Type::stream) {
    socket::DatagramFacts facts;
    if (transfer.peer) facts.peer = *transfer.peer;
    const auto sent = sockets_.send_to(now_, descriptor->handle, data, facts);
    if (!sent) return failed(sent.error());
    return Returned{static_cast<std::int64_t>(*sent), std::nullopt, false};
  }
  const socket::SendFlags flags{.out_of_band = (transfer.flags & MSG_OOB) != 0,
                                .more = (transfer.flags & MSG_MORE) != 0,
                                .end_of_record = (transfer.flags & MSG_EOR) != 0};
  const bool connects = (transfer.flags & msg_fastopen) != 0 && transfer.peer;
  // How much a buffer takes is the stack's own measure: a short write is as short as the script
  // says.
  const bool may_wait = !descriptor->is_nonblocking && (transfer.flags & MSG_DONTWAIT) == 0;
  const bool is_short = said_ > 0 && static_cast<std::size_t>(said_) < data.size();
  if (is_short && !may_wait && !connects && !setup_.strict.buffers)
    data.resize(static_cast<std::size_t>(said_));
  if (connects && !std::exchange(has_connected_, true)) {
    current_ = descriptor->handle;
    const auto early = sockets_.send_to(now_, descriptor->handle, data,
                                        {.peer = *transfer.peer, .local = {}, .opens_fast = true});
    if (!early && early.error() != Errno::in_progress) return failed(early.error());
    if (early) sent_ = early_ = *early;
    if (!may_wait && !early) return failed(Errno::in_progress);
    if (!may_wait) return Returned{static_cast<std::int64_t>(sent_), {}, false};
  }
  const socket::Readiness ready = sockets_.readiness(descriptor->handle);
  const bool is_connecting = connects && !ready.writable && !ready.failed && !ready.hung_up;
  if (is_connecting) return blocks(*descriptor, transfer.flags, descriptor->send_timeout);
  const auto sent = sockets_.send(now_, descriptor->handle,
                                  Bytes(data).subspan(std::min(sent_, data.size())), flags);
  if (sent) sent_ += *sent;
  if (!sent && sent.error() != Errno::try_again) {
    // Of a connection that never opened nothing was sent.
    if (sent_ > early_) return Returned{static_cast<std::int64_t>(sent_), std::nullopt, false};
    return failed(sent.error());
  }
  if (sent_ >= data.size()) return Returned{static_cast<std::int64_t>(sent_), std::nullopt, false};
  const Answer waits = blocks(*descriptor, transfer.flags, descriptor->send_timeout);
  if (waits && sent_ > 0) return Returned{static_cast<std::int64_t>(sent_), std::nullopt, false};
  return waits;
}

SystemCalls::Answer SystemCalls::send(const Arguments& a) {
  a.expect_count(3, 6);
  Transfer transfer;
  transfer.descriptor = a.number(0);
  transfer.mark = a.mark();
  transfer.bytes = size_of(a.number(2), a.at(2).mark);
  if (a.at(1).kind == Kind::text) transfer.text = a.at(1).text;
  if (is_nowhere(a.at(1)) && transfer.bytes > 0) return failed(Errno::bad_address);
  transfer.flags = a.number_or(3, 0);
  const bool has_address = a.size() > 4 &&
                           !(a.at(4).kind == Kind::word && a.at(4).text == "NULL") &&
                           !(a.at(4).kind == Kind::number);
  const bool is_nobody = has_address && a.at(4).kind == Kind::word && a.at(4).text == "AF_UNSPEC";
  if (is_nobody && (transfer.flags & msg_fastopen) != 0) return failed(Errno::not_supported);
  if (a.name() == "sendto" && has_address) transfer.peer = peer_of(a.at(4));
  return transfer_out(transfer);
}

// readv and writev.
SystemCalls::Transfer SystemCalls::of_vectors(const Arguments& a) {
  a.expect_count(3, 3);
  Transfer transfer;
  transfer.descriptor = a.number(0);
  transfer.mark = a.mark();
  transfer.bytes = vector_bytes(a.at(1), transfer.text);
  return transfer;
}

// recvmsg and sendmsg.
SystemCalls::Transfer SystemCalls::of_message(const Arguments& a) {
  a.expect_count(2, 3);
  const Expression& message = a.at(1);
  if (message.kind != Kind::structure) Arguments::wrong(message.mark, "expected {msg_iov=...}");
  Transfer transfer;
  transfer.descriptor = a.number(0);
  transfer.mark = a.mark();
  transfer.flags = a.number_or(2, 0);
  const Expression* vectors = Arguments::field(message, "msg_iov");
  if (vectors != nullptr) transfer.bytes = vector_bytes(*vectors, transfer.text);
  return transfer;
}

SystemCalls::Answer SystemCalls::send_vector(const Arguments& a) {
  Transfer transfer = of_vectors(a);
  return transfer_out(transfer);
}

SystemCalls::Answer SystemCalls::send_message(const Arguments& a) {
  Transfer transfer = of_message(a);
  const Expression& message = a.at(1);
  const Expression* name = Arguments::field(message, "msg_name");
  if (name != nullptr && (name->kind == Kind::ellipsis || name->kind == Kind::structure)) {
    transfer.peer = peer_of(*name);
  }
  const Expression* control = Arguments::field(message, "msg_control");
  if (control != nullptr && !control->items.empty()) {
    Arguments::unsupported(control->mark, "control messages (msg_control) are not supported");
  }
  return transfer_out(transfer);
}

Result<socket::Received> SystemCalls::receive_once(Descriptor& descriptor, const Transfer& transfer,
                                                   MutableBytes buffer) {
  const socket::ReceiveFlags flags{.peek = (transfer.flags & MSG_PEEK) != 0,
                                   .out_of_band = (transfer.flags & MSG_OOB) != 0,
                                   .truncate = (transfer.flags & MSG_TRUNC) != 0};
  if (descriptor.type == socket::Type::stream) {
    const auto got = sockets_.receive(now_, descriptor.handle, buffer, flags);
    if (!got) return unexpected(got.error());
    return socket::Received{.bytes = *got, .full_bytes = *got, .facts = {}};
  }
  auto got = sockets_.receive_from(now_, descriptor.handle, buffer, flags);
  if (got && !flags.truncate) got->full_bytes = got->bytes;
  return got;
}

SystemCalls::Answer SystemCalls::transfer_in(Transfer& transfer) {
  Descriptor* descriptor = find(transfer.descriptor);
  if (descriptor == nullptr) return failed(Errno::bad_descriptor);
  if ((transfer.flags & MSG_ERRQUEUE) != 0) {
    settle_copies(*descriptor);
    descriptor->copies.taken.reset();
    if (!descriptor->copies.done.empty()) {
      descriptor->copies.taken = descriptor->copies.done.front();
      descriptor->copies.done.pop_front();
      return Returned{};
    }
    Stamps& stamps = descriptor->stamps;
    stamps.taken.reset();
    if (!stamps.done.empty()) {
      stamps.taken = stamps.done.front();
      stamps.done.pop_front();
      return Returned{};
    }
    const auto error = sockets_.take_error(descriptor->handle);
    if (!error) return failed(Errno::try_again);
    return Returned{static_cast<std::int64_t>(error->payload.size()), std::nullopt, false};
  }
  std::vector<std::uint8_t> buffer(transfer.bytes - std::min(gathered_.size(), transfer.bytes));
  const auto got = receive_once(*descriptor, transfer, buffer);
  const bool waits_for_all = (transfer.flags & MSG_WAITALL) != 0;
  if (!got && got.error() == Errno::try_again && (transfer.flags & MSG_OOB) == 0) {
    const Answer waits = blocks(*descriptor, transfer.flags, descriptor->receive_timeout);
    if (!waits || gathered_.empty()) return waits;
    return Returned{static_cast<std::int64_t>(gathered_.size()), std::nullopt, false};
  }
  if (!got && gathered_.empty()) return failed(got.error());
  if (got) {
    transfer.received = *got;
    gathered_ += lanyard::text_of(Bytes(buffer).first(got->bytes));
    const bool goes_on = waits_for_all && got->bytes > 0 && gathered_.size() < transfer.bytes;
    if (goes_on) {
      const Answer waits = blocks(*descriptor, transfer.flags, descriptor->receive_timeout);
      if (!waits) return waits;
    }
  }
  const std::string_view expected = std::string_view(transfer.text).substr(0, gathered_.size());
  if (!transfer.text.empty() && expected != gathered_.substr(0, expected.size())) {
    Arguments::failed(transfer.mark,
                      fmt::format("it read \"{}\", not \"{}\"", gathered_, transfer.text));
  }
  const bool is_whole = (transfer.flags & MSG_TRUNC) != 0 && got && got->full_bytes > got->bytes;
  return Returned{static_cast<std::int64_t>(is_whole ? got->full_bytes : gathered_.size()),
                  std::nullopt, false};
}

// struct sock_extended_err about sends with MSG_ZEROCOPY: which, first and last.
void SystemCalls::check_completion(const Expression& control, const Copies::Range& taken) {
  const Expression* data = Arguments::field(Arguments::first_of(control), "cmsg_data");
  if (data == nullptr || data->kind != Kind::structure) return;
  const std::pair<std::string_view, std::int64_t> fields[] = {
      {"ee_errno", 0},          {"ee_origin", origin_zerocopy}, {"ee_type", 0},
      {"ee_code", code_copied}, {"ee_info", taken.low},         {"ee_data", taken.high}};
  for (const auto& [name, value] : fields) {
    const std::int64_t said = Arguments::field_number(*data, name, value);
    if (said != value)
      Arguments::failed(data->mark, fmt::format("{} is {}, not {}", name, value, said));
  }
}

// A file that a command of the script has made, of zeros.
SystemCalls::Answer SystemCalls::open_file(const Arguments& a) {
  a.expect_count(2, 3);
  const auto found = setup_.files.find(a.at(0).text);
  if (found == setup_.files.end()) return failed(Errno::no_such_entry);
  Descriptor descriptor;
  descriptor.file_bytes = found->second;
  opened(descriptor);
  return Returned{0, std::nullopt, true};
}

// sendfile(4, 5, [0], 1000): from the offset that is given, or where the file stands.
SystemCalls::Answer SystemCalls::send_file(const Arguments& a) {
  a.expect_count(4, 4);
  Descriptor* const file = find(a.number(1));
  if (file == nullptr) return failed(Errno::bad_descriptor);
  if (!file->file_bytes) return failed(Errno::invalid);
  const bool has_offset = a.at(2).kind == Kind::list;
  const std::uint64_t from =
      has_offset ? static_cast<std::uint64_t>(std::max<std::int64_t>(a.pointed(2), 0))
                 : file->file_at;
  const std::uint64_t left = *file->file_bytes > from ? *file->file_bytes - from : 0;
  Transfer transfer;
  transfer.descriptor = a.number(0);
  transfer.mark = a.mark();
  transfer.bytes = std::min<std::size_t>(left, size_of(a.number(3), a.at(3).mark));
  const Answer answer = transfer_out(transfer);
  if (answer && !answer->error && !has_offset)
    file->file_at += static_cast<std::uint64_t>(answer->value);
  return answer;
}

SystemCalls::Answer SystemCalls::receive(const Arguments& a) {
  a.expect_count(3, 6);
  Transfer transfer;
  transfer.descriptor = a.number(0);
  transfer.mark = a.mark();
  transfer.bytes = size_of(a.number(2), a.at(2).mark);
  if (a.at(1).kind == Kind::text) transfer.text = a.at(1).text;
  if (is_nowhere(a.at(1)) && transfer.bytes > 0) return failed(Errno::bad_address);
  transfer.flags = a.number_or(3, 0);
  Answer answer = transfer_in(transfer);
  const bool checks_peer =
      answer && !answer->error && a.name() == "recvfrom" && a.at(4).kind == Kind::structure;
  if (checks_peer) {
    const Endpoint expected = socket_address(a.at(4)).endpoint;
    const Endpoint& peer = transfer.received.facts.peer;
    if (expected.address != peer.address || expected.port != peer.port) {
      Arguments::failed(a.at(4).mark, fmt::format("the datagram came from {}", to_text(peer)));
    }
  }
  return answer;
}

SystemCalls::Answer SystemCalls::receive_vector(const Arguments& a) {
  Transfer transfer = of_vectors(a);
  return transfer_in(transfer);
}

SystemCalls::Answer SystemCalls::receive_message(const Arguments& a) {
  Transfer transfer = of_message(a);
  const Expression& message = a.at(1);
  const Answer answer = transfer_in(transfer);
  if (answer && !answer->error) check_control(message, *find(transfer.descriptor));
  return answer;
}

// What came beside the data: how much more waits (TCP_INQ), the only one there is.
void SystemCalls::check_control(const Expression& message, Descriptor& descriptor) {
  const Expression* control = Arguments::field(message, "msg_control");
  const auto taken = std::exchange(descriptor.copies.taken, std::nullopt);
  const auto stamp = std::exchange(descriptor.stamps.taken, std::nullopt);
  if (control == nullptr || control->items.empty()) return;
  if (taken) return check_completion(*control, *taken);
  if (stamp) return check_stamp(*control, *stamp);
  const Expression& said = Arguments::first_of(*control);
  constexpr std::int64_t tcp_cm_inq = 36;
  const bool is_queue = Arguments::field_number(said, "cmsg_level", 0) == IPPROTO_TCP &&
                        Arguments::field_number(said, "cmsg_type", 0) == tcp_cm_inq;
  if (!is_queue || control->items.size() > 1) {
    Arguments::unsupported(control->mark, "only TCP_CM_INQ is supported in msg_control");
  }
  if (!descriptor.tells_queue) Arguments::failed(control->mark, "no control message came");
  // Linux: an end of the stream that waits counts as one byte.
  auto waits = static_cast<std::int64_t>(sockets_.readable_bytes(descriptor.handle));
  if (waits == 0 && sockets_.readiness(descriptor.handle).read_closed) waits = 1;
  const std::int64_t expected = Arguments::field_number(said, "cmsg_data", waits);
  if (expected != waits) {
    Arguments::failed(control->mark, fmt::format("{} bytes wait, not {}", waits, expected));
  }
}

}  // namespace lanyard::lab::drill
