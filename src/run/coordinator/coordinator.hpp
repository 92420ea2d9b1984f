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

/// A rank was not heard of for `comm.timeout`.
class LostRank : public Error {
 public:
  LostRank(int rank, const std::string& message) : Error(ExitCode::unavailable, message), rank_(rank) {}
  [[nodiscard]] int rank() const { return rank_; }

 private:
  int rank_;
};

/// Hands out the work of a job and keeps its results: leases go to the groups whose leaders ask, finished
/// rows come back and are written and committed. Lives in a service thread on rank 0; nobody else touches the
/// result file while it runs.
class Coordinator {
 public:
  struct Settings {
    std::chrono::milliseconds commit_interval{5000};  ///< finished rows are committed at least so often
    std::chrono::milliseconds timeout{60000};         ///< a rank silent for so long is lost
    std::int64_t max_bad = 0;                         ///< quarantined samples that are still accepted
    std::vector<std::string> hosts;  ///< of each rank, for messages; its size is the number of ranks
    plan::Grid grid;                 ///< which of the ranks share a lease
    struct Earlier {
      std::int64_t finished = 0;     ///< samples, the quarantined ones among them
      std::int64_t quarantined = 0;  ///< samples
    } earlier;                       ///< what earlier runs have done
    /// Whether the run is to stop; asked often. Ranks say it as well.
    std::function<StopRequest()> asked = stop_asked;
    bool opened = false;    ///< every group has got its first lease already (`plan::LeaseSchedule::open`)
    bool all_read = false;  ///< every rank of a group reads all of a lease, not only what it owns
    /// Called with the number of finished samples, often.
    std::function<void(std::int64_t samples_done)> progress = [](std::int64_t) {};
    /// Where the samples [first, first + count) are; empty when the ranks can find them by number.
    std::function<std::vector<data::Location>(std::int64_t first, std::int64_t count)> locations =
        [](std::int64_t, std::int64_t) { return std::vector<data::Location>{}; };
    /// Features that need not be computed again, and where new ones are kept; may be none.
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

  /// Returns when every rank has said farewell and all their rows are committed: of the whole job, or, once a
  /// stop was asked for, of what was under way. Otherwise throws, with all that has arrived committed where
  /// the disk allows it: what a rank reported, LostRank for a silent one, TooManyBad over `max_bad`,
  /// Error(io_error) from the writer, Error(preempted) when it was to stop at once.
  void run();
  /// Why the run stopped: "SIGUSR1 at rank 1 on node7"; empty when nobody asked it to.
  [[nodiscard]] const std::string& stopped_by() const { return stop_.why; }

 private:
  struct Rank {
    std::chrono::steady_clock::time_point last_heard;
    plan::Lease lease;  ///< the last one granted to its group
    bool gone = false;  ///< has said farewell
  };

  void serve();
  void enter_opening_leases();
  bool handle_messages();
  void handle(const comm::Message& message);
  void look_for_stop(const StopRequest& asked);
  void grant(int group);
  void send_grant(int rank, const plan::Lease& lease);
  void dismiss_surplus();
  void keep(int rank, const store::Rows& rows);  // of one micro-batch
  [[noreturn]] void throw_too_many_bad(std::int64_t last, std::uint8_t reason) const;
  void rest_is_synced(const std::vector<std::int64_t>& batches);
  void commit_when_due();
  void look_for_silent_ranks();
  void tell(int rank, ToRank tag, std::span<const std::byte> bytes = {});
  [[nodiscard]] bool finished() const;
  [[nodiscard]] double seconds() const;  // since the start
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
  std::chrono::steady_clock::time_point looked_;  ///< for silent ranks
  std::unique_ptr<Heartbeat> heartbeat_;          ///< while it runs
  StopRequest stop_;
  bool dismissed_ = false;  ///< surplus ranks know that the end has come
  std::int64_t samples_done_ = 0;
  std::int64_t quarantined_ = 0;
};

}  // namespace polyhead::run
