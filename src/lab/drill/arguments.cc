// SPDX-License-Identifier: Apache-2.0
#include "lab/drill/arguments.hh"

#include <fmt/format.h>
#include <sys/socket.h>

#include "lab/drill/constants.hh"

namespace lanyard::lab::drill {

namespace {

using Kind = Expression::Kind;

const Expression nothing{};

IpAddress address_of(const Expression& expression, Family family) {
  const Expression* text = &expression;
  const bool is_pton = expression.kind == Kind::call && expression.text == "inet_pton";
  if (expression.kind == Kind::call && !is_pton && !expression.items.empty())
    text = &expression.items.back();
  if (text->kind == Kind::structure && !text->items.empty()) {
    return address_of(text->items.front(), family);
  }
  if (text->kind == Kind::word || text->kind == Kind::number) {
    const bool is_any = text->text == "INADDR_ANY" || text->text == "in6addr_any" ||
                        (text->kind == Kind::number && text->number == 0);
    if (is_any) return IpAddress::any(family);
  }
  // inet_pton(AF_INET6, "::1", &sin6_addr): the text is in the middle.
  if (is_pton && expression.items.size() >= 2) text = &expression.items[1];
  const auto address = IpAddress::parse(text->text);
  if (text->kind != Kind::text || !address) {
    Arguments::wrong(expression.mark, "expected an address, as inet_addr(\"192.0.2.1\")");
  }
  return *address;
}

}  // namespace

void Arguments::wrong(Mark mark, std::string what) {
  throw Fault{{Problem::Kind::wrong_script, mark, std::move(what)}};
}
void Arguments::unsupported(Mark mark, std::string what) {
  throw Fault{{Problem::Kind::unsupported, mark, std::move(what)}};
}
void Arguments::failed(Mark mark, std::string what) {
  throw Fault{{Problem::Kind::failed, mark, std::move(what)}};
}

const Expression& Arguments::at(std::size_t index) const {
  return index < size() ? call_->arguments[index] : nothing;
}

bool Arguments::is_ellipsis(std::size_t index) const {
  return at(index).kind == Kind::ellipsis;
}

std::int64_t Arguments::number_or(std::size_t index, std::int64_t otherwise) const {
  return index < size() && !is_ellipsis(index) ? number(index) : otherwise;
}

std::int64_t Arguments::pointed(std::size_t index) const {
  return number_of(first_of(at(index)));
}

void Arguments::expect_count(std::size_t least, std::size_t most) const {
  if (size() >= least && size() <= most) return;
  wrong(mark_, least == most ? fmt::format("{} takes {} arguments", name(), least)
                             : fmt::format("{} takes {} to {} arguments", name(), least, most));
}

const Expression& Arguments::first_of(const Expression& list) {
  return list.kind == Kind::list && !list.items.empty() ? list.items.front() : list;
}

std::int64_t Arguments::number_of(const Expression& expression) {
  switch (expression.kind) {
    case Kind::number:
      return expression.number;
    case Kind::word: {
      const auto value = constant(expression.text);
      if (value) return *value;
      unsupported(expression.mark, fmt::format("the name `{}` is not known", expression.text));
    }
    case Kind::either: {
      std::int64_t bits = 0;
      for (const Expression& item : expression.items) bits |= number_of(item);
      return bits;
    }
    case Kind::call:
      // htons(80): scripts name the number, and so do we.
      if (expression.items.size() == 1) return number_of(expression.items.front());
      break;
    case Kind::ellipsis:
    case Kind::text:
    case Kind::list:
    case Kind::structure:
      break;
  }
  wrong(expression.mark, "expected a number here");
}

const Expression* Arguments::field(const Expression& structure, std::string_view name) {
  for (const Expression& item : structure.items) {
    if (item.field == name) return &item;
  }
  return nullptr;
}

std::int64_t Arguments::field_number(const Expression& structure, std::string_view name,
                                     std::int64_t otherwise) {
  const Expression* found = field(structure, name);
  return found == nullptr || found->kind == Kind::ellipsis ? otherwise : number_of(*found);
}

SocketAddress socket_address(const Expression& structure) {
  if (structure.kind != Kind::structure) {
    Arguments::wrong(structure.mark, "expected an address, as {sa_family = AF_INET, ...}, or ...");
  }
  SocketAddress result;
  const std::int64_t family = Arguments::field_number(structure, "sa_family", AF_INET);
  if (family == AF_UNSPEC) {
    result.is_unspecified = true;
    return result;
  }
  if (family != AF_INET && family != AF_INET6) {
    Arguments::unsupported(structure.mark, "addresses are of AF_INET or AF_INET6");
  }
  const bool is_v4 = family == AF_INET;
  result.endpoint.address = IpAddress::any(is_v4 ? Family::ipv4 : Family::ipv6);
  const std::int64_t port = Arguments::field_number(structure, is_v4 ? "sin_port" : "sin6_port", 0);
  if (port < 0 || port > 65'535) Arguments::wrong(structure.mark, "a port is from 0 to 65535");
  result.endpoint.port = static_cast<Port>(port);
  const Expression* address = Arguments::field(structure, is_v4 ? "sin_addr" : "sin6_addr");
  for (const Expression& item : structure.items) {
    if (item.kind == Kind::call && item.text == "inet_pton") address = &item;
  }
  if (address != nullptr && address->kind != Kind::ellipsis) {
    result.endpoint.address = address_of(*address, is_v4 ? Family::ipv4 : Family::ipv6);
  }
  return result;
}

}  // namespace lanyard::lab::drill
