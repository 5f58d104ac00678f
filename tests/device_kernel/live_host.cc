// SPDX-License-Identifier: Apache-2.0
#include "live_host.hh"

#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include <gtest/gtest.h>

#include "application/programs.hh"

namespace lanyard::device_kernel {
namespace {

// Longer than anything here takes under a sanitizer on a busy machine.
constexpr int patience_s = 60;

stack::InterfaceConfig interface_for(const device::FrameDevice& device) {
  stack::InterfaceConfig config;
  config.mac = MacAddress{{2, 0, 0, 0, 0, 2}};
  config.takes_checksums = device.abilities().takes_checksums;
  config.super_segment_bytes_max = device.abilities().super_segment_bytes_max;
  return config;
}

int spawn_shell(const std::string& command) {
  std::string shell = "/bin/sh";
  std::string option = "-c";
  std::string text = "exec " + command;
  const std::array<char*, 4> arguments = {shell.data(), option.data(), text.data(), nullptr};
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETPGROUP);  // to be killed with what it starts
  pid_t child = -1;
  const int error =
      ::posix_spawn(&child, shell.c_str(), nullptr, &attributes, arguments.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  EXPECT_EQ(error, 0);
  return child;
}

}  // namespace

class LiveHost::LiveProcess : public socket::Process {
 public:
  explicit LiveProcess(LiveHost& host) : host_(host) { names_.host_name = "ours"; }
  socket::Sockets& sockets() override { return host_.sockets_; }
  Tasks& tasks() override { return host_.tasks_; }
  const socket::Names& names() override { return names_; }
  RandomStream& random() override { return random_; }
  void print(int descriptor, std::string_view text) override {
    (descriptor == 2 ? host_.errors_ : host_.output_) += text;
  }
  void spawn(std::function<void(Process&)> body) override {
    host_.tasks_.spawn([this, body = std::move(body)] { body(*this); });
  }

 private:
  LiveHost& host_;
  socket::Names names_;
  RandomStream random_ = Seed(1).branch("process").stream();
};

LiveHost::LiveHost(device::FrameDevice& device)
    : stack_(stack::Config{}, Seed(1), 1, nullptr),
      interface_(stack_.add_interface(interface_for(device))),
      sockets_(stack_),
      process_(std::make_unique<LiveProcess>(*this)),
      driver_(loop_, stack_, interface_, device, &tasks_) {
  stack_.add_address(loop_.now(), interface_, {IpAddress::v4(10, 9, 0, 2), 24});
  stack_.add_address(loop_.now(), interface_, {*IpAddress::parse("fd09::2"), 64});
  loop_.drive(&driver_);
}

LiveHost::~LiveHost() {
  for (const int child : children_) {
    ::kill(-child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
}

void LiveHost::start(std::function<void(socket::Process&)> body) {
  process_->spawn(std::move(body));
}

void LiveHost::start(const std::string& program, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), program);
  start([run = application::find_program(program)->run,
         arguments = std::move(arguments)](socket::Process& process) { run(process, arguments); });
}

void LiveHost::run_program(std::function<void(socket::Process&)> body) {
  start([this, body = std::move(body)](socket::Process& process) {
    body(process);
    loop_.stop();
  });
  run("a program of ours");
}

int LiveHost::run_program(const std::string& program, std::vector<std::string> arguments) {
  int status = -1;
  arguments.insert(arguments.begin(), program);
  run_program([&](socket::Process& process) {
    status = application::find_program(program)->run(process, arguments);
  });
  return status;
}

void LiveHost::start_command(const std::string& command) {
  children_.push_back(spawn_shell(command));
}

int LiveHost::run_command(const std::string& command) {
  const int child = spawn_shell(command);
  const auto ended = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
  EXPECT_GE(ended, 0);
  int status = -1;
  loop_.watch(ended, EPOLLIN, [&](std::uint32_t) {
    loop_.forget(ended);
    ::waitpid(child, &status, 0);
    loop_.stop();
  });
  run(command.c_str());
  loop_.forget(ended);
  ::close(ended);
  if (status == -1) {  // patience ended first
    ::kill(-child, SIGKILL);
    ::waitpid(child, &status, 0);
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// The loop, until somebody stops it or patience ends.
void LiveHost::run(const char* what) {
  const int alarm = ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
  itimerspec timer{};
  timer.it_value.tv_sec = patience_s;
  ::timerfd_settime(alarm, 0, &timer, nullptr);
  loop_.watch(alarm, EPOLLIN, [this, what](std::uint32_t) {
    ADD_FAILURE() << what << " did not end in " << patience_s << " s";
    loop_.stop();
  });
  loop_.run();
  loop_.forget(alarm);
  ::close(alarm);
}

}  // namespace lanyard::device_kernel
