// SPDX-License-Identifier: Apache-2.0
// Asks a lab that is up.
#pragma once

#include <expected>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

#include "cli/control_protocol.hh"
#include "cli/descriptors.hh"

namespace lanyard::cli {

class ControlClient {
 public:
  // Why there is no answer: the lab is gone, or it refuses what was asked.
  struct Problem {
    std::string what;
    bool is_refusal = false;
  };
  // Connects to the lab called `name`, or to the only one that is up if it is empty. The sentence
  // says what to do instead.
  [[nodiscard]] static std::expected<ControlClient, std::string> connect(const std::string& name);

  // False if the lab is gone.
  bool send(const Request& request, std::span<const int> descriptors = {});
  // The next object; a problem if the lab is gone, or says {"error":...} and not how a program
  // ended, or what it says is no JSON.
  [[nodiscard]] std::expected<nlohmann::json, Problem> receive();
  // Waits until the lab closes the connection.
  void wait_for_end();
  [[nodiscard]] int descriptor() const { return socket_.number(); }
  [[nodiscard]] bool has_line();  // receive() would not wait

 private:
  explicit ControlClient(Descriptor socket) : socket_(std::move(socket)) {}
  Descriptor socket_;
  Lines lines_;
  std::string line_;
  bool has_line_ = false;
};

// Sends one request and gives the one answer; what is wrong is printed, with the exit status.
[[nodiscard]] std::expected<nlohmann::json, int> ask(const std::string& lab_name,
                                                     const Request& request);

}  // namespace lanyard::cli
