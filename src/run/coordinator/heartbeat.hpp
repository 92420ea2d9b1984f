#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "polyhead/comm/channel.hpp"

namespace polyhead::run {

/// Tells the ranks that rank 0 is alive, from its own thread. Ranks may wait for a lease as long as their
/// leader computes, and a slow disk must not make the coordinator look lost.
class Heartbeat {
 public:
  Heartbeat(comm::Channel& to_ranks, int ranks, std::chrono::milliseconds interval);
  /// Leaves out a rank that has said farewell: it no longer listens.
  void leave_out(int rank);

 private:
  void run(const std::stop_token& end);

  comm::Channel& to_ranks_;
  std::chrono::milliseconds interval_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::set<int> ranks_;
  std::jthread thread_;  // the last member: it uses the others
};

}  // namespace polyhead::run
