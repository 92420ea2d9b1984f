#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "polyhead/comm/channel.hpp"
#include "polyhead/comm/collectives.hpp"

namespace polyhead::comm {

/// MPI for the life of this object; one per process. Without mpirun it is a world of one rank. Calls that
/// make communicators block inside MPI: where another rank does not join in time, the job ends (`abort`,
/// unavailable).
class MpiEnvironment {
 public:
  static constexpr std::size_t kMaxPiece = std::size_t{1} << 30U;
  static constexpr std::chrono::minutes kStartLimit{2};

  /// Asks for MPI_THREAD_MULTIPLE and throws Error(unavailable) when MPI grants less. `timeout` bounds every
  /// later wait inside. The job ends (`abort`, unavailable) where MPI does not start within `start`, or ranks
  /// do not reach each other. The message says what to do.
  explicit MpiEnvironment(std::chrono::milliseconds timeout, std::chrono::milliseconds start = kStartLimit);
  /// Finalizes, except while an exception unwinds: ranks that wait for each other would hang.
  ~MpiEnvironment();
  MpiEnvironment(const MpiEnvironment&) = delete;
  MpiEnvironment& operator=(const MpiEnvironment&) = delete;

  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] int size() const { return size_; }
  /// Number of this rank among those of its host, from 0.
  [[nodiscard]] int local_rank() const { return local_rank_; }
  [[nodiscard]] const std::string& host() const { return host_; }

  /// Collectives over all ranks, on a communicator of their own. Collective.
  [[nodiscard]] std::unique_ptr<Collectives> collectives() { return collectives_within(timeout_); }
  /// Collectives with a time limit of their own. Data larger than `largest_piece` bytes travel in pieces: MPI
  /// counts are int.
  [[nodiscard]] std::unique_ptr<Collectives> collectives_within(std::chrono::milliseconds timeout,
                                                                std::size_t largest_piece = kMaxPiece);
  /// Collectives over the ranks that give the same `color`, in their order; null for a negative one.
  /// Collective.
  [[nodiscard]] std::unique_ptr<Collectives> split(int color, std::chrono::milliseconds timeout);
  /// A channel on a communicator of its own. Collective. `timeout` bounds each send, `joining` the wait for
  /// ranks that do not come.
  [[nodiscard]] std::unique_ptr<Channel> channel(std::chrono::milliseconds timeout,
                                                 std::chrono::milliseconds joining);

  /// `tell` is called with the code, from any thread, before ranks are ended by force, so that a watching
  /// script learns it.
  void before_abort(std::function<void(int code)> tell) { before_abort_ = std::move(tell); }
  /// Ends all ranks of the job; mpirun exits with `code`. A single rank just exits: MPI_Abort would print
  /// text of its own.
  [[noreturn]] void abort(int code);

 private:
  std::chrono::milliseconds timeout_;
  int exceptions_at_start_ = 0;
  int rank_ = 0;
  std::atomic<int> size_ = 1;  ///< atomic: the thread that watches MPI's start reads it, too
  int local_rank_ = 0;
  std::string host_;
  std::function<void(int)> before_abort_ = [](int) {};
};

/// MPI library's description of itself: "Open MPI v4.1.4, package: Debian OpenMPI, ...".
std::string mpi_library();

}  // namespace polyhead::comm
