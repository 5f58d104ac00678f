// SPDX-License-Identifier: Apache-2.0
// What `lanyard exec`, `ps` ... say to a lab that is up: one JSON object per line over an AF_UNIX
// stream, with descriptors (exec's 0, 1 and 2) passed beside the line that names their count.
// Parsing is apart from the socket, so that any bytes can be tried on it.
//   {"do":"exec","host":"alice","command":["ls"],"descriptors":3,...}  ->  {"started":true}, then
//   {"exited":0,"signal":0}; {"do":"signal","signal":2} on the same connection reaches the program.
//   {"do":"ping",...}                          ->  {"output":"...","descriptor":1}..., {"exited":0}
//   {"do":"ps"|"links"|"routes"|"sockets"|"arp"}  ->  {"rows":[...],"notes":["..."]}
//   {"do":"logs","after":N}                    ->  {"rows":[...],"last":N} (journal.hh)
//   {"do":"act","command":["cut r1 -- dc"]}    ->  {"done":["cut r1 -- dc"]}
//   {"do":"about"}, {"do":"down"}              ->  {"lab":"...",...}
// Anything that cannot be done: {"error":"a sentence"}.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace lanyard::cli {

enum class Do : std::uint8_t {
  exec,
  signal,
  ping,
  ps,
  links,
  routes,
  sockets,
  arp,
  logs,
  act,
  about,
  down
};

struct Request {
  Do what = Do::about;
  std::string node;                  // exec, ping: the host; rows: only this node
  std::vector<std::string> command;  // exec: the words; ping: its arguments; act: one line
  std::map<std::string, std::string> environment;
  std::string directory;
  int signal = 0;
  std::uint32_t after = 0;        // logs: the number of the last line that was seen
  std::uint32_t descriptors = 0;  // how many were passed with this line
};

inline constexpr std::size_t request_bytes_max = std::size_t{4} * 1024 * 1024;
inline constexpr std::uint32_t request_descriptors_max = 3;

// One line without its newline. The sentence says what is wrong with it.
[[nodiscard]] std::expected<Request, std::string> parse_request(std::string_view line);
// The line for a request, newline included.
[[nodiscard]] std::string to_line(const Request& request);

// Cuts a stream into lines. A line longer than request_bytes_max makes it overlong for good.
class Lines {
 public:
  void add(std::string_view bytes);
  // The next whole line into `line`; false if there is none yet.
  bool take(std::string& line);
  [[nodiscard]] bool is_overlong() const { return is_overlong_; }

 private:
  std::string held_;
  std::size_t searched_ = 0;
  bool is_overlong_ = false;
};

}  // namespace lanyard::cli
