#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "polyhead/base/error.hpp"
#include "polyhead/base/stop.hpp"
#include "polyhead/comm/channel.hpp"
#include "polyhead/comm/group.hpp"
#include "polyhead/comm/mpi.hpp"
#include "polyhead/metrics/run_figures.hpp"
#include "polyhead/plan/grid.hpp"
#include "polyhead/plan/lease.hpp"
#include "polyhead/run/identity.hpp"
#include "polyhead/run/inputs.hpp"
#include "polyhead/run/job_options.hpp"
#include "polyhead/run/resume.hpp"
#include "polyhead/run/status_file.hpp"
#include "polyhead/store/feature_cache.hpp"
#include "polyhead/store/writer.hpp"

namespace polyhead::run {

/// Logs the error and ends all ranks. For failures after the ranks have agreed to start, when no rank listens
/// to agreements any more.
[[noreturn]] void end_job(comm::MpiEnvironment& mpi, const Error& error);

/// The result file and its coordinator: rank 0's second role.
class CoordinatorService {
 public:
  /// `hosts`: host of each rank. `group`: for the provenance. `work`: what is to be computed. The other
  /// arguments must outlive the object.
  CoordinatorService(comm::MpiEnvironment& mpi, const JobOptions& options, Inputs& inputs, plan::Grid grid,
                     std::vector<std::string> hosts, const comm::Group& group, StatusFile& status,
                     std::vector<plan::Lease> work);

  /// Keeps the result of `gather_unused_gpus` for the provenance of the start or resume that follows.
  void note_unused_gpus(std::string unused) { unused_gpus_ = std::move(unused); }
  /// Creates the output; returns when all of it is on the disk. Throws Error.
  void create(const Fingerprint& fingerprint, bool mixed);
  /// Continues the output of an earlier run instead. Throws Error, also where `fingerprint` differs from the
  /// file's and `--allow-mixed` was not given.
  void resume(Resumption file, const Fingerprint& fingerprint, bool mixed);
  /// Number of samples finished before.
  [[nodiscard]] std::int64_t earlier() const { return earlier_.done + earlier_.quarantined; }
  /// Offsets in the output, once it is open.
  [[nodiscard]] const store::Offsets& offsets() const { return offsets_; }
  /// Cache of features, once the output is open; may be null.
  [[nodiscard]] const store::FeatureCache* cache() const { return cache_.get(); }
  /// Starts the coordinator's thread. A failure there ends the job.
  void start(comm::Channel& from_ranks, comm::Channel& to_ranks);
  /// Waits until every row is committed.
  void join() { thread_.join(); }
  /// Writes certificate and summary. Throws Error(preempted) when the run was stopped before it was complete.
  void finish(const metrics::RunFigures& figures);

 private:
  void coordinate(comm::Channel& from_ranks, comm::Channel& to_ranks);
  [[nodiscard]] std::int64_t most_in_a_lease() const;
  [[noreturn]] void keep_and_end(const Error& error, const std::string& option = "");
  [[nodiscard]] StopRequest stop_wanted() const;
  [[nodiscard]] std::string how_to_go_on(const std::string& option) const;  // `option`: an option that the
                                                                            // next run needs
  [[nodiscard]] std::string provenance(std::string_view event, bool mixed, const std::string& more) const;

  comm::MpiEnvironment& mpi_;
  const JobOptions& options_;
  Inputs& inputs_;
  plan::Grid grid_;
  std::vector<std::string> hosts_;
  const comm::Group& group_;
  StatusFile& status_;
  std::string unused_gpus_;
  std::filesystem::path output_;
  std::unique_ptr<store::OutputLock> lock_;
  store::Offsets offsets_;
  std::unique_ptr<store::Writer> writer_;
  std::unique_ptr<store::FeatureCache> cache_;
  std::vector<plan::Lease> work_;  ///< work to compute
  store::Progress earlier_;        ///< work done before this run
  std::string stopped_by_;         ///< empty: nobody asked for a stop
  std::thread thread_;
};

}  // namespace polyhead::run
