// SPDX-License-Identifier: Apache-2.0
#include "cli/control_server.hh"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <deque>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/control_paths.hh"
#include "cli/control_protocol.hh"
#include "cli/control_rows.hh"
#include "cli/descriptors.hh"
#include "cli/text.hh"
#include "cli/version.hh"
#include "lab/action_text.hh"
#include "lab/command.hh"

namespace lanyard::cli {
namespace {

using nlohmann::json;

constexpr std::size_t unsent_bytes_max = std::size_t{16} * 1024 * 1024;
constexpr std::size_t connections_max = 256;

}  // namespace

// One client. It may have started a program, whose end it is told.
class ControlConnection final : public lab::ProgramObserver {
 public:
  ControlConnection(Descriptor socket, device::EventLoop& loop, lab::World& world,
                    const Journal& journal, std::function<void()> on_down,
                    std::function<void()> on_closed)
      : socket_(std::move(socket)),
        loop_(loop),
        world_(world),
        journal_(journal),
        on_down_(std::move(on_down)),
        on_closed_(std::move(on_closed)) {
    watch();
  }
  ~ControlConnection() { loop_.forget(socket_.number()); }

  void on_program_output(lab::ProgramId, int descriptor, std::string_view text) override {
    say({{"output", text}, {"descriptor", descriptor}});
  }

  void on_program_exited(lab::ProgramId program, int status, int signal) override {
    is_running_ = false;
    standard_.clear();
    json end{{"exited", status}, {"signal", signal}};
    for (const lab::ProgramRow& row : world_.programs()) {
      if (row.id == program && !row.problem.empty()) end["error"] = row.problem;
    }
    say(end);
    if (is_gone_) finish();
  }

  // The client is gone, and so is its program: nobody needs this any more.
  [[nodiscard]] bool is_over() const { return is_gone_ && !is_running_; }

