#pragma once

#include <algorithm>
#include <chrono>
#include <thread>

namespace polyhead::comm {

/// Polls `done`, with sleeps that grow from 20 to 500 us, until it is true or `limit` has passed. Spinning
/// would take the core from the computation (a blocked MPI_Recv halves the speed of its rank). Returns false
/// after the limit.
template <class Done>
bool wait_until(Done done, std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  auto pause = std::chrono::microseconds(20);
  while (!done()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::microseconds(500));
  }
  return true;
}

}  // namespace polyhead::comm
