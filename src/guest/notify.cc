// SPDX-License-Identifier: Apache-2.0
#include "guest/notify.hh"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>

#include "guest/probe.hh"

namespace lanyard::guest {

bool Listener::receive(Call& call) {
  // A call that has vanished since leaves its count behind, and RECV says ENOENT.
  seccomp_notif notification{};
  if (ioctl(descriptor_.get(), SECCOMP_IOCTL_NOTIF_RECV, &notification) != 0) return false;
  call.listener = this;
  call.id = notification.id;
  call.thread = static_cast<pid_t>(notification.pid);
  call.number = notification.data.nr;
  std::copy_n(notification.data.args, call.arguments.size(), call.arguments.begin());
  return true;
}

bool Listener::is_waiting(const Call& call) const {
  std::uint64_t id = call.id;
  return ioctl(descriptor_.get(), SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

bool Listener::reply(const Call& call, std::int64_t value) {
  seccomp_notif_resp response{};
  response.id = call.id;
  if (value < 0) {
    response.error = static_cast<std::int32_t>(value);
  } else {
    response.val = value;
  }
  return ioctl(descriptor_.get(), SECCOMP_IOCTL_NOTIF_SEND, &response) == 0;
}

bool Listener::let_run(const Call& call) {
  seccomp_notif_resp response{};
  response.id = call.id;
  response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  return ioctl(descriptor_.get(), SECCOMP_IOCTL_NOTIF_SEND, &response) == 0;
}

bool Listener::reply_descriptor(const Call& call, int descriptor, bool closes_on_exec) {
  const bool answers_too = features().addfd_send;
  seccomp_notif_addfd add{};
  add.id = call.id;
  add.flags = answers_too ? SECCOMP_ADDFD_FLAG_SEND : 0;
  add.srcfd = static_cast<std::uint32_t>(descriptor);
  add.newfd_flags = closes_on_exec ? O_CLOEXEC : 0;
  const int number = ioctl(descriptor_.get(), SECCOMP_IOCTL_NOTIF_ADDFD, &add);
  if (number >= 0) return answers_too || reply(call, number);
  // Its table may be full (EMFILE): that is the program's to know.
  if (errno != ENOENT) reply(call, -errno);
  return false;
}

bool Listener::replace_descriptor(const Call& call, int number, int descriptor,
                                  bool closes_on_exec) {
  seccomp_notif_addfd add{};
  add.id = call.id;
  add.flags = SECCOMP_ADDFD_FLAG_SETFD;
  add.srcfd = static_cast<std::uint32_t>(descriptor);
  add.newfd = static_cast<std::uint32_t>(number);
  add.newfd_flags = closes_on_exec ? O_CLOEXEC : 0;
  return ioctl(descriptor_.get(), SECCOMP_IOCTL_NOTIF_ADDFD, &add) >= 0;
}

}  // namespace lanyard::guest
