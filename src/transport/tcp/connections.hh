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
  [[nodiscard]] Connection* find(ConnectionId id) {
    return latest_ != nullptr && latest_->id == id ? latest_ : look_up(id);
  }
  // A connection, or what is left of one in TIME-WAIT.
  [[nodiscard]] Node* find(const Endpoint& local, const Endpoint& remote) {
    const bool is_latest = latest_ != nullptr && latest_->is_between(local, remote);
    return is_latest && !latest_->is_over ? latest_ : look_up(local, remote);
  }
  // Where it lies, folded or not.
  [[nodiscard]] Place& place_of(const Connection& c) const { return *places_.find(c.id); }
  void remove(ConnectionId id);
  // At the end of a call: folds some of those that are idle if more than config says are not.
  void fold_idle() {
    if (awake() > config_.unfolded_connections_max) fold_some();
  }
  [[nodiscard]] std::size_t size() const { return places_.size(); }
  [[nodiscard]] std::size_t folded() const { return size() - awake(); }
  [[nodiscard]] std::vector<Connection*> unfolded() const;
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
  // Those that were unfolded last, or are new. Most are done with what they were unfolded for
  // before they leave, and are folded while their memory is near. Numbered as they came.
  class Young {
   public:
    void add(Connection& c);
    Connection* take_first();  // null: that one has ended
    void forget(const Connection& c) { all_[c.awake_at - first_number_] = nullptr, --size_; }
    [[nodiscard]] std::size_t size() const { return size_; }
    // With those that have ended since.
    [[nodiscard]] std::size_t span() const { return all_.size() - first_; }
    // How many came after it.
    [[nodiscard]] std::uint32_t age(const Connection& c) const {
      return first_number_ + static_cast<std::uint32_t>(all_.size()) - c.awake_at;
    }

   private:
    std::vector<Connection*> all_;
    std::size_t first_ = 0;           // those before it have left
    std::uint32_t first_number_ = 0;  // of all_[0]
    std::size_t size_ = 0;
  };
  static constexpr std::size_t young_max = 64;
  Connection* look_up(ConnectionId id);
  Node* look_up(const Endpoint& local, const Endpoint& remote);
  Connection& unfold(Place& place);
  void note_use(Connection& c) const {
    if (!c.is_young || young_.age(c) > young_max / 2) c.is_recent = true;
  }
  [[nodiscard]] std::size_t awake() const { return young_.size() + old_.size(); }
  void add_young(Connection& c);
  void fold_some();
  void look_at_old();
  Connection* leave_young();
  [[nodiscard]] bool try_fold(Connection& c);
  void add_old(Connection& c);
  void end(Connection& c);
  [[nodiscard]] std::size_t place_for(const std::shared_ptr<const Settings>& settings) const;
  // To be read only: what it owns is still the folded one's, and it gives that back.
  void lend(const Folded& folded, Connection& copy) const;
  static void take_back(Connection& copy);

  const transport::Config& config_;
  Demux& demux_;
  transport::Slots<ConnectionId, Place> places_;
  Connection* latest_ = nullptr;  // found last: calls and segments come in runs
  Young young_;
  std::vector<Connection*> old_;        // the others that are unfolded
  std::size_t hand_ = 0;                // the next one of them to be looked at
  std::size_t looks_ = 0;               // how many are paid for
  std::uint32_t left_ = 0, calls_ = 0;  // who left the young; calls that left too many unfolded
  std::vector<Used> used_;
};

}  // namespace lanyard::tcp
