#pragma once

#include <chrono>
#include <memory>

#include "polyhead/comm/channel.hpp"
#include "polyhead/comm/collectives.hpp"

namespace polyhead::comm {

/// Ranks that are threads of one process: the distributed code runs in a unit test, and under
/// ThreadSanitizer, without MPI.
class LocalWorld {
 public:
  explicit LocalWorld(int size, std::chrono::milliseconds timeout = std::chrono::seconds(30));
  ~LocalWorld();

  /// This rank's end, for its thread. The world must outlive it.
  [[nodiscard]] std::unique_ptr<Collectives> collectives(int rank);
  /// This rank's end of channel `number`; ends with equal numbers reach each other.
  [[nodiscard]] std::unique_ptr<Channel> channel(int rank, int number);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace polyhead::comm
