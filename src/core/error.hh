// SPDX-License-Identifier: Apache-2.0
// Errors as the errno values of Linux, so that a guest's call, an in-process program and a test see
// the same number.
#pragma once

#include <cerrno>
#include <expected>
#include <string_view>

namespace lanyard {

// The values are Linux's own (errno(3)); the names are spelled out, since <cerrno>'s are macros.
enum class Errno : int {
  not_permitted = EPERM,
  no_such_entry = ENOENT,
  interrupted = EINTR,
  bad_descriptor = EBADF,
  try_again = EAGAIN,  // also EWOULDBLOCK
  no_memory = ENOMEM,
  access_denied = EACCES,
  bad_address = EFAULT,
  busy = EBUSY,
  no_such_device = ENODEV,
  invalid = EINVAL,
  too_many_files = EMFILE,
  broken_pipe = EPIPE,
  out_of_range = ERANGE,
  out_of_domain = EDOM,
  not_a_socket = ENOTSOCK,
  destination_required = EDESTADDRREQ,
  message_too_long = EMSGSIZE,
  wrong_protocol_type = EPROTOTYPE,
  no_such_option = ENOPROTOOPT,
  protocol_not_supported = EPROTONOSUPPORT,
  socket_type_not_supported = ESOCKTNOSUPPORT,
  not_supported = EOPNOTSUPP,
  family_not_supported = EAFNOSUPPORT,
  address_in_use = EADDRINUSE,
  address_not_available = EADDRNOTAVAIL,
  network_down = ENETDOWN,
  network_unreachable = ENETUNREACH,
  connection_aborted = ECONNABORTED,
  connection_reset = ECONNRESET,
  no_buffer_space = ENOBUFS,
  already_connected = EISCONN,
  not_connected = ENOTCONN,
  shut_down = ESHUTDOWN,
  timed_out = ETIMEDOUT,
  connection_refused = ECONNREFUSED,
  host_down = EHOSTDOWN,
  host_unreachable = EHOSTUNREACH,
  already_in_progress = EALREADY,
  in_progress = EINPROGRESS,
  protocol_error = EPROTO,
  no_data = ENODATA,
  operation_canceled = ECANCELED,
};

template <typename T>
using Result = std::expected<T, Errno>;

using std::unexpected;

// The C name ("ECONNREFUSED") and the sentence a person reads ("Connection refused").
[[nodiscard]] std::string_view errno_name(Errno error);
[[nodiscard]] std::string_view errno_text(Errno error);

}  // namespace lanyard
