// SPDX-License-Identifier: Apache-2.0
// One host of ours in real time on a frame device, with in-process programs, beside commands that
// run on the kernel's side.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/task.hh"
#include "device/event_loop.hh"
#include "device/frame_device.hh"
#include "device/stack_driver.hh"
#include "socket/process.hh"
#include "socket/sockets.hh"
#include "stack/stack.hh"

namespace lanyard::device_kernel {

// 10.9.0.2 and fd09::2; the kernel is 10.9.0.1 and fd09::1.
class LiveHost {
 public:
  explicit LiveHost(device::FrameDevice& device);
  ~LiveHost();

  // Starts a program; run_* lets it go on. A test of one program waits with run_program.
  void start(std::function<void(socket::Process&)> body);
  void start(const std::string& program, std::vector<std::string> arguments);
  // Runs a program to its end, and returns its exit status.
  int run_program(const std::string& program, std::vector<std::string> arguments);
  void run_program(std::function<void(socket::Process&)> body);
  // Runs a command on the kernel's side to its end, our host going on beside it; its exit status.
  int run_command(const std::string& command);
  // Starts a command on the kernel's side; it is killed when the test ends.
  void start_command(const std::string& command);

  [[nodiscard]] stack::Stack& stack() { return stack_; }
  // What programs printed.
  [[nodiscard]] const std::string& output() const { return output_; }
  [[nodiscard]] const std::string& errors() const { return errors_; }

 private:
  class LiveProcess;
  void run(const char* what);
  device::EventLoop loop_;
  stack::Stack stack_;
  std::uint32_t interface_;
  socket::Sockets sockets_;
  std::unique_ptr<LiveProcess> process_;
  Tasks tasks_;
  device::StackDriver driver_;
  std::string output_, errors_;
  std::vector<int> children_;
};

}  // namespace lanyard::device_kernel
