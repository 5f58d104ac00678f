// SPDX-License-Identifier: Apache-2.0
// A lab put together by a C++ program. What it makes is a lab file: the same words with the same
// meaning (docs/lab-file.md), the same model, and a run file that can be made again from its text.
//
//   Builder lab("pair");
//   lab.host("bob").run("bob", "http serve");
//   lab.host("alice").run("alice", "http get http://bob/", {{"at", "1s"}, {"expect", "exit 0"}});
//   lab.link("alice", "bob", {{"delay", "20ms"}, {"loss", "1%"}});
//   auto file = lab.build();
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <utility>
#include <vector>

#include "lab/lab_file.hh"

namespace lanyard::lab {

class Builder {
 public:
  // Keys of the lab file with their values, as they are written there.
  using Keys = std::vector<std::pair<std::string, std::string>>;

  explicit Builder(std::string name = "lab") : name_(std::move(name)) {}

  Builder& seed(std::uint64_t seed);
  Builder& until(std::string time);  // "60s"
  Builder& host(const std::string& name, Keys keys = {});
  Builder& switching(const std::string& name);
  Builder& router(const std::string& name);
  // A further program of a host that is there; without one of that name, a host is made.
  Builder& run(const std::string& host, std::string command, Keys keys = {});
  Builder& link(const std::string& a, const std::string& b, Keys keys = {});
  // What is different from a to b on a link that is there.
  Builder& one_way(const std::string& a, const std::string& b, Keys keys);
  Builder& at(std::string time, std::string action);  // "5s", "cut r1 -- dc"
  Builder& check(std::string text);                   // "alice exits 0"

  // The lab file.
  [[nodiscard]] std::string text() const;
  // What a lab file of this text gives; problems are told by its lines.
  [[nodiscard]] std::expected<LabFile, std::vector<Diagnostic>> build() const;

 private:
  struct Host {
    std::string name;
    Keys keys;
    std::vector<Keys> programs;
  };
  Host& host_of(const std::string& name);

  std::string name_;
  std::uint64_t seed_ = 1;
  std::string until_;
  std::vector<Host> hosts_;
  std::vector<std::string> switches_, routers_;
  std::vector<std::pair<std::string, Keys>> links_;
  Keys timeline_;
  std::vector<std::string> checks_;
};

}  // namespace lanyard::lab
