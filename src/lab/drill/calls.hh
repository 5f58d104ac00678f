// SPDX-License-Identifier: Apache-2.0
// The system calls of scripts, on the sockets of one stack. A call that would block says so and is
// attempted again when something has happened; what it should return is the runner's to compare.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lab/drill/arguments.hh"
#include "lab/drill/descriptor.hh"
#include "lab/drill/setup.hh"
#include "socket/sockets.hh"

namespace lanyard::lab::drill {

class SystemCalls {
 public:
  SystemCalls(socket::Sockets& sockets, const Setup& setup);

  void begin(Instant now);  // a new call: nothing of it is done yet
  // Nothing: it blocks. Faults: a call or argument that is not known, an answer that differs from
  // what the script says of it.
  std::optional<Returned> attempt(Instant now, const CallEvent& call, Mark mark);
  // When the call that blocks gives up by itself.
  [[nodiscard]] Instant gives_up_at() const { return gives_up_at_; }
  void name_opened(std::int64_t number);  // the script's number for what the call opened

  void observe(Instant now);  // something may have been sent or acknowledged (SO_TIMESTAMPING)
  // TCP_INFO of the connection the script is about; nothing: there is none.
  [[nodiscard]] std::optional<socket::TcpInfo> info(Instant now) const;

 private:
  using Answer = std::optional<Returned>;
  using Call = Answer (SystemCalls::*)(const Arguments&);
  static const std::map<std::string_view, Call>& table();

  // calls.cc
  Answer open(const Arguments& a);
  Answer bind(const Arguments& a);
  Answer listen(const Arguments& a);
  Answer accept(const Arguments& a);
  Answer connect(const Arguments& a);
  Answer close(const Arguments& a);
  Answer shutdown(const Arguments& a);
  Answer control(const Arguments& a);     // fcntl
  Answer io_control(const Arguments& a);  // ioctl
  Answer name_of(const Arguments& a);     // getsockname, getpeername
  // calls_data.cc
  Answer send(const Arguments& a);
  Answer send_vector(const Arguments& a);
  Answer send_message(const Arguments& a);
  Answer open_file(const Arguments& a);
  Answer send_file(const Arguments& a);
  Answer make_pipe(const Arguments& a);  // calls_pipe.cc
  Answer splice(const Arguments& a);
  Answer receive(const Arguments& a);
  Answer receive_vector(const Arguments& a);
  Answer receive_message(const Arguments& a);
  Answer set_option(const Arguments& a);  // calls_options.cc
  Answer get_option(const Arguments& a);
  // calls_poll.cc
  Answer poll(const Arguments& a);
  Answer watch(const Arguments& a);       // epoll_create, epoll_create1
  Answer watch_one(const Arguments& a);   // epoll_ctl
  Answer watch_wait(const Arguments& a);  // epoll_wait
  [[nodiscard]] std::uint32_t ready_events(Descriptor& descriptor) const;
  [[nodiscard]] std::uint64_t received_bytes(const Descriptor& descriptor) const;

  struct Transfer {  // one send or receive, whatever call it came from
    std::int64_t descriptor = 0;
    std::size_t bytes = 0;
    std::string text{};  // to send, or expected; the rest is zeros, or anything
    std::int64_t flags = 0;
    std::optional<Endpoint> peer{};
    Mark mark{};
    socket::Received received{};
  };
  Answer transfer_out(Transfer& transfer);
  Answer send_out(Transfer& transfer);
  Answer transfer_in(Transfer& transfer);
  Result<socket::Received> receive_once(Descriptor& descriptor, const Transfer& transfer,
                                        MutableBytes buffer);
  [[nodiscard]] Endpoint peer_of(const Expression& expression) const;
  [[nodiscard]] static Transfer of_vectors(const Arguments& a);
  [[nodiscard]] static Transfer of_message(const Arguments& a);
  [[nodiscard]] static std::size_t vector_bytes(const Expression& list, std::string& text);

  // What MSG_ZEROCOPY says when the bytes are no longer needed.
  void settle_copies(Descriptor& descriptor) const;
  static void check_completion(const Expression& control, const Copies::Range& taken);
  Answer ask_for_stamps(const Arguments& a, Descriptor& descriptor) const;
  void check_stamp(const Expression& control, const Stamps::Told& told) const;
  [[nodiscard]] static bool is_nowhere(const Expression& buffer);
  void check_control(const Expression& message, Descriptor& descriptor);
  Descriptor* find(std::int64_t number);
  Answer blocks(const Descriptor& descriptor, std::int64_t flags, Duration timeout);
  static Answer returned(const Result<void>& result);
  static Answer failed(Errno error) { return Returned{-1, error, false}; }
  void opened(const Descriptor& descriptor) { opened_ = descriptor; }

  socket::Sockets& sockets_;
  const Setup& setup_;
  std::map<std::int64_t, Descriptor> descriptors_{};
  std::optional<Descriptor> opened_{};
  socket::Handle current_ = socket::Handle::none;  // the connection the script is about
  Instant now_, began_at_, gives_up_at_ = Instant::never();
  std::size_t sent_ = 0;        // of a blocking send that is under way
  std::int64_t said_ = -1;      // what the script says that the call returns, if a number
  bool has_connected_ = false;  // that send has begun a connection
  std::size_t early_ = 0;       // and so much went with its SYN
  std::string gathered_{};      // of a receive that waits for all
};

}  // namespace lanyard::lab::drill
