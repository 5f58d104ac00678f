// SPDX-License-Identifier: Apache-2.0
#include "transport/tcp/recovery.hh"

namespace lanyard::tcp {

// RFC 6937 3 [RFC6937-3-a], with the conservative bound where the path still loses (RFC 9937).
void RateReduction::take(const Ack& ack) {
  delivered_ += ack.delivered;
  std::uint64_t room = 0;
  if (ack.pipe > target_) {
    const std::uint64_t share = (delivered_ * target_ + before_ - 1) / before_;
    room = share > out_ ? share - out_ : 0;
  } else {
    const std::uint64_t owed = delivered_ > out_ ? delivered_ - out_ : 0;
    const std::uint64_t bound =
        std::max<std::uint64_t>(owed, ack.delivered) + (ack.is_good ? ack.mss : 0);
    room = std::min<std::uint64_t>(target_ - ack.pipe, bound);
  }
  window_ = ack.pipe + static_cast<std::uint32_t>(std::min<std::uint64_t>(room, UINT32_MAX / 4));
}

void Recovery::note_sent(Instant now, const Outgoing& outgoing, const Sender& sender) {
  const Sender::Recovery phase = sender.recovery();
  if (phase == Sender::Recovery::fast || is_slowing) rate.sent(outgoing.size);
  if (!outgoing.is_retransmission) {
    last_sent = now;
    return;
  }
  if (phase == Sender::Recovery::none) return;  // a tail probe
  resent += outgoing.size + (outgoing.has_fin ? 1 : 0);
  if (first_resent_at != Instant::never()) return;
  // RFC 3522 3.2 step 2: once for each recovery, and only where it begins with what is oldest.
  first_resent_at = now;
  is_echo_awaited = outgoing.sequence == sender.una();
}

void Recovery::note_usage(const Sender& sender, bool limited) {
  const std::uint32_t out = sender.flight();
  if (before(sender.una(), usage_end) && !limited && (is_limited || out <= most_out)) return;
  is_limited = limited;
  most_out = out;
  usage_end = sender.next();
}

}  // namespace lanyard::tcp
