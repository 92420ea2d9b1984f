#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include <nccl.h>

namespace polyhead::comm {

/// Sole owner of a NCCL communicator, which never blocks. Each call is made, then polled until NCCL reports
/// its result, the time is over, or other ranks have failed. Any failure aborts it; from then on every call
/// throws the same Error(unavailable).
class NcclLink {
 public:
  /// Joins the other ranks. The calling thread's GPU becomes this rank's.
  NcclLink(const ncclUniqueId& id, int rank, int size, std::chrono::milliseconds timeout);
  /// Joins those ranks of `parent` that join, too, in its order (ncclCommSplit). Every rank of `parent` makes
  /// one, all at the same place. On a rank that does not join, it has no communicator.
  NcclLink(NcclLink& parent, int rank, bool joins);
  /// Waits up to the time limit for other ranks to leave, too. Aborts while an exception unwinds, since the
  /// others may not know of it.
  ~NcclLink();
  NcclLink(const NcclLink&) = delete;
  NcclLink& operator=(const NcclLink&) = delete;

  [[nodiscard]] ncclComm_t get() const { return communicator_; }
  /// Makes `calls` as one group; they return the first bad result. When `group` returns, they are in their
  /// stream.
  void group(std::string_view what, const std::function<ncclResult_t()>& calls);
  /// Waits until `done`, and checks the communicator meanwhile.
  void wait(std::string_view what, const std::function<bool()>& done);
  /// Runs `step`; aborts when it throws, since other ranks could wait forever.
  void guard(const std::function<void()>& step);

 private:
  void check(ncclResult_t result, std::string_view call);
  void require_whole() const;
  ncclResult_t state(std::string_view what);
  void settle(std::string_view what);
  void finish() noexcept;
  [[noreturn]] void fail(const std::string& why);
  [[noreturn]] void throw_failure() const;

  ncclComm_t communicator_ = nullptr;
  std::chrono::milliseconds timeout_;
  int exceptions_at_start_;
  std::string failure_;
  bool timed_out_ = false;
};

/// Whether the result is neither success nor "not yet".
inline bool failed(ncclResult_t result) {
  return result != ncclSuccess && result != ncclInProgress;
}

}  // namespace polyhead::comm
