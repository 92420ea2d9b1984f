#include "polyhead/run/job.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <malloc.h>

#include "polyhead/base/error.hpp"
#include "polyhead/base/log.hpp"
#include "polyhead/base/trace.hpp"
#include "polyhead/comm/agreement.hpp"
#include "polyhead/run/against.hpp"
#include "polyhead/run/identity.hpp"
#include "polyhead/run/inputs.hpp"
#include "run/coordinator/coordinator_service.hpp"
#include "run/coordinator/open_cache.hpp"
#include "run/planning/run_plan.hpp"
#include "run/protocol/messages.hpp"
#include "run/setup/announce.hpp"
#include "run/setup/device_assignment.hpp"
#include "run/setup/exchange.hpp"
#include "run/setup/hosts.hpp"
#include "run/setup/set_up.hpp"
#include "run/worker/add_up.hpp"
#include "run/worker/equipment.hpp"
#include "run/worker/page_writing.hpp"
#include "run/worker/reading.hpp"
#include "run/worker/worker.hpp"

namespace polyhead::run {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::minutes kMinPatience{30};  // shortest wait for the other ranks in set-up

/// Waits after the work of this rank failed. The coordinator was told: it commits and then ends the job. If
/// it does not, this rank does.
[[noreturn]] void wait_for_the_end(comm::MpiEnvironment& mpi, const Error& error) {
  std::this_thread::sleep_for(std::chrono::seconds(30));
  end_job(mpi, error);
}

/// Compares with the user's reference logits, if given: nothing else is worth computing while they differ.
void compare_first(const Inputs& inputs) {
  const std::filesystem::path& reference = inputs.config.run.against;
  if (!reference.empty()) log::info(describe(compare_with_reference(inputs, reference), reference));
}

WorkerFigures work_or_end(comm::MpiEnvironment& mpi, comm::Channel& to_coordinator, comm::Channel& to_ranks,
                          const Equipment& rank, const Reading& reading, const LinkOptions& link_options,
                          const PageWriting& own) {
  try {
    if (rank.pipeline)
      return work(to_coordinator, to_ranks, *reading.loader, *rank.pipeline, reading.place, link_options,
                  own);
    idle_until_dismissed(to_coordinator, to_ranks, link_options);
    return {};
  } catch (const Error& error) {
    wait_for_the_end(mpi, error);
  } catch (const std::exception& error) {
    wait_for_the_end(mpi, Error(ExitCode::internal, error.what()));
  }
}

/// A job on this rank. Members are what its phases share, in the order in which they are made.
class JobRun {
 public:
  JobRun(comm::MpiEnvironment& mpi, const JobOptions& options, StatusFile& status)
      : mpi_(mpi), options_(options), status_(status), world_(mpi.collectives()) {}

  /// Whether anything is left to compute.
  bool open_inputs();
  void prepare();
  void work();
  JobResult conclude();
  [[nodiscard]] const config::Config& config() const { return inputs_.config; }

 private:
  void place_ranks();
  void make_plan();
  void equip_ranks();
  void open_output();
  [[nodiscard]] std::chrono::milliseconds timeout() const { return config().comm.timeout; }

