# SPDX-License-Identifier: Apache-2.0
# again.sh COMMAND..: runs it until it succeeds, for a minute at most: on a busy machine a server takes its time to listen.
# Only the last try is heard.
for _ in $(seq 240); do
  if said=$(sh -c "$*" 2>&1); then
    printf '%s\n' "$said"
    exit 0
  fi
  sleep 0.25
done
printf '%s\n' "$said"
exit 1
