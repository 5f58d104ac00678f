// SPDX-License-Identifier: Apache-2.0
#include "cli/remote_program.hh"

#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/text.hh"
#include "cli/verbs.hh"

extern char** environ;

namespace lanyard::cli {
namespace {

constexpr std::array<int, 6> passed_on{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

// Signals to this process, as a descriptor. It starts no other process, so a mask is right here.
Descriptor signals_descriptor() {
  sigset_t mask;
  sigemptyset(&mask);
  for (const int signal : passed_on) sigaddset(&mask, signal);
  sigaddset(&mask, SIGWINCH);
  sigprocmask(SIG_BLOCK, &mask, nullptr);
  return Descriptor(signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK));
}

void write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

// One message about the program; its exit status if it has ended.
std::optional<int> take_message(ControlClient& client) {
  const auto message = client.receive();
  if (!message.has_value()) {
    fmt::print(stderr, "lanyard: {}\n", printable(message.error().what));
    return message.error().is_refusal ? exit_usage : exit_failed;
  }
  if (message->contains("output")) {
    write_all(message->value("descriptor", 1) == 2 ? STDERR_FILENO : STDOUT_FILENO,
              message->value("output", ""));
  }
  if (!message->contains("exited")) return std::nullopt;
  if (message->contains("error"))
    fmt::print(stderr, "lanyard: {}\n", printable(message->value("error", "")));
  const int signal = message->value("signal", 0);
  return signal != 0 ? 128 + signal : message->value("exited", exit_failed);
}

void pass_signal(ControlClient& client, const Descriptor& signals, const RemoteHooks& hooks) {
  signalfd_siginfo info{};
  if (read(signals.number(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return;
  if (info.ssi_signo == SIGWINCH) {
    if (hooks.on_resized) hooks.on_resized();
    return;
  }
  Request request;
  request.what = Do::signal;
  request.signal = static_cast<int>(info.ssi_signo);
  client.send(request);
}

int attend(ControlClient& client, const RemoteHooks& hooks) {
  const Descriptor signals = signals_descriptor();
  for (;;) {
    while (client.has_line()) {
      if (const auto status = take_message(client)) return *status;
    }
    std::array<pollfd, 3> watched{{{client.descriptor(), POLLIN, 0},
                                   {signals.number(), POLLIN, 0},
                                   {hooks.extra_descriptor, POLLIN, 0}}};
    if (poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) return exit_failed;
    if (watched[2].revents != 0) hooks.on_extra();
    if (watched[1].revents != 0) pass_signal(client, signals, hooks);
    if (watched[0].revents == 0) continue;
    if (const auto status = take_message(client)) {
      if (hooks.extra_descriptor >= 0) hooks.on_extra();  // what it said last
      return *status;
    }
  }
}

}  // namespace

int run_remote(const std::string& lab_name, const Request& request,
               std::span<const int> descriptors, const RemoteHooks& hooks) {
  auto client = ControlClient::connect(lab_name);
  if (!client.has_value()) {
    fmt::print(stderr, "lanyard: {}\n", client.error());
    return exit_usage;
  }
  if (!client->send(request, descriptors)) {
    fmt::print(stderr, "lanyard: the lab is gone\n");
    return exit_failed;
  }
  return attend(*client, hooks);
}

Request exec_request(const std::string& host, std::vector<std::string> command) {
  Request request;
  request.what = Do::exec;
  request.node = host;
  request.command = std::move(command);
  std::error_code error;
  request.directory = std::filesystem::current_path(error).string();
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text(*variable);
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    request.environment[std::string(text.substr(0, equals))] = text.substr(equals + 1);
  }
  request.descriptors = request_descriptors_max;
  return request;
}

}  // namespace lanyard::cli
