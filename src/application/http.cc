// SPDX-License-Identifier: Apache-2.0
// `http serve` and `http get`: small, and correct in what they do (persistent connections, HEAD,
// POST, chunked bodies).
#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "application/http_message.hh"
#include "application/programs.hh"
#include "application/resolver.hh"

namespace lanyard::application {

namespace {

using socket::Process;
using socket::Socket;
using socket::Type;

constexpr std::uint64_t made_bytes_max = 1'000'000'000'000;

struct Answer {
  int status = 200;
  std::string_view reason = "OK";
  std::string content_type = "text/plain; charset=utf-8";
  std::string body{};
  std::uint64_t made_bytes = 0;  // instead of `body`: this many bytes of the alphabet
};

// "/bytes/N" -> N.
std::optional<std::uint64_t> wanted_bytes(std::string_view target) {
  constexpr std::string_view prefix = "/bytes/";
  if (!target.starts_with(prefix)) return std::nullopt;
  target.remove_prefix(prefix.size());
  std::uint64_t bytes = 0;
  const auto [end, error] = std::from_chars(target.data(), target.data() + target.size(), bytes);
  if (error != std::errc() || end != target.data() + target.size()) return std::nullopt;
  return bytes <= made_bytes_max ? std::optional(bytes) : std::nullopt;
}

Answer answer_to(const HttpHead& request, std::string body, const std::string& host_name) {
  const std::string_view method = request.first;
  const std::string_view target = request.second;
  if (method == "POST" && target == "/echo") return {.body = std::move(body)};
  if (method != "GET" && method != "HEAD") {
    return {.status = 405, .reason = "Method Not Allowed", .body = "GET, HEAD, or POST /echo\n"};
  }
  if (target == "/") {
    return {.content_type = "text/html; charset=utf-8",
            .body = fmt::format("<!doctype html><title>{0}</title><h1>Hello from {0}</h1>\n",
                                host_name)};
  }
  if (const auto bytes = wanted_bytes(target)) {
    return {.content_type = "application/octet-stream", .made_bytes = *bytes};
  }
  return {.status = 404, .reason = "Not Found", .body = fmt::format("{} is not here\n", target)};
}

bool send_made_bytes(Socket& peer, std::uint64_t bytes) {
  constexpr std::size_t piece_bytes = 26 * 2048;  // whole alphabets, so that each piece is the same
  std::string piece(std::min<std::uint64_t>(bytes, piece_bytes), 'a');
  for (std::size_t i = 0; i < piece.size(); ++i) piece[i] = static_cast<char>('a' + i % 26);
  while (bytes > 0) {
    const std::size_t size = std::min<std::uint64_t>(bytes, piece.size());
    if (!peer.send(std::string_view(piece).substr(0, size))) return false;
    bytes -= size;
  }
  return true;
}

bool send_answer(Socket& peer, const Answer& answer, bool head_only, bool is_last) {
  const std::uint64_t length = answer.made_bytes > 0 ? answer.made_bytes : answer.body.size();
  std::string text = fmt::format(
      "HTTP/1.1 {} {}\r\nServer: Lanyard\r\nContent-Type: {}\r\nContent-Length: {}\r\n{}\r\n",
      answer.status, answer.reason, answer.content_type, length,
      is_last ? "Connection: close\r\n" : "");
  if (!head_only) text += answer.body;
  if (!peer.send(text)) return false;
  return head_only || answer.made_bytes == 0 || send_made_bytes(peer, answer.made_bytes);
}

// Reads a request's body; too much or nonsense is answered in the returned Answer.
std::optional<Answer> read_body(HttpReader& reader, const HttpHead& request, std::string& body) {
  bool is_too_large = false;
  const auto got = reader.body(request, false, [&](std::string_view piece) {
    if (body.size() + piece.size() > http_body_bytes_max) {
      is_too_large = true;
    } else {
      body += piece;
    }
  });
  if (is_too_large) return Answer{.status = 413, .reason = "Content Too Large"};
  if (!got)
    return Answer{.status = 400, .reason = "Bad Request", .body = "the body is malformed\n"};
  return std::nullopt;
}

void serve_connection(Process& process, socket::Handle handle) {
  Socket peer(process, handle);
  HttpReader reader(peer);
  while (true) {
    const auto request = reader.head();
    if (!request) {
      if (request.error() == HttpReader::Failure::malformed) {
        send_answer(peer, {.status = 400, .reason = "Bad Request"}, false, true);
      } else if (request.error() == HttpReader::Failure::too_large) {
        send_answer(peer, {.status = 431, .reason = "Request Header Fields Too Large"}, false,
                    true);
      }
      return;
    }
    if (request->has_token("expect", "100-continue"))
      (void)peer.send("HTTP/1.1 100 Continue\r\n\r\n");
    std::string body;
    const auto refusal = read_body(reader, *request, body);
    const bool is_last =
        refusal || request->has_token("connection", "close") ||
        (request->third != "HTTP/1.1" && !request->has_token("connection", "keep-alive"));
    const Answer answer =
        refusal ? *refusal : answer_to(*request, std::move(body), process.names().host_name);
    process.print(1, fmt::format("{} {} {}\n", request->first, request->second, answer.status));
    if (!send_answer(peer, answer, request->first == "HEAD", is_last) || is_last) return;
  }
}

int serve(Process& process, Port port) {
  Socket listener(process, Family::ipv6, Type::stream);
  (void)listener.set_option(socket::Option::reuse_address, std::int64_t{1});
  if (const auto bound = listener.bind({IpAddress::any(Family::ipv6), port}); !bound) {
    process.print(2, fmt::format("http: port {}: {}\n", port, errno_text(bound.error())));
    return 1;
  }
  (void)listener.listen(512);
  while (true) {
    auto peer = listener.accept();
    if (!peer) return 1;
    process.spawn([handle = peer->release()](Process& own) { serve_connection(own, handle); });
  }
}

struct Url {
  std::string host;
  Port port = 80;
  std::string target = "/";
};

// http://host[:port][/target]; IPv6 hosts in brackets. The scheme may be left out.
std::optional<Url> parse_url(std::string_view text) {
  Url url;
  if (text.starts_with("http://")) text.remove_prefix(7);
  if (text.find("://") != std::string_view::npos) return std::nullopt;
  const auto slash = text.find('/');
  if (slash != std::string_view::npos) url.target = text.substr(slash);
  std::string_view authority = text.substr(0, slash);
  if (authority.starts_with('[')) {
    const auto bracket = authority.find(']');
    if (bracket == std::string_view::npos) return std::nullopt;
    url.host = authority.substr(1, bracket - 1);
    authority.remove_prefix(bracket + 1);
  } else {
    const auto colon = authority.find(':');
    url.host = authority.substr(0, colon);
    authority.remove_prefix(std::min(colon, authority.size()));
  }
  if (authority.starts_with(':')) {
    unsigned port = 0;
    const auto [end, error] =
        std::from_chars(authority.data() + 1, authority.data() + authority.size(), port);
    if (error != std::errc() || end != authority.data() + authority.size() || port == 0 ||
        port > 65535) {
      return std::nullopt;
    }
    url.port = static_cast<Port>(port);
  } else if (!authority.empty()) {
    return std::nullopt;
  }
  return url.host.empty() ? std::nullopt : std::optional(url);
}

// One request and its answer on an open connection: the status, or what went wrong.
std::expected<int, std::string> fetch(Process& process, Socket& socket, HttpReader& reader,
                                      const Url& url, const Arguments& arguments, bool is_last) {
  const auto post = arguments.value("--post");
  const std::string_view method = post ? "POST" : arguments.has("--head") ? "HEAD" : "GET";
  std::string request =
      fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: lanyard\r\nAccept: */*\r\n", method,
                  url.target, url.host);
  if (post) request += fmt::format("Content-Length: {}\r\n", post->size());
  if (is_last) request += "Connection: close\r\n";
  request += "\r\n" + post.value_or("");
  if (const auto sent = socket.send(request); !sent)
    return std::unexpected(std::string(errno_text(sent.error())));
  while (true) {
    const auto head = reader.head();
    if (!head) return std::unexpected("the connection ended without an answer");
    int status = 0;
    std::from_chars(head->second.data(), head->second.data() + head->second.size(), status);
    if (status / 100 == 1) continue;  // RFC 9110 15.2: an interim answer
    if (method == "HEAD") {
      process.print(1, fmt::format("{} {} {}\n", head->first, head->second, head->third));
      for (const auto& [name, value] : head->fields)
        process.print(1, fmt::format("{}: {}\n", name, value));
      return status;
    }
    if (status == 204 || status == 304) return status;
    const auto body =
        reader.body(*head, true, [&](std::string_view piece) { process.print(1, piece); });
    if (!body) return std::unexpected("the answer's body is incomplete");
    return status;
  }
}

int get(Process& process, const Arguments& arguments, std::uint64_t repeat) {
  const auto url = parse_url(arguments.words()[1]);
  if (!url) return wrong_usage(process, "http", "the URL must look like http://host:port/path");
  auto socket = connect_to(process, url->host, url->port, wanted_family(arguments));
  if (!socket) {
    process.print(2, fmt::format("http: {}\n", socket.error()));
    return 1;
  }
  HttpReader reader(*socket);
  for (std::uint64_t i = 1; i <= repeat; ++i) {
    const auto status = fetch(process, *socket, reader, *url, arguments, i == repeat);
    if (!status || *status / 100 != 2) {
      process.print(2, fmt::format("http: {}\n",
                                   status ? fmt::format("status {}", *status) : status.error()));
      return 1;
    }
  }
  return 0;
}

}  // namespace

int http(Process& process, std::span<const std::string> all) {
  Arguments arguments(all.subspan(1), {.with_value = {"--port", "--post", "--repeat"},
                                       .without_value = {"--head", "-4", "-6"},
                                       .words_min = 1,
                                       .words_max = 2});
  const auto port = static_cast<Port>(arguments.number("--port", 80, 1, 65535));
  const auto repeat = arguments.number("--repeat", 1, 1, 1'000'000'000);
  if (!arguments.problem().empty()) return wrong_usage(process, "http", arguments.problem());
  const auto& words = arguments.words();
  if (words[0] == "serve" && words.size() == 1) return serve(process, port);
  if (words[0] == "get" && words.size() == 2) return get(process, arguments, repeat);
  return wrong_usage(process, "http", "say 'serve', or 'get URL'");
}

}  // namespace lanyard::application
