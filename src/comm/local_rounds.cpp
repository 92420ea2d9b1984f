#include "local_rounds.hpp"

#include "polyhead/base/error.hpp"

namespace polyhead::comm {

LocalRounds::LocalRounds(int ranks, std::chrono::milliseconds timeout)
    : timeout_(timeout), next_(static_cast<std::size_t>(ranks)) {}

std::uint64_t LocalRounds::join(int rank, std::span<const std::byte> bytes) {
  const auto index = static_cast<std::size_t>(rank);
  const std::lock_guard lock(mutex_);
  const std::uint64_t number = next_[index]++;
  Round& round = rounds_[number];
  round.parts.resize(next_.size());
  round.parts[index].assign(bytes.begin(), bytes.end());
  if (++round.joined == ranks()) changed_.notify_all();
  return number;
}

void LocalRounds::take(std::uint64_t number, const std::function<void(const Parts&)>& use) {
  std::unique_lock lock(mutex_);
  Round& round = rounds_.at(number);
  if (!changed_.wait_for(lock, timeout_, [&] { return round.joined == ranks(); })) {
    throw TimeoutError(ExitCode::unavailable, "a rank did not join a collective in time");
  }
  lock.unlock();  // no thread writes to a full round, and this rank has not taken it yet
  use(round.parts);
  lock.lock();
  if (++round.taken == ranks()) rounds_.erase(number);
}

}  // namespace polyhead::comm
