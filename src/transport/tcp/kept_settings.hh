// SPDX-License-Identifier: Apache-2.0
// Settings that many connections have: equal ones are one object, as long as few differ.
#pragma once

#include <array>
#include <cstddef>
#include <memory>

#include "transport/tcp/settings.hh"

namespace lanyard::tcp {

class KeptSettings {
 public:
  explicit KeptSettings(const Settings& defaults) { set_defaults(defaults); }
  void set_defaults(const Settings& defaults) {
    defaults_ = std::make_shared<const Settings>(defaults);
  }
  [[nodiscard]] const std::shared_ptr<const Settings>& defaults() const { return defaults_; }
  [[nodiscard]] std::shared_ptr<const Settings> keep(const Settings& settings) {
    if (settings == *defaults_) return defaults_;
    for (const auto& kept : latest_)
      if (kept != nullptr && *kept == settings) return kept;
    last_ = (last_ + 1) % latest_.size();
    return latest_[last_] = std::make_shared<const Settings>(settings);
  }

 private:
  std::shared_ptr<const Settings> defaults_;
  std::array<std::shared_ptr<const Settings>, 4> latest_;  // that were asked for
  std::size_t last_ = 0;
};

}  // namespace lanyard::tcp
