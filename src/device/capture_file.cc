// SPDX-License-Identifier: Apache-2.0
#include "device/capture_file.hh"

#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <variant>

#include <fmt/format.h>

#include "core/check.hh"
#include "link/segment.hh"

namespace lanyard::device {
namespace {

std::int64_t since_1970_ns() {
  timespec time{};
  CHECK(::clock_gettime(CLOCK_REALTIME, &time) == 0);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

std::unexpected<std::string> failure(const std::string& path, const char* what) {
  return std::unexpected(
      fmt::format("{}: {}: {}", path, what, errno_text(static_cast<Errno>(errno))));
}

}  // namespace

CapturePlayer::CapturePlayer() : always_(::eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC)) {
  CHECK(always_ >= 0);
}

CapturePlayer::~CapturePlayer() {
  ::close(always_);
}

std::expected<std::unique_ptr<CapturePlayer>, std::string> CapturePlayer::open(
    const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return failure(path, "cannot be opened");
  const std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (stream.bad()) return failure(path, "cannot be read");
  std::unique_ptr<CapturePlayer> player(new CapturePlayer);
  if (auto done = player->read(bytes_of(text)); !done) {
    return std::unexpected(fmt::format("{}: {}", path, done.error()));
  }
  return player;
}

std::expected<void, std::string> CapturePlayer::read(Bytes file) {
  const auto sentence = [](const pcapng::Error& error) {
    return std::unexpected(fmt::format("offset {}: {}", error.offset, error.reason));
  };
  pcapng::Reader reader;
  while (true) {
    const auto record = reader.next(file);
    if (!record) return sentence(record.error());
    if (!*record) break;
    take(**record);
    file = file.subspan(reader.taken());
  }
  if (const auto error = reader.end(file)) return sentence(*error);
  return {};
}

void CapturePlayer::take(const pcapng::Record& record) {
  if (std::holds_alternative<pcapng::Section>(record)) link_types_.clear();
  if (const auto* interface = std::get_if<pcapng::Interface>(&record)) {
    link_types_.push_back(interface->link_type);
  }
  const auto* packet = std::get_if<pcapng::CapturedPacket>(&record);
  if (packet == nullptr || packet->info.interface >= link_types_.size()) return;
  if (link_types_[packet->info.interface] != pcapng::link_type_ethernet) return;
  frames_.push_back(Packet::copy_of(packet->bytes));
}

Result<Packet> CapturePlayer::receive() {
  if (next_ == frames_.size()) return unexpected(Errno::no_data);
  return std::move(frames_[next_++]);
}

Result<void> CapturePlayer::send(Packet frame) {
  sent_frames_ += link::segment(std::move(frame)).size();
  return {};
}

struct CaptureRecorder::File {
  explicit File(const std::string& path) : stream(path, std::ios::binary | std::ios::trunc) {}
  std::ofstream stream;
  pcapng::Writer writer{[this](Bytes block) { stream << text_of(block); }};
  std::uint32_t interface = 0;
};

std::expected<std::unique_ptr<CaptureRecorder>, std::string> CaptureRecorder::open(
    FrameDevice& device, const std::string& path) {
  auto file = std::make_unique<File>(path);
  if (!file->stream) return failure(path, "cannot be written");
  file->writer.section({.application = "lanyard"});
  file->interface = file->writer.interface({.name = "device"});
  return std::unique_ptr<CaptureRecorder>(new CaptureRecorder(device, std::move(file)));
}

CaptureRecorder::CaptureRecorder(FrameDevice& device, std::unique_ptr<File> file)
    : device_(device), file_(std::move(file)) {}

CaptureRecorder::~CaptureRecorder() = default;

void CaptureRecorder::record(const Packet& frame, pcapng::Direction direction) {
  pcapng::PacketInfo info;
  info.interface = file_->interface;
  info.time_ns = since_1970_ns();
  info.direction = direction;
  for (const Packet& piece : link::segment(frame.share())) file_->writer.packet(info, piece);
}

Result<Packet> CaptureRecorder::receive() {
  Result<Packet> frame = device_.receive();
  if (frame) record(*frame, pcapng::Direction::inbound);
  return frame;
}

Result<void> CaptureRecorder::send(Packet frame) {
  record(frame, pcapng::Direction::outbound);
  return device_.send(std::move(frame));
}

}  // namespace lanyard::device
