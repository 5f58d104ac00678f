// SPDX-License-Identifier: Apache-2.0
#include "guest/door.hh"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "guest/virtual_socket.hh"

namespace lanyard::guest {

bool Door::is_for(const Call& call) {
  return call.number == __NR_setsockopt && call.int_argument(1) == IPPROTO_TCP &&
         call.int_argument(2) == TCP_CORK && call.int_argument(4) == sizeof(int);
}

Door::Door(Listener& listener, Gates& gates)
    : listener_(listener),
      gates_(gates),
      tells_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      stops_(eventfd(0, EFD_CLOEXEC)) {}

std::unique_ptr<Door> Door::open(Listener& listener, Gates& gates) {
  std::unique_ptr<Door> door(new Door(listener, gates));
  if (!door->tells_.is_open() || !door->stops_.is_open()) return nullptr;
  try {
    door->thread_ = std::thread([at = door.get()] { at->run(); });
  } catch (const std::system_error&) {
    return nullptr;
  }
  return door;
}

Door::~Door() {
  if (!thread_.joinable()) return;
  eventfd_write(stops_.get(), 1);
  thread_.join();
}

Door::News Door::take() {
  eventfd_t count = 0;
  eventfd_read(tells_.get(), &count);
  const std::lock_guard hold(mutex_);
  return std::exchange(news_, {});
}

template <typename Change>
void Door::tell(Change change) {
  {
    const std::lock_guard hold(mutex_);
    change(news_);
  }
  eventfd_write(tells_.get(), 1);
}

void Door::run() {
  int ahead = calls_ahead;
  while (ahead > 0 && wait()) {
    Call call;
    if (!listener_.receive(call)) continue;
    const bool is_answered = answer(call);
    ahead = is_answered ? std::min(ahead + 1, calls_ahead) : ahead - 1;
    if (!is_answered) tell([&call](News& news) { news.calls.push_back(call); });
  }
  tell([](News& news) { news.has_left = true; });
}

// For a call; false: there is none to come. poll(2), because a wake-up through an epoll forgets on
// which processor it was to be.
bool Door::wait() const {
  pollfd looks[2] = {{listener_.descriptor(), POLLIN, 0}, {stops_.get(), POLLIN, 0}};
  while (poll(looks, 2, -1) < 0) continue;
  return looks[1].revents == 0 && (looks[0].revents & POLLIN) != 0;
}

bool Door::answer(const Call& call) {
  if (!is_for(call)) return false;
  // What is fetched is closed again before the program runs on.
  const std::uint64_t inode = inode_of(fetcher_.fetch(call.thread, call.int_argument(0)));
  const std::shared_ptr<Gate> gate = gates_.find(inode);
  int value = 0;
  if (gate == nullptr || !read_value(call.thread, call.arguments[3], value)) return false;
  const Gate::Kept kept = gate->keep(value != 0);
  if (kept == Gate::Kept::no) return false;
  listener_.reply(call, 0);
  if (value == 0 && kept != Gate::Kept::with_bytes)
    tell([inode](News& news) { news.corks.push_back(inode); });
  return true;
}

}  // namespace lanyard::guest
