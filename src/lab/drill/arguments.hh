// SPDX-License-Identifier: Apache-2.0
// What the arguments of a system call mean. What cannot be understood throws a Fault with its
// place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lab/drill/script.hh"
#include "wire/address.hh"

namespace lanyard::lab::drill {

class Arguments {
 public:
  Arguments(const CallEvent& call, Mark mark) : call_(&call), mark_(mark) {}

  [[nodiscard]] std::size_t size() const { return call_->arguments.size(); }
  [[nodiscard]] const Expression& at(std::size_t index) const;
  [[nodiscard]] bool is_ellipsis(std::size_t index) const;
  [[nodiscard]] std::int64_t number(std::size_t index) const { return number_of(at(index)); }
  // Of an argument that may be left out.
  [[nodiscard]] std::int64_t number_or(std::size_t index, std::int64_t otherwise) const;
  // [5] as 5, and 5 as 5.
  [[nodiscard]] std::int64_t pointed(std::size_t index) const;
  void expect_count(std::size_t least, std::size_t most) const;
  [[nodiscard]] const std::string& name() const { return call_->name; }
  [[nodiscard]] Mark mark() const { return mark_; }

  // Numbers, names, htons(..), a | b.
  [[nodiscard]] static std::int64_t number_of(const Expression& expression);
  // A field of a structure; nothing: it is not there.
  [[nodiscard]] static const Expression* field(const Expression& structure, std::string_view name);
  [[nodiscard]] static std::int64_t field_number(const Expression& structure, std::string_view name,
                                                 std::int64_t otherwise);
  // Items of a list; of anything else the thing itself.
  [[nodiscard]] static const Expression& first_of(const Expression& list);

  [[noreturn]] static void wrong(Mark mark, std::string what);
  [[noreturn]] static void unsupported(Mark mark, std::string what);
  [[noreturn]] static void failed(Mark mark, std::string what);

 private:
  const CallEvent* call_;
  Mark mark_;
};

// {sa_family = AF_INET, sin_port = htons(80), sin_addr = inet_addr("10.0.0.1")}
struct SocketAddress {
  bool is_unspecified = false;  // AF_UNSPEC
  Endpoint endpoint;
};
[[nodiscard]] SocketAddress socket_address(const Expression& structure);

}  // namespace lanyard::lab::drill
