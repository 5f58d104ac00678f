// SPDX-License-Identifier: Apache-2.0
// One table says which fields a row has; writing and reading go through it alike.
#include <algorithm>

#include "lab/replay/input.hh"

namespace lanyard::lab {
namespace {

using socket::CallKind;
using socket::Option;
using socket::OptionValue;

enum Field : unsigned {
  time = 1,
  whom = 2,
  a_call = 4,  // boot, kind, socket, result
  one = 8,
  two = 16,
  three = 32,
  some_bytes = 64,
  an_endpoint = 128,
  some_facts = 256,
  a_value = 512,
  unknown = 1024,
};

constexpr std::uint64_t bytes_max = 64U << 20;
constexpr std::int64_t room_max = 64 << 20;
constexpr Instant latest = Instant::at_ns(std::int64_t{1} << 61);  // 73 years

unsigned fields_of(InputKind kind) {
  switch (kind) {
    case InputKind::began:
      return one;
    case InputKind::turn:
      return time;
    case InputKind::call:
      return whom | a_call;
    case InputKind::touch:
    case InputKind::look:
      return whom;
    case InputKind::output:
      return whom | one | some_bytes;
    case InputKind::exited:
      return whom | one | two;
    case InputKind::frame:
      return whom | one | two | three | some_bytes;
    case InputKind::act:
    case InputKind::lost:
      return some_bytes;
    case InputKind::start:
      return whom | one | some_bytes;
    case InputKind::signal:
      return whom | one;
    case InputKind::end:
    case InputKind::stop:
    case InputKind::saved:
      return 0;
    case InputKind::launched:
    case InputKind::hosted:
      return whom | some_bytes;
  }
  return unknown;
}

// In addition to those of every call.
unsigned fields_of(CallKind call) {
  switch (call) {
    case CallKind::open:
      return one | two | three;
    case CallKind::bind:
      return an_endpoint;
    case CallKind::listen:
      return time | one;
    case CallKind::accept:
    case CallKind::disconnect:
    case CallKind::close:
      return time;
    case CallKind::connect:
      return time | an_endpoint;
    case CallKind::shutdown:
      return time | one;
    case CallKind::send:
      return time | one | some_bytes;
    case CallKind::receive:
    case CallKind::receive_from:
      return time | one | two;
    case CallKind::send_to:
      return time | some_bytes | some_facts;
    case CallKind::take_error:
      return 0;
    case CallKind::set_option:
      return time | one | a_value;
    case CallKind::get_option:
      return time | one;
  }
  return unknown;
}

class Writer {
 public:
  explicit Writer(std::vector<std::uint8_t>& to) : to_(to) {}
  void number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) to_.push_back(static_cast<std::uint8_t>(value | 0x80));
    to_.push_back(static_cast<std::uint8_t>(value));
  }
  void signed_number(std::int64_t value) {
    number(static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63));
  }
  void bytes(Bytes bytes) {
    number(bytes.size());
    to_.insert(to_.end(), bytes.begin(), bytes.end());
  }
  void address(const IpAddress& address) { bytes(address.wire_bytes()); }
  void endpoint(const Endpoint& endpoint) {
    address(endpoint.address);
    number(endpoint.port);
    number(endpoint.interface);
  }
  void facts(const socket::DatagramFacts& facts) {
    endpoint(facts.peer);
    address(facts.local);
    number(facts.interface);
    signed_number(facts.hop_limit);
    signed_number(facts.traffic_class);
  }
  void value(const OptionValue& value) {
    number(value.index());
    if (const auto* integer = std::get_if<std::int64_t>(&value)) signed_number(*integer);
    if (const auto* text = std::get_if<std::string>(&value)) bytes(bytes_of(*text));
    if (const auto* linger = std::get_if<socket::Linger>(&value)) {
      number(linger->is_on ? 1 : 0);
      signed_number(linger->timeout.count_ns());
    }
    if (const auto* group = std::get_if<socket::Group>(&value)) {
      address(group->group);
      address(group->source_interface);
      number(group->interface);
    }
  }

 private:
  std::vector<std::uint8_t>& to_;
};

