// SPDX-License-Identifier: Apache-2.0
#include "application/http_message.hh"

#include <algorithm>
#include <charconv>

namespace lanyard::application {

namespace {

constexpr std::size_t read_bytes = 65536;

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<std::uint64_t> whole_number(std::string_view text, int base) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool read_start_line(std::string_view line, HttpHead& head) {
  const auto first = line.find(' ');
  if (first == std::string_view::npos || first == 0) return false;
  const auto second = line.find(' ', first + 1);
  head.first = line.substr(0, first);
  head.second =
      line.substr(first + 1, second == std::string_view::npos ? second : second - first - 1);
  if (second != std::string_view::npos) head.third = line.substr(second + 1);
  return !head.second.empty();
}

// RFC 9112 5: no white space before the colon, none in the name.
bool read_field(std::string_view line, HttpHead& head) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view name = line.substr(0, colon);
  if (name.find_first_of(" \t") != std::string_view::npos) return false;
  std::string& value = head.fields[lower(name)];
  if (!value.empty()) value += ", ";
  value += trimmed(line.substr(colon + 1));
  return true;
}

}  // namespace

std::optional<HttpHead> HttpHead::parse(std::string_view text) {
  HttpHead head;
  bool is_first = true;
  while (!text.empty() || is_first) {
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!(is_first ? read_start_line(line, head) : read_field(line, head))) return std::nullopt;
    is_first = false;
  }
  return head;
}

std::string_view HttpHead::field(std::string_view name) const {
  const auto found = fields.find(name);
  return found == fields.end() ? std::string_view{} : std::string_view(found->second);
}

bool HttpHead::has_token(std::string_view field_name, std::string_view token) const {
  std::string_view rest = field(field_name);
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    if (lower(trimmed(rest.substr(0, comma))) == token) return true;
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
  }
  return false;
}

HttpReader::Read<void> HttpReader::fill() {
  const auto some = socket_.recv(read_bytes);
  if (!some) return std::unexpected(Failure::reset);
  if (some->empty()) return std::unexpected(Failure::closed);
  kept_ += *some;
  return {};
}

HttpReader::Read<HttpHead> HttpReader::head() {
  std::size_t looked = 0;
  while (true) {
    // RFC 9112 2.2: an empty line before the request line is ignored; a bare LF ends a line too.
    while (kept_.starts_with("\r\n")) kept_.erase(0, 2);
    std::size_t end = kept_.find("\r\n\r\n", looked);
    std::size_t gap = 4;
    if (const auto bare = kept_.find("\n\n", looked); bare < end) {
      end = bare;
      gap = 2;
    }
    if (end != std::string::npos) {
      auto parsed = HttpHead::parse(std::string_view(kept_).substr(0, end));
      kept_.erase(0, end + gap);
      if (!parsed) return std::unexpected(Failure::malformed);
      return *std::move(parsed);
    }
    if (kept_.size() > http_head_bytes_max) return std::unexpected(Failure::too_large);
    looked = kept_.size() < 3 ? 0 : kept_.size() - 3;
    if (const auto filled = fill(); !filled) {
      const bool is_clean = filled.error() == Failure::closed && kept_.empty();
      return std::unexpected(is_clean ? Failure::closed : Failure::reset);
    }
  }
}

HttpReader::Read<std::string> HttpReader::line(std::size_t bytes_max) {
  while (true) {
    const auto end = kept_.find('\n');
    if (end != std::string::npos) {
      std::string text = kept_.substr(0, end);
      kept_.erase(0, end + 1);
      if (text.ends_with('\r')) text.pop_back();
      return text;
    }
    if (kept_.size() > bytes_max) return std::unexpected(Failure::too_large);
    if (const auto filled = fill(); !filled) return std::unexpected(Failure::reset);
  }
}

HttpReader::Read<std::uint64_t> HttpReader::exactly(
    std::uint64_t bytes, const std::function<void(std::string_view)>& take) {
  std::uint64_t left = bytes;
  while (left > 0) {
    if (kept_.empty()) {
      if (const auto filled = fill(); !filled) return std::unexpected(Failure::reset);
    }
    const std::size_t size = std::min<std::uint64_t>(left, kept_.size());
    take(std::string_view(kept_).substr(0, size));
    kept_.erase(0, size);
    left -= size;
  }
  return bytes;
}

HttpReader::Read<std::uint64_t> HttpReader::chunks(
    const std::function<void(std::string_view)>& take) {
  std::uint64_t total = 0;
  while (true) {
    const auto size_line = line(http_head_bytes_max);
    if (!size_line) return std::unexpected(size_line.error());
    const std::string_view digits = std::string_view(*size_line).substr(0, size_line->find(';'));
    const auto size = whole_number(trimmed(digits), 16);
    if (!size) return std::unexpected(Failure::malformed);
    if (*size == 0) break;
    if (const auto got = exactly(*size, take); !got) return got;
    total += *size;
    const auto end = line(2);
    if (!end || !end->empty()) return std::unexpected(Failure::malformed);
  }
  while (true) {  // the trailer section
    const auto trailer = line(http_head_bytes_max);
    if (!trailer) return std::unexpected(trailer.error());
    if (trailer->empty()) return total;
  }
}

HttpReader::Read<std::uint64_t> HttpReader::rest(
    const std::function<void(std::string_view)>& take) {
  std::uint64_t total = 0;
  while (true) {
    take(kept_);
    total += kept_.size();
    kept_.clear();
    if (const auto filled = fill(); !filled) {
      if (filled.error() == Failure::closed) return total;
      return std::unexpected(filled.error());
    }
  }
}

HttpReader::Read<std::uint64_t> HttpReader::body(
    const HttpHead& head, bool until_close, const std::function<void(std::string_view)>& take) {
  if (head.has_token("transfer-encoding", "chunked")) return chunks(take);
  if (const std::string_view length = head.field("content-length"); !length.empty()) {
    const auto bytes = whole_number(length, 10);
    if (!bytes) return std::unexpected(Failure::malformed);
    return exactly(*bytes, take);
  }
  if (until_close) return rest(take);
  return 0;
}

}  // namespace lanyard::application
