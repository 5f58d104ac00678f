// SPDX-License-Identifier: Apache-2.0
#include "guest/buffers.hh"

#include <algorithm>
#include <bit>

#include "guest/tracee.hh"

namespace lanyard::guest {

namespace {

constexpr std::size_t parts_max = 1024;  // UIO_MAXIOV

std::uint64_t address_of(const void* pointer) {
  return std::bit_cast<std::uint64_t>(pointer);
}

}  // namespace

Result<Buffers> read_header(pid_t thread, std::uint64_t from) {
  msghdr header{};
  if (!read_value(thread, from, header)) return unexpected(Errno::bad_address);
  if (header.msg_iovlen > parts_max) return unexpected(Errno::message_too_long);
  Buffers buffers;
  buffers.header_at = from;
  buffers.parts.resize(header.msg_iovlen);
  if (!read_memory(thread, address_of(header.msg_iov), buffers.parts.data(),
                   buffers.parts.size() * sizeof(iovec)))
    return unexpected(Errno::bad_address);
  buffers.name_at = address_of(header.msg_name);
  buffers.name_size = header.msg_namelen;
  buffers.control_at = address_of(header.msg_control);
  buffers.control_size = header.msg_controllen;
  return buffers;
}

bool gather(pid_t thread, const std::vector<iovec>& parts, MutableBytes to, std::size_t& size) {
  size = 0;
  for (const iovec& part : parts) {
    const std::size_t take = std::min(part.iov_len, to.size() - size);
    if (!read_memory(thread, address_of(part.iov_base), to.data() + size, take)) return false;
    size += take;
  }
  return true;
}

bool scatter(pid_t thread, const std::vector<iovec>& parts, Bytes from) {
  for (const iovec& part : parts) {
    if (from.empty()) return true;
    const std::size_t give = std::min(part.iov_len, from.size());
    if (!write_memory(thread, address_of(part.iov_base), from.data(), give)) return false;
    from = from.subspan(give);
  }
  return true;
}

}  // namespace lanyard::guest