  comm::MpiEnvironment& mpi_;
  const JobOptions& options_;
  StatusFile& status_;
  std::unique_ptr<comm::Collectives> world_;
  Inputs inputs_;
  std::optional<Resumption> resumption_;  ///< set on rank 0
  std::vector<plan::RankCores> cores_;    ///< cores of each rank
  model::DeviceAssignment assignment_;
  int workers_ = 0;         ///< number of threads that read
  std::string unused_gpu_;  ///< reason, of any rank
  RunPlan plan_;
  std::vector<plan::Lease> work_;  ///< work to compute; on rank 0
  int member_ = -1;                ///< number of this rank in its group; negative: in none
  std::unique_ptr<comm::Channel> to_ranks_;
  Reading reading_;
  comm::Group group_;
  std::unique_ptr<comm::Collectives> patient_;
  Equipment equipment_;
  Fingerprint fingerprint_;
  std::optional<CoordinatorService> service_;  ///< set on rank 0
  std::unique_ptr<store::PageWriter> pages_;
  std::unique_ptr<comm::Channel> to_coordinator_;
  WorkerFigures figures_;
  double seconds_ = 0;
};

bool JobRun::open_inputs() {
  if (!options_.trace.empty()) comm::agree(*world_, [&] { trace::start(options_.trace, mpi_.rank()); });
  std::int8_t nothing_left = 0;
  set_up(*world_, mpi_.host(), [&] {
    if (mpi_.rank() != 0) return;
    inputs_ = load_inputs(options_.config, options_.overrides, options_.existing);
    if (inputs_.resumes) resumption_ = open_to_resume(inputs_, options_.retry_bad);
    if (!resumption_ || !resumption_->complete()) return compare_first(inputs_);
    complete(*resumption_, inputs_, options_.summarise);
    nothing_left = 1;
  });
  world_->broadcast(std::as_writable_bytes(std::span(&nothing_left, 1)), 0);
  return nothing_left == 0;
}

void JobRun::prepare() {
  share_inputs(*world_, inputs_);
  place_ranks();
  make_plan();
  equip_ranks();
  open_output();
}

void JobRun::place_ranks() {
  cores_ = gather_cores(*world_, mpi_.host());
  std::string unused;
  set_up(*world_, mpi_.host(), [&] {
    assignment_ = assign_device(cores_, mpi_.rank(), mpi_.local_rank(), config().parallel);
    unused = why_gpu_unused(config().parallel, assignment_);
    workers_ = plan::workers_for(config().data.workers, assignment_.threads);
  });
  unused_gpu_ = announce_unused_gpus(*world_, mpi_.host(), unused);
}

void JobRun::make_plan() {
  plan_ = agree_on_run_plan(*world_, config(), inputs_.shape, cores_, assignment_,
                            inputs_.dataset ? inputs_.dataset->reading_memory() : image::ReadingMemory{},
                            inputs_.weights.members.get());
  inputs_.config.parallel.batch = static_cast<int>(plan_.batch);
  const std::vector<plan::Lease> all{{0, inputs_.micro_batches().count()}};
  work_ = resumption_ ? resumption_->missing : all;
  if (plan_.grid.works(mpi_.rank())) member_ = plan_.grid.member_of(mpi_.rank());
}

void JobRun::equip_ranks() {
  to_ranks_ = mpi_.channel(timeout(), timeout());
  reading_ = begin_to_read(*world_, mpi_.host(), *to_ranks_, inputs_, plan_.grid, work_, assignment_);
  group_ = join_group(mpi_, config().comm, plan_.grid, assignment_);
  // Ranks wait for each other inside NCCL. A rank that has failed there waits for those that have not noticed
  // yet.
  patient_ =
      mpi_.collectives_within(std::max<std::chrono::milliseconds>(kMinPatience, 2 * kPatience * timeout()));
  model::Weights weights =
      bring_weights(*patient_, mpi_.host(), group_, assignment_, inputs_, plan_.heads, member_);
  malloc_trim(0);  // rank 0 has freed the other ranks' heads
  equipment_ = equip(*patient_, mpi_.host(), group_, inputs_, hosts_at_work(cores_, plan_.grid), plan_.heads,
                     std::move(weights), assignment_);
}

void JobRun::open_output() {
  fingerprint_ = fingerprint_of(config(), assignment_);
  const bool mixed = !agree_on_fingerprint(*world_, fingerprint_.text, options_.allow_mixed);
  agree_on_first_bits(*world_, mpi_.host(), equipment_, inputs_, plan_.heads, member_, fingerprint_, cores_);
  set_up(*world_, mpi_.host(), [&] {
    if (mpi_.rank() != 0) return;
    announce(inputs_, cores_, plan_.grid, assignment_, workers_, reading_.loader->depth(), group_);
    service_.emplace(mpi_, options_, inputs_, plan_.grid, hosts_of(cores_), group_, status_, work_);
    service_->note_unused_gpus(unused_gpu_);
    if (resumption_) {
      service_->resume(std::move(*resumption_), fingerprint_, mixed);
    } else {
      service_->create(fingerprint_, mixed);
    }
  });
  if (config().output.writers != config::Writers::all) return;
  pages_ = open_page_writing(*world_, inputs_, service_ ? service_->offsets() : store::Offsets{},
                             member_ >= 0, mpi_.host());
}

void JobRun::work() {
  to_coordinator_ = mpi_.channel(kPatience * timeout(), timeout());
  if (config().output.cache != config::Cache::none)
    send_features(*world_, service_ ? service_->cache() : nullptr, equipment_.pipeline.get(),
                  *to_coordinator_);
  const auto start = Clock::now();
  if (service_) service_->start(*to_coordinator_, *to_ranks_);
  figures_ = work_or_end(mpi_, *to_coordinator_, *to_ranks_, equipment_, reading_,
                         {timeout(), [&](const Error& error) { end_job(mpi_, error); }},
                         {pages_.get(), commit_interval_of(config().output)});
  if (service_) service_->join();
  seconds_ = std::chrono::duration<double>(Clock::now() - start).count();
}

JobResult JobRun::conclude() {
  JobResult result;
  const std::int64_t earlier = service_ ? service_->earlier() : 0;
  result.figures =
      add_up(*world_, figures_, seconds_, inputs_.shape.size - earlier, assignment_.threads, workers_);
  result.figures->earlier_images = earlier;
  result.output = config().output.path;
  if (config().output.writers == config::Writers::all) tell_what_was_written(*world_, pages_.get());
  comm::agree(*world_, [&] {
    if (service_) service_->finish(*result.figures);
    trace::stop();
  });
  return result;
}

}  // namespace

JobResult run_job(comm::MpiEnvironment& mpi, const JobOptions& options, StatusFile& status) {
  JobRun run(mpi, options, status);
  if (!run.open_inputs()) return {run.config().output.path, std::nullopt};
  run.prepare();
  run.work();
  return run.conclude();
}

}  // namespace polyhead::run
