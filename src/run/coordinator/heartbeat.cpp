#include "heartbeat.hpp"

#include <stop_token>

#include "polyhead/base/error.hpp"
#include "run/protocol/messages.hpp"

namespace polyhead::run {

Heartbeat::Heartbeat(comm::Channel& to_ranks, int ranks, std::chrono::milliseconds interval)
    : to_ranks_(to_ranks), interval_(interval) {
  for (int rank = 0; rank < ranks; ++rank) ranks_.insert(rank);
  thread_ = std::jthread([this](const std::stop_token& end) { run(end); });
}

void Heartbeat::leave_out(int rank) {
  const std::lock_guard lock(mutex_);
  ranks_.erase(rank);
}

void Heartbeat::run(const std::stop_token& end) {
  std::unique_lock lock(mutex_);
  while (!end.stop_requested()) {
    const std::set<int> ranks = ranks_;
    lock.unlock();
    for (const int rank : ranks) {
      try {
        to_ranks_.send(rank, static_cast<int>(ToRank::alive), {});
      } catch (const Error&) {  // a lost rank is found by its silence
      }
    }
    lock.lock();
    wake_.wait_for(lock, end, interval_, [] { return false; });
  }
}

}  // namespace polyhead::run
