#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "mpi_call.hpp"
#include "polyhead/base/trace.hpp"

namespace polyhead::comm {

/// Requests of one started collective. Not thread-safe: MpiProgress guards it.
class OpenRequests {
 public:
  /// `name`: shown in traces.
  OpenRequests(std::vector<MPI_Request> requests, const char* name)
      : requests_(std::move(requests)), flight_(name) {}
  /// Whether all have ended; asking makes MPI work on them.
  bool test();

 private:
  std::vector<MPI_Request> requests_;
  trace::Flight flight_;
};

/// Keeps started collectives moving while their rank computes. MPI works on them only inside its own calls;
/// without this an exchange would begin when a caller waits for it, and nothing would overlap. A thread tests
/// the open requests every half millisecond, and sleeps while there are none. It costs under 1% of a core
/// while an exchange is open, and nothing otherwise. (MPI's own progress threads are no alternative: Open MPI
/// 4.1 is built without them.)
class MpiProgress {
 public:
  MpiProgress() = default;
  ~MpiProgress();
  MpiProgress(const MpiProgress&) = delete;
  MpiProgress& operator=(const MpiProgress&) = delete;

  void add(const std::shared_ptr<OpenRequests>& requests);
  void remove(const std::shared_ptr<OpenRequests>& requests);
  /// Tests them from the caller's thread. Throws Error(unavailable) when MPI reports a failure.
  bool test(OpenRequests& requests);

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::shared_ptr<OpenRequests>> open_;
  bool ending_ = false;
  std::thread thread_;  // started by the first collective
};

}  // namespace polyhead::comm
