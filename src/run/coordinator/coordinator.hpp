#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "polyhead/base/error.hpp"
#include "polyhead/base/stop.hpp"
#include "polyhead/comm/channel.hpp"
#include "polyhead/data/location.hpp"
#include "polyhead/plan/grid.hpp"
#include "polyhead/plan/lease.hpp"
#include "polyhead/plan/micro_batches.hpp"
#include "polyhead/store/feature_cache.hpp"
#include "polyhead/store/rows.hpp"
#include "polyhead/store/writer.hpp"
#include "run/protocol/messages.hpp"

namespace polyhead::run {

class Heartbeat;

/// Error for a rank that sent nothing for `comm.timeout`.
class LostRank : public Error {
 public:
  LostRank(int rank, const std::string& message) : Error(ExitCode::unavailable, message), rank_(rank) {}
  [[nodiscard]] int rank() const { return rank_; }

 private:
  int rank_;
};

/// Hands out the work of a job and keeps its results. Leases go to the groups whose leaders ask; finished
/// rows return and are written and committed. Lives in a service thread on rank 0. Nobody else touches the
/// result file while it runs.
class Coordinator {
 public:
  struct Settings {
    std::chrono::milliseconds commit_interval{5000};  ///< longest time between commits of finished rows
    std::chrono::milliseconds timeout{60000};         ///< a rank that is silent for this long is lost
    std::int64_t max_bad = 0;                         ///< number of quarantined samples that are accepted
    std::vector<std::string> hosts;  ///< host of each rank, for messages; its size is the number of ranks
    plan::Grid grid;                 ///< grid, which tells the ranks that share a lease
    struct Earlier {
      std::int64_t finished = 0;     ///< samples, including the quarantined ones
      std::int64_t quarantined = 0;  ///< samples
    } earlier;                       ///< results of earlier runs
    /// Whether the run must stop; called often. Ranks also report it.
    std::function<StopRequest()> asked = stop_asked;
    bool opened = false;    ///< whether every group already has its first lease (`plan::LeaseSchedule::open`)
    bool all_read = false;  ///< whether every rank of a group reads all of a lease, not only what it owns
    /// Called often with the number of finished samples.
    std::function<void(std::int64_t samples_done)> progress = [](std::int64_t) {};
    /// Places of the samples [first, first + count); empty when the ranks can find them by number.
    std::function<std::vector<data::Location>(std::int64_t first, std::int64_t count)> locations =
        [](std::int64_t, std::int64_t) { return std::vector<data::Location>{}; };
    /// Cache of features that need not be computed again, and place for new ones; may be null.
    store::FeatureCache* cache = nullptr;
    /// Names a sample in a message.
    std::function<std::string(std::int64_t index)> sample_id = [](std::int64_t index) {
      return std::to_string(index);
    };
  };

  Coordinator(comm::Channel& from_ranks, comm::Channel& to_ranks, plan::LeaseSchedule schedule,
              store::Writer& writer, const plan::MicroBatches& batches, Settings settings);
  ~Coordinator();
  Coordinator(const Coordinator&) = delete;
  Coordinator& operator=(const Coordinator&) = delete;

  /// Runs until every rank has said farewell and all their rows are committed. These are the rows of the
  /// whole job or, once a stop was asked for, of the work under way. Otherwise throws, after committing all
  /// that has arrived where the disk allows it. Throws what a rank reported, LostRank for a silent rank,
  /// TooManyBad over `max_bad`, Error(io_error) from the writer, and Error(preempted) when it had to stop at
  /// once.
  void run();
  /// Reason why the run stopped: "SIGUSR1 at rank 1 on node7"; empty when nobody asked for it.
  [[nodiscard]] const std::string& stopped_by() const { return stop_.why; }

 private:
  struct Rank {
    std::chrono::steady_clock::time_point last_heard;
    plan::Lease lease;  ///< last lease granted to its group
    bool gone = false;  ///< whether it has said farewell
  };

  void serve();
  void enter_opening_leases();
  bool handle_messages();
  void handle(const comm::Message& message);
  void look_for_stop(const StopRequest& asked);
  void grant(int group);
  void send_grant(int rank, const plan::Lease& lease);
  void dismiss_surplus();
  void keep(int rank, const store::Rows& rows);  // keeps the rows of one micro-batch
  [[noreturn]] void throw_too_many_bad(std::int64_t last, std::uint8_t reason) const;
  void rest_is_synced(const std::vector<std::int64_t>& batches);
  void commit_when_due();
  void look_for_silent_ranks();
  void tell(int rank, ToRank tag, std::span<const std::byte> bytes = {});
  [[nodiscard]] bool finished() const;
  [[nodiscard]] double seconds() const;  // seconds since the start
  [[nodiscard]] std::string name(int rank) const;

  comm::Channel& from_ranks_;
  comm::Channel& to_ranks_;
  plan::LeaseSchedule schedule_;
  store::Writer& writer_;
  plan::MicroBatches batches_;
  Settings settings_;
  std::vector<Rank> ranks_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point oldest_uncommitted_;
  std::chrono::steady_clock::time_point looked_;  ///< time of the last look for silent ranks
  std::unique_ptr<Heartbeat> heartbeat_;          ///< set while it runs
  StopRequest stop_;
  bool dismissed_ = false;  ///< whether surplus ranks know that the end has come
  std::int64_t samples_done_ = 0;
  std::int64_t quarantined_ = 0;
};

}  // namespace polyhead::run
