// SPDX-License-Identifier: Apache-2.0
#include "cli/control_protocol.hh"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

namespace lanyard::cli {
namespace {

using nlohmann::json;

constexpr std::array<std::pair<Do, std::string_view>, 12> names{{{Do::exec, "exec"},
                                                                 {Do::signal, "signal"},
                                                                 {Do::ping, "ping"},
                                                                 {Do::ps, "ps"},
                                                                 {Do::links, "links"},
                                                                 {Do::routes, "routes"},
                                                                 {Do::sockets, "sockets"},
                                                                 {Do::arp, "arp"},
                                                                 {Do::logs, "logs"},
                                                                 {Do::act, "act"},
                                                                 {Do::about, "about"},
                                                                 {Do::down, "down"}}};

std::string name_of(Do what) {
  for (const auto& [value, name] : names) {
    if (value == what) return std::string(name);
  }
  return {};
}

bool read_verb(const json& object, Request& request) {
  const auto found = object.find("do");
  if (found == object.end() || !found->is_string()) return false;
  for (const auto& [value, name] : names) {
    if (*found == name) {
      request.what = value;
      return true;
    }
  }
  return false;
}

// Each reader leaves the default if the key is absent, and is false if its type is wrong.
bool read_text(const json& object, const char* key, std::string& out) {
  const auto found = object.find(key);
  if (found == object.end()) return true;
  if (!found->is_string()) return false;
  out = found->get<std::string>();
  return out.find('\0') == std::string::npos;
}

bool read_number(const json& object, const char* key, std::uint32_t most, std::uint32_t& out) {
  const auto found = object.find(key);
  if (found == object.end()) return true;
  if (!found->is_number_unsigned() || found->get<std::uint64_t>() > most) return false;
  out = found->get<std::uint32_t>();
  return true;
}

bool read_words(const json& object, std::vector<std::string>& out) {
  const auto found = object.find("command");
  if (found == object.end()) return true;
  if (!found->is_array()) return false;
  for (const json& word : *found) {
    if (!word.is_string()) return false;
    out.push_back(word.get<std::string>());
    if (out.back().find('\0') != std::string::npos) return false;
  }
  return true;
}

bool read_environment(const json& object, std::map<std::string, std::string>& out) {
  const auto found = object.find("environment");
  if (found == object.end()) return true;
  if (!found->is_object()) return false;
  for (const auto& [key, value] : found->items()) {
    if (!value.is_string() || key.empty() || key.find('=') != std::string::npos) return false;
    out[key] = value.get<std::string>();
  }
  return true;
}

std::unexpected<std::string> wrong(std::string_view what) {
  return std::unexpected("the request's " + std::string(what));
}

}  // namespace

std::expected<Request, std::string> parse_request(std::string_view line) {
  const json object = json::parse(line, nullptr, false);
  if (object.is_discarded() || !object.is_object()) {
    return std::unexpected("the request is not a JSON object");
  }
  Request request;
  std::uint32_t signal = 0;
  if (!read_verb(object, request)) return wrong("\"do\" is missing or not one we know");
  if (!read_text(object, "node", request.node)) return wrong("\"node\" is not a text");
  if (!read_text(object, "directory", request.directory))
    return wrong("\"directory\" is not a text");
  if (!read_words(object, request.command)) return wrong("\"command\" is not a list of words");
  if (!read_environment(object, request.environment)) {
    return wrong("\"environment\" is not an object of texts");
  }
  if (!read_number(object, "signal", 64, signal)) return wrong("\"signal\" is not a signal number");
  if (!read_number(object, "descriptors", request_descriptors_max, request.descriptors)) {
    return wrong("\"descriptors\" is not a count of 0 to 3");
  }
  if (!read_number(object, "after", UINT32_MAX, request.after)) {
    return wrong("\"after\" is not a line's number");
  }
  request.signal = static_cast<int>(signal);
  return request;
}

std::string to_line(const Request& request) {
  json object{{"do", name_of(request.what)}};
  if (!request.node.empty()) object["node"] = request.node;
  if (!request.command.empty()) object["command"] = request.command;
  if (!request.environment.empty()) object["environment"] = request.environment;
  if (!request.directory.empty()) object["directory"] = request.directory;
  if (request.signal != 0) object["signal"] = static_cast<std::uint32_t>(request.signal);
  if (request.after != 0) object["after"] = request.after;
  if (request.descriptors != 0) object["descriptors"] = request.descriptors;
  // An environment may hold bytes that are not UTF-8; they become U+FFFD rather than an exception.
  return object.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

void Lines::add(std::string_view bytes) {
  if (!is_overlong_) held_ += bytes;
}

bool Lines::take(std::string& line) {
  const std::size_t end = held_.find('\n', searched_);
  if (end == std::string::npos) {
    searched_ = held_.size();
    if (held_.size() > request_bytes_max) {
      is_overlong_ = true;
      held_.clear();
    }
    return false;
  }
  line = held_.substr(0, end);
  held_.erase(0, end + 1);
  searched_ = 0;
  return true;
}

}  // namespace lanyard::cli
