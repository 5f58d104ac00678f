// SPDX-License-Identifier: Apache-2.0
#include "lab/replay/player.hh"

#include "lab/replay/input_log.hh"

namespace lanyard::lab {
namespace {

using socket::CallKind;

std::vector<std::string> words_of(Bytes bytes) {
  std::vector<std::string> words;
  for (std::string_view rest = lanyard::text_of(bytes); !rest.empty();) {
    const std::size_t size = std::min(rest.find('\0'), rest.size());
    words.emplace_back(rest.substr(0, size));
    rest.remove_prefix(std::min(size + 1, rest.size()));
  }
  return words;
}

}  // namespace

Player::Player(const RunFile& run) : run_(run) {
  InputReader reader(run);
  for (auto input = reader.next(); input && *input; input = reader.next()) {
    const std::string text(lanyard::text_of((*input)->bytes));
    if ((*input)->kind == InputKind::began) keeps_running_ = (*input)->numbers[0] != 0;
    if ((*input)->kind == InputKind::hosted) hosted_.problems.push_back(text);
    if ((*input)->kind == InputKind::launched) launched_.problems.push_back(text);
  }
}

WorldOptions Player::options_of_world() {
  WorldOptions options;
  options.launcher = this;
  options.in_real_time = true;
  options.keeps_running = keeps_running_;
  return options;
}

std::expected<void, std::string> Player::Outcomes::next() {
  if (problems.empty()) return std::unexpected("not in the run that is replayed");
  std::string problem = std::move(problems.front());
  problems.pop_front();
  if (!problem.empty()) return std::unexpected(std::move(problem));
  return {};
}

std::expected<std::vector<std::function<void(Packet)>>, std::string> Player::make_kernel_host(
    const KernelHost& host) {
  if (const auto made = hosted_.next(); !made) return std::unexpected(made.error());
  kernel_ports_[host.name] = host.ports;
  // What its kernel made of the frames is among the inputs.
  return std::vector<std::function<void(Packet)>>(host.ports.size(), [](const Packet&) {});
}

std::expected<void, std::string> Player::start(const LaunchHost&, const Launch&,
                                               ProgramObserver& observer) {
  observer_ = &observer;
  return launched_.next();
}

void Player::play(World& world, const std::function<void(Instant)>& on_progress) {
  constexpr std::uint32_t steps_between_words = 1024;
  InputReader reader(run_);
  bool has_begun = false;
  std::uint32_t step = 0;
  for (auto input = reader.next(); input && *input; input = reader.next()) {
    // Before its first turn there is nothing in a world.
    has_begun = has_begun || (*input)->kind == InputKind::turn;
    if (has_begun) take(**input, world);
    if (on_progress && ++step % steps_between_words == 0) on_progress((*input)->at);
  }
  // Nobody knows what came after the last input of a run that was cut short.
  if (run_.is_cut_short)
    world.save();
  else
    world.stop();
}

void Player::take(const Input& input, World& world) {
  const auto program = static_cast<ProgramId>(input.whom);
  switch (input.kind) {
    case InputKind::began:
    case InputKind::launched:
    case InputKind::hosted:
    case InputKind::lost:
      break;
    case InputKind::turn:
      world.run_until(input.at);
      break;
    case InputKind::call:
      call(input, world);
      break;
    case InputKind::touch:
      world.touch(input.whom);
      break;
    case InputKind::look:
      (void)world.stack(input.whom);
      break;
    case InputKind::output:
      if (observer_ != nullptr)
        observer_->on_program_output(program, static_cast<int>(input.numbers[0]),
                                     lanyard::text_of(input.bytes));
      break;
    case InputKind::exited:
      if (observer_ != nullptr)
        observer_->on_program_exited(program, static_cast<int>(input.numbers[0]),
                                     static_cast<int>(input.numbers[1]));
      break;
    case InputKind::frame:
      inject(input, world);
      break;
    case InputKind::act:
      act(input, world);
      break;
    case InputKind::start:
      start(input, world);
      break;
    case InputKind::signal:
      world.signal(program, static_cast<int>(input.numbers[0]));
      break;
    case InputKind::end:
      world.end();
      break;
    case InputKind::stop:
      world.stop();
      break;
    case InputKind::saved:
      world.save();
      break;
  }
}

void Player::act(const Input& input, World& world) const {
  const auto actions = ActionReader(world.model(), true).read(lanyard::text_of(input.bytes));
  if (!actions) return;
  for (const Action& action : *actions) world.act(action);
}

void Player::start(const Input& input, World& world) const {
  Launch launch;
  launch.command = words_of(input.bytes);
  // Nobody reads from it: no program is started.
  if (input.numbers[0] != 0) launch.standard_input = 0;
  world.start(input.whom, std::move(launch));
}

void Player::inject(const Input& input, const World& world) {
  const std::uint32_t node = run_.ports[input.whom].node;
  const auto host = kernel_ports_.find(run_.nodes[node].name);
  if (host == kernel_ports_.end()) return;
  const std::vector<std::uint32_t>& ports = world.plan().nodes[node].ports;
  for (std::size_t i = 0; i < ports.size() && i < host->second.size(); ++i) {
    if (ports[i] != input.whom) continue;
    Packet frame = Packet::copy_of(input.bytes);
    frame.offload = offload_of(input.numbers);
    host->second[i].into_lab(std::move(frame));
  }
}

// What comes of a call is written down again, so that a difference shows in the new run file.
void Player::call(const Input& input, World& world) {
  socket::Sockets* const sockets = world.sockets_of_boot(input.whom, input.boot);
  if (sockets == nullptr) return;
  switch (input.call) {
    case CallKind::open:
      (void)sockets->open(static_cast<Family>(input.numbers[0]),
                          static_cast<socket::Type>(input.numbers[1]),
                          static_cast<int>(input.numbers[2]));
      break;
    case CallKind::bind:
      (void)sockets->bind(input.socket, input.endpoint);
      break;
    case CallKind::connect:
      (void)sockets->connect(input.at, input.socket, input.endpoint);
      break;
    case CallKind::disconnect:
      (void)sockets->disconnect(input.at, input.socket);
      break;
    case CallKind::close:
      (void)sockets->close(input.at, input.socket);
      break;
    case CallKind::set_option:
      (void)sockets->set_option(input.at, input.socket,
                                static_cast<socket::Option>(input.numbers[0]), input.value);
      break;
    case CallKind::get_option:
      (void)sockets->get_option(input.at, input.socket,
                                static_cast<socket::Option>(input.numbers[0]));
      break;
    case CallKind::listen:
    case CallKind::accept:
    case CallKind::shutdown:
    case CallKind::send:
    case CallKind::receive:
      call_stream(input, *sockets);
      break;
    case CallKind::send_to:
    case CallKind::receive_from:
    case CallKind::take_error:
      call_datagram(input, *sockets);
      break;
  }
}

void Player::call_stream(const Input& input, socket::Sockets& sockets) {
  const auto number = static_cast<int>(input.numbers[0]);
  if (input.call == CallKind::listen) (void)sockets.listen(input.at, input.socket, number);
  if (input.call == CallKind::accept) (void)sockets.accept(input.at, input.socket);
  if (input.call == CallKind::shutdown)
    (void)sockets.shutdown(input.at, input.socket, static_cast<socket::Shutdown>(number));
  if (input.call == CallKind::send)
    (void)sockets.send(input.at, input.socket, input.bytes, socket::send_flags_of(number));
  if (input.call != CallKind::receive) return;
  buffer_.resize(static_cast<std::size_t>(input.numbers[1]));
  (void)sockets.receive(input.at, input.socket, buffer_, socket::receive_flags_of(number));
}

void Player::call_datagram(const Input& input, socket::Sockets& sockets) {
  if (input.call == CallKind::take_error) (void)sockets.take_error(input.socket);
  if (input.call == CallKind::send_to)
    (void)sockets.send_to(input.at, input.socket, input.bytes, input.facts);
  if (input.call != CallKind::receive_from) return;
  buffer_.resize(static_cast<std::size_t>(input.numbers[1]));
  (void)sockets.receive_from(input.at, input.socket, buffer_,
                             socket::receive_flags_of(input.numbers[0]));
}

}  // namespace lanyard::lab
