#include "polyhead/run/job.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <malloc.h>

#include "polyhead/base/cpu.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/log.hpp"
#include "polyhead/base/stop.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/base/trace.hpp"
#include "polyhead/base/wire.hpp"
#include "polyhead/comm/agreement.hpp"
#include "polyhead/config/names.hpp"
#include "polyhead/data/loader.hpp"
#include "polyhead/data/memory.hpp"
#include "polyhead/device/pinned.hpp"
#include "polyhead/model/model.hpp"
#include "polyhead/run/against.hpp"
#include "polyhead/run/identity.hpp"
#include "polyhead/run/inputs.hpp"
#include "run/coordinator/coordinator_service.hpp"
#include "run/coordinator/open_cache.hpp"
#include "run/identity/warm_up.hpp"
#include "run/planning/run_plan.hpp"
#include "run/protocol/messages.hpp"
#include "run/setup/data_check.hpp"
#include "run/setup/device_assignment.hpp"
#include "run/setup/exchange.hpp"
#include "run/setup/job_loader.hpp"
#include "run/setup/set_up.hpp"
#include "run/setup/share_backbone.hpp"
#include "run/setup/share_weights.hpp"
#include "run/worker/first_lease.hpp"
#include "run/worker/group_pipeline.hpp"
#include "run/worker/page_writing.hpp"
#include "run/worker/worker.hpp"

