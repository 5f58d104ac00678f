// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/time.hh"

namespace lanyard::tcp {

// How long there was something to send or acknowledge, and what of that time the peer's window or
// the send buffer held it back (TCP_INFO).
class Busy {
 public:
  void note(Instant now, bool is_busy, bool is_by_window, bool is_by_buffer) {
    all_.run(now, is_busy);
    by_window_.run(now, is_by_window);
    by_buffer_.run(now, is_by_buffer);
  }
  [[nodiscard]] Duration all(Instant now) const { return all_.at(now); }
  [[nodiscard]] Duration by_window(Instant now) const { return by_window_.at(now); }
  [[nodiscard]] Duration by_buffer(Instant now) const { return by_buffer_.at(now); }

 private:
  friend struct SendingFields;  // fold_sending.hh
  struct Watch {
    Duration sum;
    Instant since = Instant::never();
    void run(Instant now, bool is_on) {
      if (is_on == (since != Instant::never())) return;
      if (!is_on) sum += now - since;
      since = is_on ? now : Instant::never();
    }
    [[nodiscard]] Duration at(Instant now) const {
      return since == Instant::never() ? sum : sum + (now - since);
    }
  };
  Watch all_, by_window_, by_buffer_;
};

}  // namespace lanyard::tcp
