// SPDX-License-Identifier: Apache-2.0
// A machine of ours beside the kernel, in real time: it is 10.9.0.2 on the TAP that it makes,
// answers ping, and gives back what is sent to port 7, each conversation by a task that calls
// blocking sockets. Without root, in a network namespace:
//   unshare -rn sh -c 'on_a_tap lanyard0 & sleep 1; ip addr add 10.9.0.1/24 dev lanyard0;
//                      ip link set lanyard0 up; ping -c 3 10.9.0.2'
#include <cstdio>
#include <string>

#include "device/event_loop.hh"
#include "device/stack_driver.hh"
#include "device/tap.hh"
#include "socket/process.hh"

using namespace lanyard;

namespace {

// What blocking sockets need to know of the program that calls them.
class Program final : public socket::Process {
 public:
  explicit Program(stack::Stack& stack) : sockets_(stack) {}
  socket::Sockets& sockets() override { return sockets_; }
  Tasks& tasks() override { return tasks_; }
  const socket::Names& names() override { return names_; }
  RandomStream& random() override { return random_; }
  void print(int descriptor, std::string_view text) override {
    std::fwrite(text.data(), 1, text.size(), descriptor == 2 ? stderr : stdout);
  }
  void spawn(std::function<void(Process&)> body) override {
    tasks_.spawn([this, body = std::move(body)] { body(*this); });
  }

 private:
  socket::Sockets sockets_;
  socket::Names names_;
  RandomStream random_ = Seed(1).stream();
  Tasks tasks_;  // ends first: its tasks have sockets
};

void serve(socket::Process& process) {
  socket::Socket listener(process, Family::ipv4, socket::Type::stream);
  if (!listener.bind({IpAddress::any(Family::ipv4), 7}) || !listener.listen(16)) return;
  process.print(1, "10.9.0.2 listens on port 7\n");
  std::fflush(stdout);
  for (;;) {
    auto peer = listener.accept();
    if (!peer) return;
    process.spawn([handle = peer->release()](socket::Process& own) {
      socket::Socket conversation(own, handle);
      for (auto text = conversation.recv(4096); text && !text->empty();
           text = conversation.recv(4096)) {
        if (!conversation.send(*text)) return;
      }
    });
  }
}

}  // namespace

int main(int count, char** arguments) {
  auto tap = device::Tap::open(count > 1 ? arguments[1] : "");
  if (!tap) {
    std::fprintf(stderr, "on_a_tap: %s\n", tap.error().c_str());
    return 1;
  }
  const device::DeviceAbilities abilities = (*tap)->abilities();
  device::EventLoop loop;
  stack::Stack machine({}, Seed(1), 1, nullptr);
  const std::uint32_t interface =
      machine.add_interface({.mac = {{2, 0, 0, 0, 0, 2}},
                             .takes_checksums = abilities.takes_checksums,
                             .super_segment_bytes_max = abilities.super_segment_bytes_max});
  machine.add_address(loop.now(), interface, {IpAddress::v4(10, 9, 0, 2), 24});

  Program program(machine);
  device::StackDriver driver(loop, machine, interface, **tap, &program.tasks());
  program.spawn(serve);
  loop.drive(&driver);
  loop.run();
}