 private:
  void watch() {
    const std::uint32_t events = unsent_.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT;
    if (events == watched_) return;
    watched_ = events;
    loop_.watch(socket_.number(), events, [this](std::uint32_t ready) {
      if ((ready & EPOLLOUT) != 0) send_some();
      if ((ready & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) receive_some();
    });
  }

  void receive_some() {
    std::string bytes;
    const ssize_t got = receive_with_descriptors(socket_.number(), bytes, descriptors_);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return hang_up();
    lines_.add(bytes);
    for (std::string line; !is_gone_ && lines_.take(line);) take(line);
    if (lines_.is_overlong() || descriptors_.size() > request_descriptors_max) hang_up();
  }

  // The client's end of the connection is its hold on the program: without it, SIGHUP.
  void hang_up() {
    if (is_gone_) return;
    is_gone_ = true;
    loop_.forget(socket_.number());
    // Not from inside the world's turn: what is done to a lab lies between its turns.
    if (is_running_)
      loop_.defer([&world = world_, program = program_] { world.signal(program, SIGHUP); });
    else
      finish();
  }

  void finish() { loop_.defer(on_closed_); }

  void say(const json& object) {
    if (is_gone_) return;
    unsent_ += object.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
    send_some();
    if (unsent_.size() > unsent_bytes_max) hang_up();
  }

  void refuse(const std::string& why) { say({{"error", why}}); }

  void send_some() {
    while (!unsent_.empty()) {
      const ssize_t sent =
          send(socket_.number(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && errno == EINTR) continue;
      if (sent <= 0) break;
      unsent_.erase(0, static_cast<std::size_t>(sent));
    }
    if (!is_gone_) watch();
  }

  void take(const std::string& line) {
    const auto request = parse_request(line);
    if (!request.has_value()) return refuse(request.error());
    std::optional<std::uint32_t> node;
    if (!request->node.empty()) {
      node = world_.model().node(request->node);
      if (!node.has_value()) {
        return refuse(
            fmt::format("there is no node '{}' in {}", request->node, world_.model().name));
      }
    }
    answer(*request, node);
  }

  void answer(const Request& request, std::optional<std::uint32_t> node) {
    switch (request.what) {
      case Do::exec:
      case Do::ping:
        return start(request, node);
      case Do::signal:
        if (is_running_) world_.signal(program_, request.signal);
        return;
      case Do::ps:
      case Do::links:
      case Do::routes:
      case Do::sockets:
      case Do::arp:
        return list(request, node);
      case Do::logs:
        return say(journal_.since(request.after, request.node));
      case Do::act:
        return act(request);
      case Do::about:
        return say({{"lab", world_.model().name}, {"pid", getpid()}, {"version", version_text()}});
      case Do::down: {
        say({{"lab", world_.model().name}, {"pid", getpid()}});
        return on_down_();
      }
    }
  }

  void list(const Request& request, std::optional<std::uint32_t> node) {
    if (node.has_value()) {
      const std::string why = why_no_rows(world_, request.what, *node);
      if (!why.empty()) return refuse(why);
    }
    json notes = json::array();
    for (std::uint32_t each = 0; !node && each < world_.model().nodes.size(); ++each) {
      const bool is_switch = world_.model().nodes[each].kind == lab::NodeKind::switching;
      if (const auto why = why_no_rows(world_, request.what, each); !is_switch && !why.empty())
        notes.push_back(why);
    }
    say({{"rows", rows_of(world_, request.what, node)}, {"notes", notes}});
  }

  void act(const Request& request) {
    if (request.command.size() != 1) return refuse("an action is one line");
    const lab::ActionReader reader(world_.model(), true);
    const auto actions = reader.read(request.command.front());
    if (!actions.has_value()) {
      return refuse(fmt::format("{}: {}", actions.error().what, actions.error().fix));
    }
    json done = json::array();
    for (const lab::Action& action : *actions) {
      world_.act(action);
      done.push_back(lab::text_of(action, world_.model()));
    }
    say({{"done", done}});
  }

  void start(const Request& request, std::optional<std::uint32_t> node) {
    if (is_running_) return refuse("a program is running on this connection already");
    if (!node.has_value()) return refuse("no host was named");
    const lab::NodeKind kind = world_.model().nodes[*node].kind;
    if (kind == lab::NodeKind::switching) {
      return refuse(fmt::format("{} is a switch: it has no programs", request.node));
    }
    const bool has_kernel = kind == lab::NodeKind::kernel_host;
    if (request.what == Do::ping && has_kernel) {
      return refuse(
          fmt::format("{0} has the kernel's stack: `lanyard exec {0} -- ping ...`", request.node));
    }
    // Without descriptors it is one of ours, which has no input.
    const bool is_ours = request.what == Do::exec && request.descriptors == 0;
    if (is_ours && (has_kernel || request.command.empty() ||
                    !lab::is_built_in(world_.model(), lab::line_of(request.command)))) {
      return refuse(
          has_kernel ? fmt::format("{} has the kernel's stack: no program of Lanyard's runs there",
                                   request.node)
                     : fmt::format("`{}` is not built into Lanyard; `lanyard help programs`",
                                   request.command.empty() ? "" : request.command.front()));
    }
    lab::Launch launch;
    launch.command = request.command;
    if (request.what == Do::ping) launch.command.insert(launch.command.begin(), "ping");
    if (launch.command.empty()) return refuse("no command was given");
    launch.environment = request.environment;
    launch.directory = request.directory;
    if (request.what == Do::exec && !is_ours && !take_descriptors(request, launch)) {
      return refuse("exec passes three descriptors: input, output and error output");
    }
    is_running_ = true;
    say({{"started", true}});
    program_ = world_.start(*node, std::move(launch), this);
  }

  bool take_descriptors(const Request& request, lab::Launch& launch) {
    if (request.descriptors != request_descriptors_max || descriptors_.size() < 3) return false;
    standard_ = std::move(descriptors_);
    descriptors_.clear();
    launch.standard_input = standard_[0].number();
    launch.standard_output = standard_[1].number();
    launch.standard_error = standard_[2].number();
    return true;
  }

  Descriptor socket_;
  device::EventLoop& loop_;
  lab::World& world_;
  const Journal& journal_;
  std::function<void()> on_down_, on_closed_;
  Lines lines_;
  std::string unsent_;
  std::uint32_t watched_ = 0;
  std::vector<Descriptor> descriptors_;  // received, not yet claimed
  std::vector<Descriptor> standard_;     // the program's 0, 1 and 2
  lab::ProgramId program_{};
  bool is_running_ = false, is_gone_ = false;
};

struct ControlServer::State {
  State(std::string where, device::EventLoop& event_loop, lab::World& lab_world,
        const Journal& kept, std::function<void()> down)
      : path(std::move(where)),
        loop(event_loop),
        world(lab_world),
        journal(kept),
        on_down(std::move(down)) {}

  void accept_one() {
    Descriptor socket(accept4(listener.number(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (socket.number() < 0 || connections.size() >= connections_max) return;
    const std::uint64_t id = ++last_id;
    connections[id] = std::make_unique<ControlConnection>(
        std::move(socket), loop, world, journal, on_down, [this, id] { connections.erase(id); });
  }

  std::string path;
  device::EventLoop& loop;
  lab::World& world;
  const Journal& journal;
  std::function<void()> on_down;
  Descriptor listener{-1};
  std::uint64_t last_id = 0;
  std::map<std::uint64_t, std::unique_ptr<ControlConnection>> connections;
};

ControlServer::ControlServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

ControlServer::~ControlServer() {
  state_->loop.forget(state_->listener.number());
  unlink(state_->path.c_str());
}

std::expected<std::unique_ptr<ControlServer>, std::string> ControlServer::open(
    const std::string& path, device::EventLoop& loop, lab::World& world, const Journal& journal,
    std::function<void()> on_down) {
  auto state = std::make_unique<State>(path, loop, world, journal, std::move(on_down));
  state->listener = Descriptor(listen_at(path));
  if (state->listener.number() < 0) {
    return std::unexpected(
        errno == EADDRINUSE
            ? fmt::format("a lab called {} is up already; `lanyard down --lab {}` ends it",
                          world.model().name, shell_quoted(world.model().name))
            : fmt::format("cannot listen at {}: {}", path, std::strerror(errno)));
  }
  State* raw = state.get();
  loop.watch(state->listener.number(), EPOLLIN, [raw](std::uint32_t) { raw->accept_one(); });
  return std::unique_ptr<ControlServer>(new ControlServer(std::move(state)));
}

}  // namespace lanyard::cli
