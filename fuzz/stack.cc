// SPDX-License-Identifier: Apache-2.0
// A whole machine under any sequence of frames, socket calls and time: nothing a wire, a program or
// a clock does may break one of our own rules (CHECK, sanitizers).
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "stack/stack.hh"
#include "transport/tcp/tcp.hh"
#include "transport/udp.hh"

namespace {

using namespace lanyard;

// The input, read as numbers and runs of bytes; zeroes when it has ended.
class Input {
 public:
  explicit Input(Bytes bytes) : bytes_(bytes) {}
  [[nodiscard]] bool is_empty() const { return bytes_.empty(); }
  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const std::uint8_t value = bytes_[0];
    bytes_ = bytes_.subspan(1);
    return value;
  }
  std::uint16_t number() {
    const auto high = static_cast<std::uint16_t>(byte() << 8);
    return static_cast<std::uint16_t>(high | byte());
  }
  Bytes run(std::size_t size) {
    const Bytes taken = bytes_.first(std::min(size, bytes_.size()));
    bytes_ = bytes_.subspan(taken.size());
    return taken;
  }

 private:
  Bytes bytes_;
};

const MacAddress own_mac{{2, 0, 0, 0, 0, 1}};
const MacAddress peer_mac{{2, 0, 0, 0, 0, 9}};

class Machine {
 public:
  explicit Machine(bool forwards) : stack_(config(forwards), Seed(1), 0, nullptr) {
    for (int i = 0; i < 2; ++i) {
      stack::InterfaceConfig interface;
      interface.name = "eth" + std::to_string(i);
      interface.mac = own_mac;
      interface.advertises = true;
      stack_.add_interface(interface);
      const auto prefix = [&](const char* text) { return *IpPrefix::parse(text); };
      stack_.add_address(now_, 2 + static_cast<std::uint32_t>(i),
                         prefix(i == 0 ? "10.0.0.1/24" : "10.0.1.1/24"));
      stack_.add_address(now_, 2 + static_cast<std::uint32_t>(i),
                         prefix(i == 0 ? "2001:db8::1/64" : "2001:db8:1::1/64"));
    }
    transport::BindRequest request;
    request.local = {IpAddress::any(Family::ipv6), 80, 0};
    const auto binding = stack_.tcp().bind(request);
    listener_ = *stack_.tcp().listen(*binding, 4, stack_.tcp().default_settings(), 1);
    request.local.port = 7;
    socket_ = stack_.udp().open(Family::ipv6, 1);
    static_cast<void>(stack_.udp().bind(socket_, request));
  }

  void step(Input& input) {
    switch (input.byte() % 10) {
      case 0:
      case 1:
        return frame(input, 0);
      case 2:
        return frame(input, 0x0800);
      case 3:
        return frame(input, 0x86dd);
      case 4:
        return frame(input, 0x0806);
      case 5:
        return pass(Duration::milliseconds(input.number()));
      case 6:
        return call_tcp(input);
      case 7:
        return call_udp(input);
      case 8:
        return reflect();
      case 9:
        return configure(input);
    }
  }

