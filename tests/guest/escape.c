// SPDX-License-Identifier: Apache-2.0
// Tries to reach the machine's own network from inside a virtual host, every way we know:
//   escape PORT PID NAME
// PORT: a listener on the machine's 127.0.0.1; PID: a process outside; NAME: an abstract unix
// socket outside. Prints "REACHED: how" for each way that worked, and "done" at the end.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static struct sockaddr_in listener;
static int reached;

static void result(const char* how, int worked) {
  if (worked) {
    printf("REACHED: %s\n", how);
    reached = 1;
  } else {
    printf("%s: %s\n", how, strerror(errno));
  }
}

static int connects(int descriptor) {
  return descriptor >= 0 && connect(descriptor, (struct sockaddr*)&listener, sizeof listener) == 0;
}

static void try_sockets(void) {
  result("connect", connects(socket(AF_INET, SOCK_STREAM, 0)));
  result("connect by raw system calls",
         syscall(SYS_connect, syscall(SYS_socket, AF_INET, SOCK_STREAM, 0), &listener,
                 sizeof listener) == 0);
  int pair[2];
  result("socketpair(AF_INET)", socketpair(AF_INET, SOCK_STREAM, 0, pair) == 0);
  result("socket(AF_PACKET)", socket(AF_PACKET, SOCK_RAW, htons(3)) >= 0);
  result("socket(AF_VSOCK)", socket(40, SOCK_STREAM, 0) >= 0);
  result("socket(AF_XDP)", socket(44, SOCK_RAW, 0) >= 0);
  result("socket(AF_SMC)", socket(43, SOCK_STREAM, 0) >= 0);
  result("socket(AF_RDS)", socket(21, SOCK_SEQPACKET, 0) >= 0);
}

// Whatever families this kernel knows: only those that are kept apart may be opened.
static void try_all_families(void) {
  static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET};
  int made = 0;
  for (int family = 0; family < 64; ++family) {
    if (family == AF_UNIX || family == AF_INET || family == AF_INET6 || family == AF_NETLINK)
      continue;
    for (int i = 0; i < 4; ++i) {
      int descriptor = socket(family, types[i], 0);
      if (descriptor < 0) continue;
      ++made;
      close(descriptor);
    }
  }
  result("a socket of any other family", made > 0);
}

#if defined(__x86_64__)
// Calls numbered as 32-bit programs and x32 programs number them. A kernel without the former ends
// a program for the instruction.
static sigjmp_buf before_32;

static void no_call_32(int signal) {
  (void)signal;
  siglongjmp(before_32, 1);
}

static long call_32(long number, long a, long b, long c) {
  long value = -ENOSYS;
  struct sigaction caught = {.sa_handler = no_call_32}, old;
  sigaction(SIGSEGV, &caught, &old);
  if (sigsetjmp(before_32, 1) == 0)
    __asm__ volatile("int $0x80" : "=a"(value) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory");
  else
    value = -ENOSYS;
  sigaction(SIGSEGV, &old, NULL);
  return value;
}

static void try_other_architectures(void) {
  const long socket_32 = 359, connect_32 = 362, socketcall_32 = 102;
  long descriptor = call_32(socket_32, AF_INET, SOCK_STREAM, 0);
  errno = descriptor < 0 ? (int)-descriptor : 0;
  result("int 0x80 socket", descriptor >= 0);
  uint32_t* low = mmap((void*)0x10000000, 4096, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  if (low != MAP_FAILED) {
    low[0] = AF_INET;
    low[1] = SOCK_STREAM;
    low[2] = 0;
    long other = call_32(socketcall_32, 1, (long)low, 0);
    errno = other < 0 ? (int)-other : 0;
    result("int 0x80 socketcall", other >= 0);
    memcpy(&low[8], &listener, sizeof listener);
    long done = call_32(connect_32, descriptor, (long)&low[8], sizeof listener);
    errno = done < 0 ? (int)-done : 0;
    result("int 0x80 connect", done == 0);
  }
  result("x32 socket", syscall(0x40000000 | SYS_socket, AF_INET, SOCK_STREAM, 0) >= 0);
}
#else
static void try_other_architectures(void) {}
#endif

static void try_io_uring(void) {
  char parameters[120] = {0};
  result("io_uring_setup", syscall(SYS_io_uring_setup, 4, parameters) >= 0);
}

// Into the namespace of a process outside, or into its memory.
static void try_processes(const char* pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%s/ns/net", pid);
  int space = open(path, O_RDONLY);
  result("setns of an outer process", space >= 0 && setns(space, CLONE_NEWNET) == 0);
  result("ptrace of an outer process", ptrace(PTRACE_ATTACH, atoi(pid), 0, 0) == 0);
  int handle = (int)syscall(SYS_pidfd_open, atoi(pid), 0);
  result("pidfd_getfd of an outer process",
         handle >= 0 && syscall(SYS_pidfd_getfd, handle, 0, 0) >= 0);
  space = open("/proc/1/ns/net", O_RDONLY);
  if (space >= 0 && setns(space, CLONE_NEWNET) == 0) {
    result("connect in the namespace of process 1", connects(socket(AF_INET, SOCK_STREAM, 0)));
  }
}

static void try_abstract_name(const char* name) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "%s", name);
  socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
  int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
  result("abstract unix socket", connect(descriptor, (struct sockaddr*)&address, size) == 0);
}

// A fresh namespace of one's own is as empty as the host's.
static void try_own_namespace(void) {
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return;
  result("connect in a namespace of one's own", connects(socket(AF_INET, SOCK_STREAM, 0)));
}

int main(int count, char** arguments) {
  if (count != 4) return 2;
  listener.sin_family = AF_INET;
  listener.sin_port = htons((uint16_t)atoi(arguments[1]));
  listener.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setvbuf(stdout, NULL, _IONBF, 0);
  try_sockets();
  try_all_families();
  try_other_architectures();
  try_io_uring();
  try_processes(arguments[2]);
  try_abstract_name(arguments[3]);
  try_own_namespace();
  printf("done\n");
  return reached;
}
