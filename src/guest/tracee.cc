// SPDX-License-Identifier: Apache-2.0
#include "guest/tracee.hh"

#include <fmt/format.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "guest/kernel.hh"
#include "guest/probe.hh"

namespace lanyard::guest {

namespace {

constexpr std::size_t handles_max = 1024;
constexpr std::size_t page_bytes = 4096;

// The addresses are the program's, not ours.
void* foreign(std::uint64_t address) {
  return std::bit_cast<void*>(address);
}

std::uint64_t field_of_status(std::istream& status, const std::string& name, int base) {
  status.clear();
  status.seekg(0);
  for (std::string line; std::getline(status, line);) {
    if (line.compare(0, name.size(), name) == 0)
      return std::strtoull(line.c_str() + name.size(), nullptr, base);
  }
  return 0;
}

}  // namespace

bool read_memory(pid_t thread, std::uint64_t from, void* to, std::size_t size) {
  const iovec local{to, size};
  const iovec remote{foreign(from), size};
  return size == 0 ||
         process_vm_readv(thread, &local, 1, &remote, 1, 0) == static_cast<ssize_t>(size);
}

bool write_memory(pid_t thread, std::uint64_t to, const void* from, std::size_t size) {
  const iovec local{const_cast<void*>(from), size};
  const iovec remote{foreign(to), size};
  return size == 0 ||
         process_vm_writev(thread, &local, 1, &remote, 1, 0) == static_cast<ssize_t>(size);
}

std::string read_text(pid_t thread, std::uint64_t from) {
  std::string text;
  while (text.size() < page_bytes) {
    // Never across a page: the next one may not be there.
    char part[page_bytes];
    const std::size_t size = std::min(page_bytes - from % page_bytes, page_bytes - text.size());
    if (!read_memory(thread, from, part, size)) return {};
    const void* end = std::memchr(part, 0, size);
    if (end != nullptr) return text + part;
    text.append(part, size);
    from += size;
  }
  return {};
}

bool is_polling(pid_t thread) {
  std::ifstream file("/proc/" + std::to_string(thread) + "/syscall");
  std::string word;
  if (!(file >> word)) return true;
  for (const long number : {
#if defined(__x86_64__)
         __NR_poll, __NR_select, __NR_epoll_wait,
#endif
             __NR_ppoll, __NR_pselect6, __NR_epoll_pwait, __NR_epoll_pwait2
       }) {
    if (word == std::to_string(number)) return true;
  }
  return false;
}

bool has_signal_waiting(pid_t thread) {
  std::ifstream status(fmt::format("/proc/{}/status", thread));
  if (!status) return true;  // gone: any answer will do
  constexpr int hexadecimal = 16;
  const std::uint64_t pending = field_of_status(status, "SigPnd:", hexadecimal) |
                                field_of_status(status, "ShdPnd:", hexadecimal);
  if (pending == 0) return false;
  const std::uint64_t kept_away = field_of_status(status, "SigBlk:", hexadecimal) |
                                  field_of_status(status, "SigIgn:", hexadecimal);
  // A caught or a default one; of the latter those that do nothing (SIGCHLD, SIGURG, SIGWINCH,
  // SIGCONT) are thrown away when sent, and restart the call unseen if they are not.
  return (pending & ~kept_away) != 0;
}

int DescriptorFetcher::handle_of(pid_t thread) {
  const auto found = handles_.find(thread);
  if (found != handles_.end()) return found->second.get();
  int handle = -1;
  if (features().pidfd_thread)
    handle = static_cast<int>(syscall(SYS_pidfd_open, thread, kernel::pidfd_thread));
  if (handle < 0) handle = static_cast<int>(syscall(SYS_pidfd_open, thread, 0));
  if (handle < 0) {
    // Before 6.9 only a leader has a handle. Threads share their descriptors, but for the few
    // programs that take care not to.
    std::ifstream status(fmt::format("/proc/{}/status", thread));
    const auto leader = static_cast<pid_t>(field_of_status(status, "Tgid:", 10));
    handle = leader > 0 ? static_cast<int>(syscall(SYS_pidfd_open, leader, 0)) : -1;
  }
  if (handle < 0) return -1;
  if (handles_.size() >= handles_max) handles_.clear();
  handles_.emplace(thread, Descriptor(handle));
  return handle;
}

Descriptor DescriptorFetcher::fetch(pid_t thread, int number) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    const int handle = handle_of(thread);
    if (handle < 0) return {};
    Descriptor copy(static_cast<int>(syscall(SYS_pidfd_getfd, handle, number, 0)));
    if (copy.is_open() || errno == EBADF) return copy;
    handles_.erase(thread);
  }
  return {};
}

}  // namespace lanyard::guest
