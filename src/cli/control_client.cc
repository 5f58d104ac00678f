// SPDX-License-Identifier: Apache-2.0
#include "cli/control_client.hh"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

#include "cli/control_paths.hh"
#include "cli/text.hh"
#include "cli/verbs.hh"

namespace lanyard::cli {
namespace {

using nlohmann::json;

// The lab that is meant; the sentence says why there is none.
std::expected<std::string, std::string> choose_lab(const std::string& directory,
                                                   const std::string& name) {
  const std::vector<std::string> names = labs_up(directory);
  if (!name.empty()) {
    for (const std::string& up : names) {
      if (up == name) return name;
    }
    return std::unexpected(names.empty()
                               ? fmt::format("no lab is up; `lanyard up LAB -d` brings one up")
                               : fmt::format("no lab called {} is up; up: {}", printable(name),
                                             fmt::join(names, ", ")));
  }
  if (names.empty()) {
    return std::unexpected(std::string("no lab is up; `lanyard up LAB -d` brings one up"));
  }
  if (names.size() == 1) return names.front();
  return std::unexpected(
      fmt::format("several labs are up: {}; say which with --lab NAME", fmt::join(names, ", ")));
}

}  // namespace

std::expected<ControlClient, std::string> ControlClient::connect(const std::string& name) {
  const auto directory = control_directory();
  if (!directory.has_value()) return std::unexpected(directory.error());
  const auto lab = choose_lab(*directory, name);
  if (!lab.has_value()) return std::unexpected(lab.error());
  Descriptor socket(connect_to(control_path(*directory, *lab)));
  if (socket.number() < 0) {
    return std::unexpected(fmt::format("cannot reach the lab {}: {}", *lab, std::strerror(errno)));
  }
  return ControlClient(std::move(socket));
}

bool ControlClient::send(const Request& request, std::span<const int> descriptors) {
  return send_with_descriptors(socket_.number(), to_line(request), descriptors);
}

bool ControlClient::has_line() {
  if (!has_line_) has_line_ = lines_.take(line_);
  return has_line_;
}

std::expected<json, ControlClient::Problem> ControlClient::receive() {
  while (!has_line()) {
    std::string bytes;
    std::vector<Descriptor> ignored;
    const ssize_t got = receive_with_descriptors(socket_.number(), bytes, ignored);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return std::unexpected(Problem{"the lab is gone"});
    lines_.add(bytes);
  }
  has_line_ = false;
  json object = json::parse(line_, nullptr, false);
  if (!object.is_object()) return std::unexpected(Problem{"the lab's answer is not JSON"});
  const auto error = object.find("error");
  if (error != object.end() && error->is_string() && !object.contains("exited")) {
    return std::unexpected(Problem{error->get<std::string>(), true});
  }
  return object;
}

void ControlClient::wait_for_end() {
  while (receive().has_value()) {
  }
}

std::expected<json, int> ask(const std::string& lab_name, const Request& request) {
  auto client = ControlClient::connect(lab_name);
  if (!client.has_value()) {
    fmt::print(stderr, "lanyard: {}\n", client.error());
    return std::unexpected(exit_usage);
  }
  if (!client->send(request)) {
    fmt::print(stderr, "lanyard: the lab is gone\n");
    return std::unexpected(exit_failed);
  }
  auto answer = client->receive();
  if (!answer.has_value()) {
    fmt::print(stderr, "lanyard: {}\n", printable(answer.error().what));
    return std::unexpected(answer.error().is_refusal ? exit_usage : exit_failed);
  }
  return *answer;
}

}  // namespace lanyard::cli
