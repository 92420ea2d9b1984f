#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <vector>

namespace polyhead::comm {

/// Basis of collectives between threads. The n-th call of each rank joins round n and leaves its bytes there,
/// until every rank has taken what it needs.
class LocalRounds {
 public:
  using Parts = std::vector<std::vector<std::byte>>;  // by rank

  LocalRounds(int ranks, std::chrono::milliseconds timeout);

  [[nodiscard]] int ranks() const { return static_cast<int>(next_.size()); }
  /// Joins a round and never waits. Returns the round's number, for one call of `take`.
  std::uint64_t join(int rank, std::span<const std::byte> bytes);
  /// Waits until all ranks have joined; `use` sees their bytes. Throws Error(unavailable) when one does not
  /// join in time.
  void take(std::uint64_t round, const std::function<void(const Parts&)>& use);

 private:
  struct Round {
    int joined = 0;
    int taken = 0;
    Parts parts;
  };

  std::chrono::milliseconds timeout_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::uint64_t> next_;  // by rank
  std::map<std::uint64_t, Round> rounds_;
};

}  // namespace polyhead::comm