// After the first thing that is not there, or is not right, everything is 0 and is_good() is false.
class Reader {
 public:
  explicit Reader(Bytes bytes) : rest_(bytes) {}
  [[nodiscard]] bool is_good() const { return is_good_; }
  [[nodiscard]] std::size_t left() const { return rest_.size(); }
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const Bytes byte = take(1);
      if (byte.empty()) return 0;
      // The tenth byte has one bit to give.
      if (shift == 63 && byte[0] > 1) break;
      value |= static_cast<std::uint64_t>(byte[0] & 0x7f) << shift;
      if ((byte[0] & 0x80) == 0) return value;
    }
    return fail();
  }
  template <typename T>
  T number_of(std::uint64_t largest) {
    const std::uint64_t value = number();
    return static_cast<T>(value > largest ? fail() : value);
  }
  std::int64_t signed_number() {
    const std::uint64_t value = number();
    return static_cast<std::int64_t>(value >> 1 ^ (~(value & 1) + 1));
  }
  Bytes bytes() { return take(number_of<std::size_t>(bytes_max)); }
  IpAddress address() {
    const Bytes bytes = this->bytes();
    if (bytes.size() == 4) return IpAddress::from_v4_bytes(bytes.data());
    if (bytes.size() == 16) return IpAddress::from_v6_bytes(bytes.data());
    fail();
    return {};
  }
  Endpoint endpoint() {
    Endpoint endpoint;
    endpoint.address = address();
    endpoint.port = number_of<Port>(0xffff);
    endpoint.interface = number_of<std::uint32_t>(0xffffffff);
    return endpoint;
  }
  socket::DatagramFacts facts() {
    socket::DatagramFacts facts;
    facts.peer = endpoint();
    facts.local = address();
    facts.interface = number_of<std::uint32_t>(0xffffffff);
    facts.hop_limit = small();
    facts.traffic_class = small();
    return facts;
  }
  OptionValue value() {
    switch (number()) {
      case 0:
        return signed_number();
      case 1: {
        const bool is_on = number_of<std::uint8_t>(1) == 1;
        return socket::Linger{is_on, Duration::nanoseconds(signed_number())};
      }
      case 2: {
        socket::Group group;
        group.group = address();
        group.source_interface = address();
        group.interface = number_of<std::uint32_t>(0xffffffff);
        return group;
      }
      case 3:
        return socket::TcpInfo{};
      case 4:
        return std::string(lanyard::text_of(bytes()));
      default:
        fail();
        return std::int64_t{0};
    }
  }

 private:
  std::uint64_t fail() {
    is_good_ = false;
    rest_ = {};
    return 0;
  }
  Bytes take(std::size_t size) {
    if (size > rest_.size()) fail();
    const Bytes taken = is_good_ ? rest_.first(size) : Bytes{};
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  std::int16_t small() {
    const std::int64_t value = signed_number();
    return static_cast<std::int16_t>(value < -1 || value > 255 ? static_cast<std::int64_t>(fail())
                                                               : value);
  }
  Bytes rest_;
  bool is_good_ = true;
};

Input read_row(Reader& reader, Instant last) {
  Input input;
  input.at = last;
  input.kind = reader.number_of<InputKind>(static_cast<std::uint64_t>(InputKind::saved));
  unsigned fields = fields_of(input.kind);
  if ((fields & whom) != 0) input.whom = reader.number_of<std::uint32_t>(0xffffffff);
  if ((fields & a_call) != 0) {
    input.boot = reader.number_of<std::uint32_t>(0xffffffff);
    input.call = reader.number_of<CallKind>(static_cast<std::uint64_t>(CallKind::get_option));
    input.socket = reader.number_of<socket::Handle>(0xffffffff);
    input.result = reader.signed_number();
    fields |= fields_of(input.call);
  }
  if ((fields & time) != 0) {
    const auto sum = static_cast<std::uint64_t>(last.count_ns()) +
                     static_cast<std::uint64_t>(reader.signed_number());
    input.at = Instant::at_ns(static_cast<std::int64_t>(sum));
  }
  for (std::size_t i = 0; i < 3; ++i)
    if ((fields & one << i) != 0) input.numbers[i] = reader.signed_number();
  if ((fields & an_endpoint) != 0) input.endpoint = reader.endpoint();
  if ((fields & some_facts) != 0) input.facts = reader.facts();
  if ((fields & a_value) != 0) input.value = reader.value();
  if ((fields & some_bytes) != 0) input.bytes = reader.bytes();
  return input;
}

