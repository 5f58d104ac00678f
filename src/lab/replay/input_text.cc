// SPDX-License-Identifier: Apache-2.0
// Inputs as a person reads them.
#include <fmt/format.h>

#include <algorithm>

#include "core/error.hh"
#include "lab/replay/input.hh"

namespace lanyard::lab {
namespace {

using socket::CallKind;

std::string_view name_of(CallKind call) {
  switch (call) {
    case CallKind::open:
      return "socket";
    case CallKind::bind:
      return "bind";
    case CallKind::listen:
      return "listen";
    case CallKind::accept:
      return "accept";
    case CallKind::connect:
      return "connect";
    case CallKind::disconnect:
      return "disconnect";
    case CallKind::shutdown:
      return "shutdown";
    case CallKind::close:
      return "close";
    case CallKind::send:
      return "send";
    case CallKind::receive:
      return "receive";
    case CallKind::send_to:
      return "send to";
    case CallKind::receive_from:
      return "receive from";
    case CallKind::take_error:
      return "take error";
    case CallKind::set_option:
      return "set option";
    case CallKind::get_option:
      return "get option";
  }
  return "";
}

std::string arguments_of(const Input& input) {
  switch (input.call) {
    case CallKind::open:
      return fmt::format("({}, {}, {})", input.numbers[0], input.numbers[1], input.numbers[2]);
    case CallKind::bind:
    case CallKind::connect:
      return fmt::format("({}, {})", static_cast<std::uint32_t>(input.socket),
                         to_text(input.endpoint));
    case CallKind::listen:
    case CallKind::shutdown:
    case CallKind::set_option:
    case CallKind::get_option:
      return fmt::format("({}, {})", static_cast<std::uint32_t>(input.socket), input.numbers[0]);
    case CallKind::send:
      return fmt::format("({}, {} bytes)", static_cast<std::uint32_t>(input.socket),
                         input.bytes.size());
    case CallKind::send_to:
      return fmt::format("({}, {} bytes, {})", static_cast<std::uint32_t>(input.socket),
                         input.bytes.size(), to_text(input.facts.peer));
    case CallKind::receive:
    case CallKind::receive_from:
      return fmt::format("({}, room for {})", static_cast<std::uint32_t>(input.socket),
                         input.numbers[1]);
    case CallKind::accept:
    case CallKind::disconnect:
    case CallKind::close:
    case CallKind::take_error:
      return fmt::format("({})", static_cast<std::uint32_t>(input.socket));
  }
  return {};
}

std::string text_of_call(const Input& input) {
  constexpr std::int64_t errno_max = 4095;
  const bool is_error = input.result < 0 && input.result >= -errno_max;
  const std::string result = is_error ? std::string(errno_name(static_cast<Errno>(-input.result)))
                                      : fmt::format("{}", input.result);
  return fmt::format("{}{} = {}", name_of(input.call), arguments_of(input), result);
}

std::string words_text(Bytes bytes) {
  std::string words(lanyard::text_of(bytes));
  std::ranges::replace(words, '\0', ' ');
  return words;
}

std::string outcome_of(Bytes bytes) {
  return bytes.empty() ? "yes" : std::string(lanyard::text_of(bytes));
}

}  // namespace

std::string text_of(const Input& input, const RunFile& run) {
  const std::int64_t first = input.numbers[0];
  const auto node = [&] { return run.nodes[input.whom].name; };
  switch (input.kind) {
    case InputKind::began:
      return first != 0 ? "the lab begins, and is kept up" : "the lab begins";
    case InputKind::turn:
      return "what is due is done";
    case InputKind::call:
      return fmt::format("{}: {}", node(), text_of_call(input));
    case InputKind::touch:
      return fmt::format("{}: its sockets were used", node());
    case InputKind::look:
      return fmt::format("{}: looked at", node());
    case InputKind::output:
      return fmt::format("program {} prints {} bytes to {}", input.whom, input.bytes.size(), first);
    case InputKind::exited:
      return fmt::format("program {} ends: status {}, signal {}", input.whom, first,
                         input.numbers[1]);
    case InputKind::frame:
      return fmt::format("{}: {} bytes from the kernel", run.port_name(input.whom),
                         input.bytes.size());
    case InputKind::act:
      return std::string(lanyard::text_of(input.bytes));
    case InputKind::start:
      return fmt::format("{}: start {}", node(), words_text(input.bytes));
    case InputKind::signal:
      return fmt::format("program {} gets signal {}", input.whom, first);
    case InputKind::end:
      return "the lab is to end";
    case InputKind::stop:
      return "the lab is ended";
    case InputKind::launched:
      return fmt::format("program {} could be started: {}", input.whom, outcome_of(input.bytes));
    case InputKind::hosted:
      return fmt::format("{} could be made: {}", node(), outcome_of(input.bytes));
    case InputKind::saved:
      return "the run file is made whole up to here";
    case InputKind::lost:
      return fmt::format("cannot be replayed: {}", lanyard::text_of(input.bytes));
  }
  return {};
}

}  // namespace lanyard::lab
