// SPDX-License-Identifier: Apache-2.0
// Capture files as devices: one that plays a file's frames into a stack, and one that writes down
// what passes another device.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "device/frame_device.hh"
#include "wire/pcapng.hh"

namespace lanyard::device {

// The Ethernet frames of a pcap or pcapng file, one after another as fast as they are taken, then
// no_data. What is sent is counted and goes nowhere.
class CapturePlayer : public FrameDevice {
 public:
  // The sentence names the file, the offset and what is wrong there.
  [[nodiscard]] static std::expected<std::unique_ptr<CapturePlayer>, std::string> open(
      const std::string& path);
  ~CapturePlayer() override;
  CapturePlayer(const CapturePlayer&) = delete;
  CapturePlayer& operator=(const CapturePlayer&) = delete;

  [[nodiscard]] int descriptor() const override { return always_; }
  [[nodiscard]] DeviceAbilities abilities() const override { return {}; }
  Result<Packet> receive() override;
  Result<void> send(Packet frame) override;
  [[nodiscard]] std::size_t frames() const { return frames_.size(); }
  [[nodiscard]] std::uint64_t sent_frames() const { return sent_frames_; }

 private:
  CapturePlayer();
  std::expected<void, std::string> read(Bytes file);
  void take(const pcapng::Record& record);
  std::vector<std::uint16_t> link_types_;
  std::vector<Packet> frames_;
  std::size_t next_ = 0;
  std::uint64_t sent_frames_ = 0;
  int always_;  // an eventfd, readable for good
};

// Another device, with every frame written to a pcapng file as a wire would carry it:
// super-segments cut, checksums finished.
class CaptureRecorder : public FrameDevice {
 public:
  // `device` outlives this. The sentence says why the file cannot be written.
  [[nodiscard]] static std::expected<std::unique_ptr<CaptureRecorder>, std::string> open(
      FrameDevice& device, const std::string& path);
  ~CaptureRecorder() override;
  CaptureRecorder(const CaptureRecorder&) = delete;
  CaptureRecorder& operator=(const CaptureRecorder&) = delete;

  [[nodiscard]] int descriptor() const override { return device_.descriptor(); }
  [[nodiscard]] DeviceAbilities abilities() const override { return device_.abilities(); }
  Result<Packet> receive() override;
  Result<void> send(Packet frame) override;

 private:
  struct File;
  CaptureRecorder(FrameDevice& device, std::unique_ptr<File> file);
  void record(const Packet& frame, pcapng::Direction direction);
  FrameDevice& device_;
  std::unique_ptr<File> file_;
};

}  // namespace lanyard::device
