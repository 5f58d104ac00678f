// SPDX-License-Identifier: Apache-2.0
#include "guest/filter.hh"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <utility>

namespace lanyard::guest {

namespace {

#if defined(__x86_64__)
constexpr std::uint32_t our_architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t our_architecture = AUDIT_ARCH_AARCH64;
#else
#error "unmodified programs are served on x86-64 and aarch64"
#endif

constexpr std::uint32_t notify = SECCOMP_RET_USER_NOTIF;
constexpr std::uint32_t allow = SECCOMP_RET_ALLOW;
constexpr std::uint32_t refuse(int error) {
  return SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error);
}

// Builds straight-line programs: each rule is "if the call is N, then ... return", falling through.
class Assembler {
 public:
  void load(std::size_t offset) {
    put(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
  }
  void answer(std::uint32_t action) { put(BPF_RET | BPF_K, action); }
  // The next `count` instructions run only if the loaded word is `value`.
  void only_if_equal(std::uint32_t value, std::uint8_t count) {
    code_.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, count));
  }
  void only_if_any_bit(std::uint32_t bits, std::uint8_t count) {
    code_.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, count));
  }
  void only_if_not_equal(std::uint32_t value, std::uint8_t count) {
    code_.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, count, 0));
  }
  void keep_bits(std::uint32_t bits) { put(BPF_ALU | BPF_AND | BPF_K, bits); }

  // The loaded word must be the call's number when these begin, and is when they end.
  void answer_call(std::initializer_list<long> numbers, std::uint32_t action) {
    for (const long number : numbers) {
      only_if_equal(static_cast<std::uint32_t>(number), 1);
      answer(action);
    }
  }
  // Asks the supervisor if argument `index` is not a null pointer, in either half, or if the flags
  // in the one before it have any of these bits.
  void notify_if_given(long number, int index, std::uint32_t flags) {
    only_if_equal(static_cast<std::uint32_t>(number), 10);
    load(low_half(index - 1));
    only_if_any_bit(flags, 1);
    answer(notify);
    load(low_half(index));
    only_if_not_equal(0, 1);
    answer(notify);
    load(low_half(index) + 4);
    only_if_not_equal(0, 1);
    answer(notify);
    answer(allow);
  }
  [[nodiscard]] static std::size_t low_half(int index) {
    return offsetof(seccomp_data, args) + static_cast<std::size_t>(index) * 8;
  }
  [[nodiscard]] std::vector<sock_filter> take() { return std::move(code_); }

 private:
  void put(int code, std::uint32_t k) {
    code_.push_back(BPF_STMT(static_cast<std::uint16_t>(code), k));
  }
  std::vector<sock_filter> code_;
};

// Another architecture (int 0x80) or x32 would number calls differently: refused, all of it.
void refuse_other_architectures(Assembler& program) {
  program.load(offsetof(seccomp_data, arch));
  program.only_if_not_equal(our_architecture, 1);
  program.answer(refuse(ENOSYS));
  program.load(offsetof(seccomp_data, nr));
#if defined(__x86_64__)
  constexpr std::uint32_t x32_bit = 0x40000000;
  program.only_if_any_bit(x32_bit, 1);
  program.answer(refuse(ENOSYS));
#endif
}

// Families: 2, 10 and 17 are asked about; unix sockets stay inside the machine; netlink answers for
// the empty namespace, but for sock_diag(7), which is asked about since the sockets are ours.
// Whatever else there is (vsock, bluetooth ...) is not kept apart by a network namespace, so no
// program gets one.
void decide_socket(Assembler& program, bool without_namespaces) {
  const std::uint8_t length = without_namespaces ? 15 : 17;
  program.only_if_equal(static_cast<std::uint32_t>(__NR_socket), length);
  program.load(Assembler::low_half(0));
  program.answer_call({AF_INET, AF_INET6, AF_PACKET}, notify);
  program.answer_call({AF_UNIX}, allow);
  program.only_if_equal(AF_NETLINK, 4);
  program.load(Assembler::low_half(2));
  program.only_if_equal(NETLINK_SOCK_DIAG, 1);
  program.answer(notify);
  program.load(Assembler::low_half(0));
  if (!without_namespaces) program.answer_call({AF_NETLINK}, allow);
  program.answer(refuse(EAFNOSUPPORT));
}

// ioctl 0x8900 to 0x89ff: SIOCGIF* and friends.
void decide_ioctl(Assembler& program) {
  program.only_if_equal(static_cast<std::uint32_t>(__NR_ioctl), 5);
  program.load(Assembler::low_half(1));
  program.keep_bits(0xffffff00U);
  program.only_if_equal(0x8900, 1);
  program.answer(notify);
  program.answer(allow);
}

void pretend_ids(Assembler& program) {
  program.answer_call({__NR_setuid, __NR_setgid, __NR_setreuid, __NR_setregid, __NR_setresuid,
                       __NR_setresgid, __NR_setgroups, __NR_fchown, __NR_fchownat},
                      refuse(0));
#if defined(__x86_64__)
  program.answer_call({__NR_chown, __NR_lchown}, refuse(0));
#endif
}

void ask_about_files(Assembler& program) {
  program.answer_call({__NR_openat}, notify);
#if defined(__x86_64__)
  program.answer_call({__NR_open}, notify);
#endif
}

}  // namespace

std::vector<sock_filter> filter_program(const FilterOptions& options) {
  Assembler program;
  refuse_other_architectures(program);
  decide_socket(program, options.without_namespaces);
  program.answer_call({__NR_bind, __NR_listen, __NR_accept, __NR_accept4, __NR_connect,
                       __NR_getsockname, __NR_getpeername, __NR_setsockopt, __NR_getsockopt,
                       __NR_shutdown, __NR_sendmsg, __NR_recvmsg, __NR_sendmmsg, __NR_recvmmsg},
                      notify);
  program.notify_if_given(__NR_sendto, 4, MSG_OOB);
  program.notify_if_given(__NR_recvfrom, 4, 0);
  decide_ioctl(program);
  // IORING_OP_SOCKET and its friends would pass no filter.
  program.answer_call({__NR_io_uring_setup}, refuse(ENOSYS));
  if (options.sees_outer_processes) {
    program.answer_call(
        {__NR_ptrace, __NR_process_vm_readv, __NR_process_vm_writev, __NR_pidfd_getfd, __NR_setns},
        refuse(EPERM));
  }
  if (options.pretends_ids) pretend_ids(program);
  if (options.without_namespaces) ask_about_files(program);
  program.answer(allow);
  return program.take();
}

std::expected<Descriptor, int> install_filter(const FilterOptions& options, bool wait_killable) {
  std::vector<sock_filter> code = filter_program(options);
  const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
  if (wait_killable) flags |= SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
  const long listener = syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
  if (listener < 0) return std::unexpected(errno);
  return Descriptor(static_cast<int>(listener));
}

}  // namespace lanyard::guest
