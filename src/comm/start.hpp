#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace polyhead::comm {

/// Ranks with which `rank` exchanges a first message: those at distances 1, 2, 4, ... in both directions, and
/// rank 0, as a job needs it. Symmetric; sorted. About 2 log2(size) connections per rank.
std::vector<int> first_contacts(int rank, int size);

/// How far the start of MPI has come. Written by the starting thread, read by the watching one.
class StartProgress {
 public:
  void enter(std::string_view step);
  /// `waiting`: first contacts that have not answered yet.
  void wait_for(std::vector<int> waiting, int rank, int size);
  /// Report of an overdue start: the step, the silent ranks, and what to do.
  [[nodiscard]] std::string overdue(const std::string& host, std::chrono::milliseconds limit) const;

 private:
  mutable std::mutex mutex_;
  std::string step_;
  std::vector<int> waiting_;
  int rank_ = -1;  ///< negative: not known yet
  int size_ = 0;
};

}  // namespace polyhead::comm
