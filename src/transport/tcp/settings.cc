// SPDX-License-Identifier: Apache-2.0
#include "transport/tcp/settings.hh"

namespace lanyard::tcp {

// RFC 9293 3.8.4 [MUST-25]: keep-alive is off; [MUST-28]: two hours when it is on.
Settings Settings::defaults(const transport::Config& config) {
  Settings settings;
  settings.send_buffer_bytes = config.send_buffer_bytes;
  settings.receive_buffer_bytes = config.receive_buffer_bytes;
  settings.not_sent_default = config.not_sent_low_water;
  settings.syn_retries_max = config.syn_retries_max;
  settings.keep_alive_probes_max = config.keep_alive_probes_max;
  settings.keep_alive_idle = config.keep_alive_idle;
  settings.keep_alive_interval = config.keep_alive_interval;
  settings.congestion = config.congestion;
  settings.user_timeout_option = config.user_timeout_option;
  settings.fin_wait_2 = config.fin_wait_2_timeout;
  return settings;
}

}  // namespace lanyard::tcp
