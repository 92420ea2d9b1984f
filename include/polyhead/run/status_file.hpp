#pragma once

#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace polyhead::run {

/// Source of a stop, from the text of an Error(preempted): "stopped by SIGTERM at rank 1 on node7\n...",
/// "stopped at once: SIGTERM at rank 1 on node7".
std::string who_stopped(std::string_view message);

/// Status of a run for the script that started it, in rank 0's file that POLYHEAD_STATUS_FILE names. It has
/// lines of `key=value`, written whole under a temporary name and renamed, once per second and at the end.
///
///   state          starting, running (work has begun) or ended
///   time           of this writing, seconds since 1970: an old one means that rank 0 or its host is frozen
///   code           exit code; once ended, before any rank is ended by force
///   comm_timeout   seconds: the program's own limit for a silent rank
///   committed, micro_batches   progress
///   lost_rank, lost_host       the rank whose silence ended the run
///   stopped_by     source of a stop: "SIGTERM at rank 1 on node7", "run.time_limit"
///   resume         the command that continues the run
///
/// A key that is not known yet is left out. A thread of its own writes, so that neither work nor a slow disk
/// of the output delays it. A failure to write is warned of once.
class StatusFile {
 public:
  /// `path` empty: writes nothing.
  explicit StatusFile(std::filesystem::path path);
  /// Path from the environment, on rank 0.
  static std::filesystem::path path_for(int rank);
  ~StatusFile();
  StatusFile(const StatusFile&) = delete;
  StatusFile& operator=(const StatusFile&) = delete;

  /// Sets a value, which the next writing shows.
  void set(std::string_view key, std::string value);
  /// Ends the run's status. The file says so when this returns, unless its file system takes more than a
  /// second.
  void end(int code);

 private:
  void run();
  bool write(const std::string& text) const;
  [[nodiscard]] std::string text() const;  // call with the mutex held

  std::filesystem::path path_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::string, std::less<>> values_{{"state", "starting"}};
  bool ended_ = false;
  bool last_written_ = false;
  bool leaving_ = false;
  std::thread thread_;
};

}  // namespace polyhead::run
