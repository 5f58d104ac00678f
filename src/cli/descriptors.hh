// SPDX-License-Identifier: Apache-2.0
// Descriptors that close themselves, and their passing over AF_UNIX sockets.
#pragma once

#include <sys/types.h>

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lanyard::cli {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor();
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

// Appends what has come to `bytes` and received descriptors to `descriptors`. As recvmsg(2): 0 at
// the end, -1 with errno.
ssize_t receive_with_descriptors(int socket, std::string& bytes,
                                 std::vector<Descriptor>& descriptors);

// Sends all of `bytes`, the descriptors beside its first byte; false with errno.
bool send_with_descriptors(int socket, std::string_view bytes, std::span<const int> descriptors);

}  // namespace lanyard::cli
