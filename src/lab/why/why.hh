// SPDX-License-Identifier: Apache-2.0
// Why did it take so long? An answer for a program, a request, a conversation or a packet of a run.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "lab/why/part.hh"
#include "lab/why/walk.hh"

namespace lanyard::lab::why {

// One HTTP request of the run and its answer.
struct Request {
  std::size_t flow = 0;
  std::int64_t begin = 0;                         // of the request, in the opener's stream
  std::int64_t answer_begin = 0, answer_end = 0;  // in the other's; equal: none came
  std::string line{};                             // "GET / HTTP/1.1"
  bool is_first = true;                           // of its conversation
};
[[nodiscard]] std::vector<Request> requests_of(const Index& index);

// What can be asked about.
struct Subject {
  std::string name;  // as it is given: "alice", "http 3", "alice:34761-bob:80"
  std::string text;  // what it is
};
[[nodiscard]] std::vector<Subject> subjects_of(const Index& index);

// `what`: a program's name, "http N", "A:PORT-B:PORT" (names or addresses), or a packet's number.
// The error is a sentence that says what there is instead.
[[nodiscard]] std::expected<Answer, std::string> explain(const Index& index, std::string_view what);

}  // namespace lanyard::lab::why