 private:
  static stack::Config config(bool forwards) {
    stack::Config config;
    config.internet.forwarding = forwards;
    config.transport.send_buffer_bytes = 65536;
    config.transport.receive_buffer_bytes = 65536;
    return config;
  }
  // A frame as it stands, or with the Ethernet header made for it.
  void frame(Input& input, std::uint16_t type) {
    const std::uint32_t interface = 2 + input.byte() % 2U;
    const Bytes bytes = input.run(input.number() % 1600);
    Packet packet = Packet::copy_of(bytes);
    if (type != 0) {
      std::uint8_t* header = packet.push_front(14);
      std::copy_n(own_mac.bytes.begin(), 6, header);
      std::copy_n(peer_mac.bytes.begin(), 6, header + 6);
      store16(header + 12, type);
    }
    stack_.on_frame(now_, interface, std::move(packet));
    take();
  }
  void pass(Duration duration) {
    const Instant end = now_ + duration * 10;
    for (int i = 0; i < 100 && stack_.next_deadline() <= end; ++i) {
      now_ = std::max(now_, stack_.next_deadline());
      stack_.poll(now_);
      take();
    }
    now_ = std::max(now_, end);
  }
  void call_tcp(Input& input) {
    tcp::Tcp& tcp = stack_.tcp();
    const std::uint8_t what = input.byte();
    if (what % 6 == 0 || connections_.empty()) {
      if (const auto accepted = tcp.accept(now_, listener_, 1)) connections_.push_back(*accepted);
      tcp::Open open;
      open.remote = {IpAddress::v4(10, 0, 0, 9), 80, 0};
      if (what % 4 == 0) open.remote.address = IpAddress::v4(127, 0, 0, 1);
      open.settings = tcp.default_settings();
      if (connections_.size() < 8) {
        if (const auto opened = tcp.connect(now_, open)) connections_.push_back(*opened);
      }
    } else {
      const std::size_t which = what % connections_.size();
      const tcp::ConnectionId id = connections_[which];
      std::array<std::uint8_t, 256> buffer{};
      switch (input.byte() % 5) {
        case 0:
          static_cast<void>(tcp.send(now_, id, Bytes(buffer).first(input.byte())));
          break;
        case 1:
          static_cast<void>(tcp.receive(now_, id, buffer));
          break;
        case 2:
          static_cast<void>(tcp.shutdown_write(now_, id));
          break;
        case 3:
          tcp.close(now_, id);
          connections_.erase(connections_.begin() + static_cast<std::ptrdiff_t>(which));
          break;
        default:
          tcp.abort(now_, id);
          connections_.erase(connections_.begin() + static_cast<std::ptrdiff_t>(which));
          break;
      }
    }
    stack_.flush(now_);
    take();
  }
  void call_udp(Input& input) {
    std::array<std::uint8_t, 4000> buffer{};
    udp::SendFacts facts;
    facts.remote = {input.byte() % 2 == 0 ? IpAddress::v4(10, 0, 0, 9) : IpAddress::v4(10, 0, 1, 9),
                    7, 0};
    static_cast<void>(
        stack_.udp().send(now_, socket_, Bytes(buffer).first(input.number() % 4000), facts));
    static_cast<void>(stack_.udp().receive(socket_, buffer));
    stack_.flush(now_);
    take();
  }
  // What the machine sent comes back to it, as from a mirror.
  void reflect() {
    std::vector<std::vector<std::uint8_t>> frames;
    frames.swap(sent_);
    for (const auto& bytes : frames) {
      Packet packet = Packet::copy_of(bytes);
      const MutableBytes front = packet.mutable_front();
      if (front.size() >= 12) {
        std::copy_n(own_mac.bytes.begin(), 6, front.begin());
        std::copy_n(peer_mac.bytes.begin(), 6, front.begin() + 6);
      }
      stack_.on_frame(now_, 2, std::move(packet));
    }
    take();
  }
  void configure(Input& input) {
    const std::uint32_t interface = 2 + input.byte() % 2U;
    const IpAddress address = IpAddress::v4(10, 0, input.byte() % 4, input.byte());
    switch (input.byte() % 5) {
      case 0:
        stack_.add_address(now_, interface, {address, 24});
        break;
      case 1:
        stack_.remove_address(now_, interface, address);
        break;
      case 2:
        stack_.add_route({{address, static_cast<std::uint8_t>(input.byte() % 33)},
                          IpAddress::v4(10, 0, 0, 9),
                          interface,
                          0});
        break;
      case 3:
        stack_.set_link_up(now_, interface, input.byte() % 2 == 0);
        break;
      default:
        static_cast<void>(stack_.join_group(now_, interface, IpAddress::v4(239, 0, 0, 1)));
        break;
    }
    take();
  }
  void take() {
    while (auto out = stack_.take_frame()) {
      if (sent_.size() >= 32) continue;
      sent_.emplace_back(out->frame.size());
      out->frame.copy_to(0, sent_.back());
    }
  }

  Instant now_ = Instant::at_ns(1'000'000'000);
  stack::Stack stack_;
  tcp::ListenerId listener_{};
  udp::SocketId socket_{};
  std::vector<tcp::ConnectionId> connections_;
  std::vector<std::vector<std::uint8_t>> sent_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input({data, size});
  Machine machine(input.byte() % 2 == 1);
  while (!input.is_empty()) machine.step(input);
  return 0;
}