namespace polyhead::run {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::minutes kMinPatience{30};  // with the others, in set-up

/// 1: a rank without neighbours exchanges with itself, so that one GPU can try NCCL (tests/gpu/check.sh).
bool exchanges_alone() {
  const char* const value = std::getenv("POLYHEAD_EXCHANGE_ALONE");
  return value != nullptr && std::string_view(value) == "1";
}

std::vector<std::string> hosts_of(const std::vector<plan::RankCores>& ranks) {
  std::vector<std::string> hosts;
  hosts.reserve(ranks.size());
  for (const plan::RankCores& rank : ranks) hosts.push_back(rank.host);
  return hosts;
}

/// Of ranks that compute; nothing for surplus ones.
std::vector<std::string> hosts_at_work(const std::vector<plan::RankCores>& ranks, plan::Grid grid) {
  std::vector<std::string> hosts = hosts_of(ranks);
  for (std::size_t rank = 0; rank < hosts.size(); ++rank) {
    if (!grid.works(static_cast<int>(rank))) hosts[rank].clear();
  }
  return hosts;
}

/// Who asked for NCCL and does not get it, or has groups at all, wants to know.
void announce_exchange(config::CommBackend wanted, plan::Grid grid, const comm::Group& group) {
  const bool fell_back = wanted == config::CommBackend::nccl && group.choice.backend != comm::Backend::nccl;
  if (fell_back) return log::warning(describe_exchange(group));
  if (group.weights_choice.fell_back && !group.choice.fell_back)
    log::warning(fmt::format("weights travel over MPI: {}", group.weights_choice.reason));
  if (grid.heads > 1) log::info(describe_exchange(group));
}

/// The memory is a bound: what is decoded ahead and computed, and all that the threads may hold.
void log_reading(const Inputs& inputs, plan::Grid grid, const model::DeviceAssignment& assignment,
                 int workers, std::int64_t depth) {
  image::ReadingMemory reading = inputs.dataset->reading_memory();
  const auto value =
      static_cast<std::int64_t>(assignment.cuda && reading.bytes ? sizeof(std::uint8_t) : sizeof(float));
  const std::int64_t batch = inputs.micro_batches().size() * inputs.shape.image.values() * value;
  const bool all = inputs.config.parallel.features == config::Features::local;
  const std::int64_t large = std::exchange(reading.large_sample, 0);
  const std::int64_t most = data::loader_memory(reading, workers, depth + (all ? grid.heads : 1), batch);
  log::info(fmt::format("each rank reads up to {} micro-batches ahead in {} thread(s), in at most {}{}",
                        depth, workers, human_bytes(static_cast<std::uint64_t>(most)),
                        large == 0 ? ""
                                   : fmt::format("; {} more for an image as large as data.max_pixels and "
                                                 "data.max_file_size allow",
                                                 human_bytes(static_cast<std::uint64_t>(large)))));
}

void announce_engine(const config::Backbone& backbone, const model::DeviceAssignment& assignment) {
  if (assignment.cuda) return;
  const std::string_view engine = config::name(model::engine_of(backbone, assignment));
  const std::string why = model::why_no_winograd(backbone, assignment);
  const bool fallen_back = backbone.engine == config::Engine::automatic && !why.empty();
  log::info(fmt::format("the backbone runs on {}{}", engine, fallen_back ? ": " + why : ""));
}

void announce(const Inputs& inputs, const std::vector<plan::RankCores>& cores, plan::Grid grid,
              const model::DeviceAssignment& assignment, int workers, std::int64_t depth,
              const comm::Group& group) {
  const auto ranks = static_cast<std::int64_t>(cores.size());
  const plan::MicroBatches batches = inputs.micro_batches();
  const std::string device =
      assignment.cuda ? "a GPU each" : fmt::format("{} CPU thread(s) each", assignment.threads);
  log::info(fmt::format("{} heads on {}, {} samples in {} micro-batches of {}, {} rank(s) with {}",
                        inputs.config.heads.size(), config::name(inputs.config.backbone.arch),
                        batches.samples(), batches.count(), batches.size(), ranks, device));
  log_reading(inputs, grid, assignment, workers, depth);
  announce_engine(inputs.config.backbone, assignment);
  announce_exchange(inputs.config.comm.backend, grid, group);
  if (assignment.cuda || inputs.config.parallel.threads) return;
  const std::string idle = idle_cores_warning(cores, assignment.threads, online_cores());
  if (!idle.empty()) log::warning(idle);
}

/// The reasons of all ranks, which rank 0 tells the user at once. Collective.
std::string announce_unused_gpus(comm::Collectives& world, const std::string& host, const std::string& mine) {
  std::string all = gather_unused_gpus(world, host, mine);
  if (!all.empty() && world.rank() == 0) {
    log::warning(fmt::format(
        "a GPU is there, but ranks compute on the CPU ({}). Where this is meant, say parallel.device: cpu",
        all));
  }
  return all;
}

/// A rank whose work failed has told the coordinator, which commits and then ends the job; should it not,
/// this rank does.
[[noreturn]] void wait_for_the_end(comm::MpiEnvironment& mpi, const Error& error) {
  std::this_thread::sleep_for(std::chrono::seconds(30));
  end_job(mpi, error);
}

/// What a rank of the grid computes with.
struct Equipment {
  std::unique_ptr<model::Model> model;
  std::int64_t classes = 0;
  std::int64_t feature_width = 0;
  std::unique_ptr<GroupPipeline> pipeline;
};

/// Where the user has given reference logits: nothing else is worth computing while they differ.
void compare_first(const Inputs& inputs) {
  const std::filesystem::path& reference = inputs.config.run.against;
  if (!reference.empty()) log::info(describe(compare_with_reference(inputs, reference), reference));
}

/// What a rank reads images with, and what it begins with.
struct Reading {
  std::unique_ptr<data::Loader> loader;  ///< none on a surplus rank
  GroupMembership place;
};

/// From now on images are read, while the rest is set up. `work`: on rank 0, what is to be computed.
Reading begin_to_read(comm::Collectives& world, const std::string& host, comm::Channel& to_ranks,
                      Inputs& inputs, plan::Grid grid, std::vector<plan::Lease> work,
                      const model::DeviceAssignment& assignment) {
  check_data_is_everywhere(world, inputs, host, view_of_files(host));
  Reading reading;
  const int rank = world.rank();
  const bool all = inputs.config.parallel.features == config::Features::local;
  set_up(world, host, [&] {
    if (!grid.works(rank)) return;
    reading.loader = make_loader(inputs, assignment);
    reading.place = {grid.heads, grid.member_of(rank), all, {}};
  });
  if (!opens_early(inputs.config.output)) return reading;
  FirstLease first_lease{
      grid,
      inputs.micro_batches(),
      all,
      kPatience * inputs.config.comm.timeout,
      std::move(work),
      [&](std::int64_t first, std::int64_t count) { return inputs.dataset->locations(first, count); }};
  // Who left here would keep the others waiting: nobody is stopped before they have met.
  comm::agree(world, [&] {
    reading.place.first_lease = hand_out_first_lease(to_ranks, rank, first_lease, reading.loader.get());
  });
  return reading;
}

/// What carries the weights goes before the work begins.
model::Weights bring_weights(comm::Collectives& world, const std::string& host, comm::Group& group,
                             const model::DeviceAssignment& assignment, Inputs& inputs,
                             const std::vector<plan::HeadRange>& heads, int member) {
  if (group.weights_choice.backend != comm::Backend::nccl)
    return share_weights(world, inputs.config, inputs.weights, heads, member);
  const auto to_gpus = std::move(group.to_gpus);
  return share_weights_over_nccl(world, host, to_gpus.get(), assignment.device, inputs.config, inputs.weights,
                                 heads, member);
}

/// Every rank of the world must call it; surplus ranks, which have no `group`, get nothing. `weights`: this
/// rank's.
Equipment equip(comm::Collectives& world, const std::string& host, comm::Collectives* group,
                const Inputs& inputs, plan::Grid grid, const std::vector<plan::HeadRange>& heads,
                model::Weights weights, const model::DeviceAssignment& assignment,
                const std::vector<plan::RankCores>& cores) {
  Equipment rank;
  model::Prepared prepared =
      share_backbone(world, hosts_at_work(cores, grid), inputs.config.backbone, assignment, weights);
  set_up(world, host, [&] {
    if (group == nullptr) return;
    const plan::MicroBatches batches = inputs.micro_batches();
    const GroupPipeline::Job job{
        inputs.config,
        batches,
        heads,
        weights.classes,
        weights.feature_width,
        assignment.cuda ? device::pinned_memory(assignment.device) : device::ordinary_memory(),
        exchanges_alone()};
    rank.classes = weights.classes;
    rank.feature_width = weights.feature_width;
    rank.model = model::make_model(
        with_heads(inputs.config, heads.at(static_cast<std::size_t>(group->rank()))), std::move(weights),
        batches.size(), inputs.shape.image, assignment, std::move(prepared));
    rank.pipeline = std::make_unique<GroupPipeline>(*rank.model, *group, job);
  });
  agree_naming_place(world, host, [&] {
    if (rank.pipeline) rank.pipeline->try_exchange();
  });
  return rank;
}

/// GPUs' libraries choose algorithms while they run. The bits of CPUs depend on nothing of the kind.
void agree_on_first_bits(comm::Collectives& world, const std::string& host, const Equipment& rank,
                         const Inputs& inputs, const std::vector<plan::HeadRange>& heads, int member,
                         const model::DeviceAssignment& assignment, const Fingerprint& fingerprint,
                         const std::vector<plan::RankCores>& cores) {
  WarmUp mine;
  set_up(world, host, [&] {
    if (!rank.model || !assignment.cuda) return;
    mine = warm_up(*rank.model, inputs.micro_batches().size(), inputs.shape.image,
                   heads.at(static_cast<std::size_t>(member)).count, rank.feature_width, rank.classes);
  });
  compare_warm_ups(world, mine, fingerprint.text, member, hosts_of(cores));
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

metrics::RunFigures add_up(comm::Collectives& world, const WorkerFigures& mine, double seconds,
                           std::int64_t samples, int threads, int workers) {
  // Microseconds: the sum is of integers.
  const bool worked = mine.seconds_computing > 0;
  std::array<std::int64_t, 5> sums{std::llround(mine.seconds_waiting * 1e6),
                                   std::llround(mine.seconds_computing * 1e6),
                                   std::llround(mine.seconds_reading * 1e6), worked ? workers : 0, worked};
  world.all_reduce(sums);
  // Of reading under way when the work began all counts: in a very short job it may be more than there is.
  const auto share = [&](std::int64_t microseconds, std::int64_t threads_in_all) {
    const double all = seconds * static_cast<double>(threads_in_all);
    return all > 0 ? std::min(1.0, static_cast<double>(microseconds) / 1e6 / all) : 0;
  };
  metrics::RunFigures figures;
  figures.seconds = seconds;
  figures.images_per_second = static_cast<double>(samples) / seconds;
  figures.ranks = world.size();
  figures.threads = threads;
  figures.waiting_share = share(sums[0], sums[4]);
  figures.computing_share = share(sums[1], sums[4]);
  figures.workers = workers;
  figures.reading_share = share(sums[2], sums[3]);
  return figures;
}

}  // namespace

JobResult run_job(comm::MpiEnvironment& mpi, const JobOptions& options, StatusFile& status) {
  const auto world = mpi.collectives();
  if (!options.trace.empty()) comm::agree(*world, [&] { trace::start(options.trace, mpi.rank()); });
  Inputs inputs;
  std::optional<Resumption> resumption;
  std::int8_t nothing_left = 0;
  set_up(*world, mpi.host(), [&] {
    if (mpi.rank() != 0) return;
    inputs = load_inputs(options.config, options.overrides, options.existing);
    if (inputs.resumes) resumption = open_to_resume(inputs, options.retry_bad);
    if (!resumption || !resumption->complete()) return compare_first(inputs);
    complete(*resumption, inputs, options.summarise);
    nothing_left = 1;
  });
  world->broadcast(std::as_writable_bytes(std::span(&nothing_left, 1)), 0);
  if (nothing_left == 1) return {inputs.config.output.path, std::nullopt};
  share_inputs(*world, inputs);
  const std::vector<plan::RankCores> cores = gather_cores(*world, mpi.host());
  model::DeviceAssignment assignment;
  int workers = 0;
  std::string unused_gpu;
  set_up(*world, mpi.host(), [&] {
    assignment = assign_device(cores, mpi.rank(), mpi.local_rank(), inputs.config.parallel);
    unused_gpu = why_gpu_unused(inputs.config.parallel, assignment);
    workers = plan::workers_for(inputs.config.data.workers, assignment.threads);
  });
  unused_gpu = announce_unused_gpus(*world, mpi.host(), unused_gpu);
  const RunPlan choice =
      agree_on_run_plan(*world, inputs.config, inputs.shape, cores, assignment,
                        inputs.dataset ? inputs.dataset->reading_memory() : image::ReadingMemory{});
  inputs.config.parallel.batch = static_cast<int>(choice.batch);
  const plan::Grid grid = choice.grid;
  const std::chrono::milliseconds timeout = inputs.config.comm.timeout;
  const auto to_ranks = mpi.channel(timeout, timeout);
  const std::vector<plan::Lease> all{{0, inputs.micro_batches().count()}};
  const std::vector<plan::Lease> work = resumption ? resumption->missing : all;  // on rank 0
  const Reading reading = begin_to_read(*world, mpi.host(), *to_ranks, inputs, grid, work, assignment);
  comm::Group group = join_group(mpi, inputs.config.comm, grid, assignment);
  const int member = grid.works(mpi.rank()) ? grid.member_of(mpi.rank()) : -1;
  // Ranks wait for each other inside NCCL: who has failed there waits for those who have not noticed yet.
  const auto patient =
      mpi.collectives_within(std::max<std::chrono::milliseconds>(kMinPatience, 2 * kPatience * timeout));
  model::Weights weights =
      bring_weights(*patient, mpi.host(), group, assignment, inputs, choice.heads, member);

  malloc_trim(0);  // rank 0 has let go of the other ranks' heads

  const Equipment rank = equip(*patient, mpi.host(), group.collectives.get(), inputs, grid, choice.heads,
                               std::move(weights), assignment, cores);
  const Fingerprint fingerprint = fingerprint_of(inputs.config, assignment);
  const bool mixed = !agree_on_fingerprint(*world, fingerprint.text, options.allow_mixed);
  agree_on_first_bits(*world, mpi.host(), rank, inputs, choice.heads, member, assignment, fingerprint, cores);

  std::optional<CoordinatorService> service;
  set_up(*world, mpi.host(), [&] {
    if (mpi.rank() != 0) return;
    announce(inputs, cores, grid, assignment, workers, reading.loader->depth(), group);
    service.emplace(mpi, options, inputs, grid, hosts_of(cores), group, status, work);
    service->note_unused_gpus(unused_gpu);
    if (resumption) {
      service->resume(std::move(*resumption), fingerprint, mixed);
    } else {
      service->create(fingerprint, mixed);
    }
  });
  std::unique_ptr<store::PageWriter> pages;
  if (inputs.config.output.writers == config::Writers::all) {
    pages = open_page_writing(*world, inputs, service ? service->offsets() : store::Offsets{}, member >= 0,
                              mpi.host());
  }

  const auto to_coordinator = mpi.channel(kPatience * timeout, timeout);
  if (inputs.config.output.cache != config::Cache::none)
    send_features(*world, service ? service->cache() : nullptr, rank.pipeline.get(), *to_coordinator);
  const auto start = Clock::now();
  if (service) service->start(*to_coordinator, *to_ranks);
  const WorkerFigures mine = work_or_end(mpi, *to_coordinator, *to_ranks, rank, reading,
                                         {timeout, [&](const Error& error) { end_job(mpi, error); }},
                                         {pages.get(), commit_interval_of(inputs.config.output)});
  if (service) service->join();
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();

  JobResult result;
  const std::int64_t earlier = service ? service->earlier() : 0;
  result.figures = add_up(*world, mine, seconds, inputs.shape.size - earlier, assignment.threads, workers);
  result.figures->earlier_images = earlier;
  result.output = inputs.config.output.path;
  if (inputs.config.output.writers == config::Writers::all) tell_what_was_written(*world, pages.get());
  comm::agree(*world, [&] {
    if (service) service->finish(*result.figures);
    trace::stop();
  });
  return result;
}

}  // namespace polyhead::run
