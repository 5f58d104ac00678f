// SPDX-License-Identifier: Apache-2.0
#include "guest/entrances.hh"

#include <sys/epoll.h>

#include <algorithm>

namespace lanyard::guest {

Entrances::~Entrances() {
  for (const auto& [number, entrance] : entrances_)
    loop_.forget(entrance.door == nullptr ? number : entrance.door->descriptor());
}

void Entrances::open(Descriptor listener) {
  const int number = listener.get();
  watch(entrances_.insert_or_assign(number, Entrance{Listener(std::move(listener))}).first->second);
}

void Entrances::watch(Entrance& entrance) {
  loop_.watch(entrance.listener.descriptor(), EPOLLIN,
              [this, &entrance](std::uint32_t events) { on_listener(entrance, events); });
}

void Entrances::on_listener(Entrance& entrance, std::uint32_t events) {
  if ((events & EPOLLIN) != 0) {
    // One at a time: RECV would wait for another, and epoll tells of it as cheaply as poll would.
    Call call;
    if (entrance.listener.receive(call)) {
      receptionist_.on_call(call);
      entrance.ahead = std::max(entrance.ahead + (Door::is_for(call) ? 1 : -1), 0);
      if (entrance.ahead >= Door::calls_ahead) open_door(entrance);
    }
  } else if ((events & EPOLLHUP) != 0) {
    const int number = entrance.listener.descriptor();
    loop_.forget(number);
    receptionist_.on_gone(entrance.listener);
    entrances_.erase(number);
  }
  receptionist_.on_round_ended();
}

void Entrances::open_door(Entrance& entrance) {
  entrance.ahead = 0;
  entrance.door = Door::open(entrance.listener, gates_);
  if (entrance.door == nullptr) return;
  loop_.forget(entrance.listener.descriptor());
  loop_.watch(entrance.door->descriptor(), EPOLLIN,
              [this, &entrance](std::uint32_t) { on_door(entrance); });
}

void Entrances::on_door(Entrance& entrance) {
  const Door::News news = entrance.door->take();
  for (const std::uint64_t inode : news.corks) receptionist_.on_corks(inode);
  for (const Call& call : news.calls) receptionist_.on_call(call);
  if (news.has_left) {
    loop_.forget(entrance.door->descriptor());
    entrance.door.reset();
    watch(entrance);
  }
  receptionist_.on_round_ended();
}

}  // namespace lanyard::guest
