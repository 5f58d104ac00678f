// SPDX-License-Identifier: Apache-2.0
// Kernel numbers newer than Debian 12's headers, each with the kernel that brought it.
#pragma once

#include <linux/seccomp.h>
#include <sys/ioctl.h>

namespace lanyard::guest::kernel {

// 6.6: wake the supervisor on the CPU of the caller, and back (85 to 3.3 microseconds across CPUs).
inline constexpr unsigned long notif_set_flags = SECCOMP_IOW(4, __u64);
inline constexpr unsigned long notif_fd_sync_wake_up = 1;
// 6.9: pidfd_open of a thread that is not the leader of its group (its value is O_EXCL).
inline constexpr unsigned int pidfd_thread = 0200;
// What a held call is answered with when a signal is waiting: the kernel then restarts it or gives
// EINTR, as the handler asks. Not in userland's errno.h, since programs never see it.
inline constexpr int restart_system_call = 512;

}  // namespace lanyard::guest::kernel
