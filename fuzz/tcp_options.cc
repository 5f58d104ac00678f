// SPDX-License-Identifier: Apache-2.0
// Any bytes as the options of a TCP header: read in bounded time, and what was understood is read
// the same again after writing. The first byte says whether it is a SYN.
// links: wire
#include <array>
#include <cstddef>
#include <cstdint>

#include "core/check.hh"
#include "wire/tcp_options.hh"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lanyard;
  if (size == 0) return 0;
  const bool is_syn = (data[0] & 1) != 0;
  tcp::Options options = tcp::Options::parse({data + 1, size - 1}, is_syn);
  CHECK(options.sack_blocks <= tcp::sack_blocks_max);
  CHECK(!options.window_scale || *options.window_scale <= tcp::window_scale_max);
  if (options.size() > tcp::options_size_max) return 0;
  std::array<std::uint8_t, tcp::options_size_max> written{};
  options.write(written.data());
  // These are recognised, not written.
  options.has_md5_signature = options.has_authentication = options.is_malformed = false;
  CHECK(tcp::Options::parse({written.data(), options.size()}, is_syn) == options);
  return 0;
}