std::optional<std::string> wrong_with_call(const Input& input) {
  const std::int64_t first = input.numbers[0];
  switch (input.call) {
    case CallKind::open:
      if ((first != 4 && first != 6) || input.numbers[1] < 0 || input.numbers[1] > 2 ||
          input.numbers[2] != static_cast<int>(input.numbers[2]))
        return "a socket of no known kind";
      break;
    case CallKind::listen:
      if (first != static_cast<int>(first)) return "a backlog that is no int";
      break;
    case CallKind::shutdown:
      if (first < 0 || first > 2) return "a shutdown of no known direction";
      break;
    case CallKind::receive:
    case CallKind::receive_from:
      if (input.numbers[1] < 0 || input.numbers[1] > room_max) return "a buffer of no likely size";
      break;
    case CallKind::set_option:
    case CallKind::get_option:
      if (first < 0 || first > static_cast<std::int64_t>(socket::last_option))
        return "a socket option of no known kind";
      break;
    case CallKind::bind:
    case CallKind::accept:
    case CallKind::connect:
    case CallKind::disconnect:
    case CallKind::close:
    case CallKind::send:
    case CallKind::send_to:
    case CallKind::take_error:
      break;
  }
  return std::nullopt;
}

std::optional<std::string> wrong_with(const Input& input, const RunFile& run) {
  const auto is_node = input.whom < run.nodes.size();
  if (input.at < Instant::start() || input.at > latest) return "a time that no clock shows";
  switch (input.kind) {
    case InputKind::call:
      return is_node ? wrong_with_call(input) : "a call on no node";
    case InputKind::touch:
    case InputKind::look:
    case InputKind::start:
    case InputKind::hosted:
      if (!is_node) return "an input of no node";
      break;
    case InputKind::frame:
      if (input.whom >= run.ports.size()) return "a frame into no port";
      break;
    case InputKind::turn:
    case InputKind::began:
    case InputKind::output:
    case InputKind::exited:
    case InputKind::act:
    case InputKind::signal:
    case InputKind::end:
    case InputKind::stop:
    case InputKind::launched:
    case InputKind::lost:
    case InputKind::saved:
      break;
  }
  return std::nullopt;
}

}  // namespace

void InputWriter::write(const Input& input, std::vector<std::uint8_t>& to) {
  Writer writer(to);
  unsigned fields = fields_of(input.kind);
  writer.number(static_cast<std::uint64_t>(input.kind));
  if ((fields & whom) != 0) writer.number(input.whom);
  if ((fields & a_call) != 0) {
    writer.number(input.boot);
    writer.number(static_cast<std::uint64_t>(input.call));
    writer.number(static_cast<std::uint64_t>(input.socket));
    writer.signed_number(input.result);
    fields |= fields_of(input.call);
  }
  if ((fields & time) != 0) {
    writer.signed_number(input.at.count_ns() - last_.count_ns());
    last_ = input.at;
  }
  for (std::size_t i = 0; i < 3; ++i)
    if ((fields & one << i) != 0) writer.signed_number(input.numbers[i]);
  if ((fields & an_endpoint) != 0) writer.endpoint(input.endpoint);
  if ((fields & some_facts) != 0) writer.facts(input.facts);
  if ((fields & a_value) != 0) writer.value(input.value);
  if ((fields & some_bytes) != 0) writer.bytes(input.bytes);
}

std::expected<std::optional<Input>, RunFileProblem> InputReader::next() {
  while (block_ < run_->inputs.size() && at_ == run_->inputs[block_].size) {
    ++block_;
    at_ = 0;
  }
  if (block_ == run_->inputs.size()) return std::nullopt;
  const RunInputs& block = run_->inputs[block_];
  const std::size_t offset = block.offset + at_;
  const Bytes bytes = Bytes(run_->bytes).subspan(offset, block.size - at_);
  Reader reader(bytes);
  Input input = read_row(reader, last_);
  if (!reader.is_good())
    return std::unexpected(RunFileProblem{offset, "an input that is cut short or not well-formed"});
  if (auto wrong = wrong_with(input, *run_))
    return std::unexpected(RunFileProblem{offset, std::move(*wrong)});
  row_ = bytes.first(bytes.size() - reader.left());
  at_ += row_.size();
  last_ = input.at;
  return input;
}

std::optional<RunFileProblem> inputs_problem(const RunFile& run) {
  InputReader reader(run);
  for (;;) {
    const auto input = reader.next();
    if (!input) return input.error();
    if (!*input) return std::nullopt;
    if ((*input)->kind != InputKind::lost) continue;
    const auto offset = static_cast<std::size_t>(reader.row().data() - run.bytes.data());
    return RunFileProblem{offset, std::string(lanyard::text_of((*input)->bytes))};
  }
}

}  // namespace lanyard::lab
