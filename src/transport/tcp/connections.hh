// SPDX-License-Identifier: Apache-2.0
// The connections of a machine, by their ids and by their ends. Where there are many, those at
// which nothing has happened for a while are folded; whoever asks for one gets it unfolded. What is
// returned stays where it is until the next fold_idle().
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "transport/config.hh"
#include "transport/slots.hh"
#include "transport/tcp/connection.hh"
#include "transport/tcp/demux.hh"

namespace lanyard::tcp {

class Connections {
 public:
  Connections(const transport::Config& config, Demux& demux) : config_(config), demux_(demux) {}
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;
  ~Connections();

  Connection& add();
  [[nodiscard]] Connection* find(ConnectionId id);
  // A connection, or what is left of one in TIME-WAIT.
  [[nodiscard]] Node* find(const Endpoint& local, const Endpoint& remote);
  void remove(ConnectionId id);
  // At the end of a call: folds some of those that are idle if more than config says are not.
  void fold_idle() {
    if (awake_.size() > config_.unfolded_connections_max) fold_some();
  }
  [[nodiscard]] std::size_t size() const { return places_.size(); }
  [[nodiscard]] std::size_t folded() const { return size() - awake_.size() + gone_; }
  // In the order of their slots.
  template <typename See>
  void for_each(See see) const {
    places_.for_each([&](const Place& place) {
      if (const Folded* const folded = place.folded()) {
        Connection copy;
        lend(*folded, copy);
        see(static_cast<const Connection&>(copy));
        take_back(copy);
      } else {
        see(static_cast<const Connection&>(*place.node()));
      }
    });
  }

 private:
  // Settings of folded connections, and of how many: few differ, or they are not folded.
  static constexpr std::size_t used_max = 64;
  struct Used {
    std::shared_ptr<const Settings> settings;
    std::uint32_t count = 0;
  };
  Connection& unfold(Place& place);
  void fold_some();
  bool try_fold(ConnectionId id);
  [[nodiscard]] std::size_t place_for(const std::shared_ptr<const Settings>& settings) const;
  // To be read only: what it owns is still the folded one's, and it gives that back.
  void lend(const Folded& folded, Connection& copy) const;
  static void take_back(Connection& copy);

  const transport::Config& config_;
  Demux& demux_;
  transport::Slots<ConnectionId, Place> places_;
  std::vector<ConnectionId> awake_;  // those that are unfolded, and some that are gone
  std::size_t gone_ = 0;             // how many of these
  std::size_t hand_ = 0;             // the next one of them to be looked at
  std::vector<Used> used_;
};

}  // namespace lanyard::tcp
