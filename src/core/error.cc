// SPDX-License-Identifier: Apache-2.0
#include "core/error.hh"

#include <algorithm>
#include <array>

namespace lanyard {
namespace {

struct ErrnoRow {
  Errno error;
  std::string_view name;
  std::string_view text;
};

// The texts are those of strerror(3) in the C locale; our own table, so that a host's locale
// changes nothing.
constexpr std::array rows = {
    ErrnoRow{Errno::not_permitted, "EPERM", "Operation not permitted"},
    ErrnoRow{Errno::no_such_entry, "ENOENT", "No such file or directory"},
    ErrnoRow{Errno::interrupted, "EINTR", "Interrupted system call"},
    ErrnoRow{Errno::bad_descriptor, "EBADF", "Bad file descriptor"},
    ErrnoRow{Errno::try_again, "EAGAIN", "Resource temporarily unavailable"},
    ErrnoRow{Errno::no_memory, "ENOMEM", "Cannot allocate memory"},
    ErrnoRow{Errno::access_denied, "EACCES", "Permission denied"},
    ErrnoRow{Errno::bad_address, "EFAULT", "Bad address"},
    ErrnoRow{Errno::busy, "EBUSY", "Device or resource busy"},
    ErrnoRow{Errno::no_such_device, "ENODEV", "No such device"},
    ErrnoRow{Errno::invalid, "EINVAL", "Invalid argument"},
    ErrnoRow{Errno::too_many_files, "EMFILE", "Too many open files"},
    ErrnoRow{Errno::broken_pipe, "EPIPE", "Broken pipe"},
    ErrnoRow{Errno::out_of_range, "ERANGE", "Numerical result out of range"},
    ErrnoRow{Errno::out_of_domain, "EDOM", "Numerical argument out of domain"},
    ErrnoRow{Errno::not_a_socket, "ENOTSOCK", "Socket operation on non-socket"},
    ErrnoRow{Errno::destination_required, "EDESTADDRREQ", "Destination address required"},
    ErrnoRow{Errno::message_too_long, "EMSGSIZE", "Message too long"},
    ErrnoRow{Errno::wrong_protocol_type, "EPROTOTYPE", "Protocol wrong type for socket"},
    ErrnoRow{Errno::no_such_option, "ENOPROTOOPT", "Protocol not available"},
    ErrnoRow{Errno::protocol_not_supported, "EPROTONOSUPPORT", "Protocol not supported"},
    ErrnoRow{Errno::socket_type_not_supported, "ESOCKTNOSUPPORT", "Socket type not supported"},
    ErrnoRow{Errno::not_supported, "EOPNOTSUPP", "Operation not supported"},
    ErrnoRow{Errno::family_not_supported, "EAFNOSUPPORT",
             "Address family not supported by protocol"},
    ErrnoRow{Errno::address_in_use, "EADDRINUSE", "Address already in use"},
    ErrnoRow{Errno::address_not_available, "EADDRNOTAVAIL", "Cannot assign requested address"},
    ErrnoRow{Errno::network_down, "ENETDOWN", "Network is down"},
    ErrnoRow{Errno::network_unreachable, "ENETUNREACH", "Network is unreachable"},
    ErrnoRow{Errno::connection_aborted, "ECONNABORTED", "Software caused connection abort"},
    ErrnoRow{Errno::connection_reset, "ECONNRESET", "Connection reset by peer"},
    ErrnoRow{Errno::no_buffer_space, "ENOBUFS", "No buffer space available"},
    ErrnoRow{Errno::already_connected, "EISCONN", "Transport endpoint is already connected"},
    ErrnoRow{Errno::not_connected, "ENOTCONN", "Transport endpoint is not connected"},
    ErrnoRow{Errno::shut_down, "ESHUTDOWN", "Cannot send after transport endpoint shutdown"},
    ErrnoRow{Errno::timed_out, "ETIMEDOUT", "Connection timed out"},
    ErrnoRow{Errno::connection_refused, "ECONNREFUSED", "Connection refused"},
    ErrnoRow{Errno::host_down, "EHOSTDOWN", "Host is down"},
    ErrnoRow{Errno::host_unreachable, "EHOSTUNREACH", "No route to host"},
    ErrnoRow{Errno::already_in_progress, "EALREADY", "Operation already in progress"},
    ErrnoRow{Errno::in_progress, "EINPROGRESS", "Operation now in progress"},
    ErrnoRow{Errno::protocol_error, "EPROTO", "Protocol error"},
    ErrnoRow{Errno::no_data, "ENODATA", "No data available"},
    ErrnoRow{Errno::operation_canceled, "ECANCELED", "Operation canceled"},
};

constexpr ErrnoRow unknown = {Errno{0}, "E?", "Unknown error"};

const ErrnoRow& row_of(Errno error) {
  const auto* row = std::find_if(rows.begin(), rows.end(),
                                 [error](const ErrnoRow& each) { return each.error == error; });
  return row == rows.end() ? unknown : *row;
}

}  // namespace

std::string_view errno_name(Errno error) {
  return row_of(error).name;
}

std::string_view errno_text(Errno error) {
  return row_of(error).text;
}

}  // namespace lanyard
