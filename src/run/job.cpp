#include "polyhead/run/job.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <malloc.h>

#include "polyhead/base/cpu.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/log.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/comm/agreement.hpp"
#include "polyhead/config/names.hpp"
#include "polyhead/data/loader.hpp"
#include "polyhead/device/pinned.hpp"
#include "polyhead/model/model.hpp"
#include "polyhead/run/group_pipeline.hpp"
#include "polyhead/run/identity.hpp"
#include "polyhead/run/inputs.hpp"
#include "polyhead/run/keeper.hpp"
#include "polyhead/run/messages.hpp"
#include "polyhead/run/placement.hpp"
#include "polyhead/run/share_weights.hpp"
#include "polyhead/run/worker.hpp"

namespace polyhead::run {
namespace {

using Clock = std::chrono::steady_clock;

std::vector<std::string> hosts_of(const std::vector<plan::RankCores>& ranks) {
  std::vector<std::string> hosts;
  hosts.reserve(ranks.size());
  for (const plan::RankCores& rank : ranks) hosts.push_back(rank.host);
  return hosts;
}

std::int64_t depth_of(const Inputs& inputs) {
  return data::read_ahead_depth(inputs.config.data.read_ahead, inputs.micro_batches().size(),
                                inputs.shape.image.values());
}

void check_backend(config::CommBackend backend) {
  if (backend != config::CommBackend::nccl) return;
  throw Error(ExitCode::config,
              "comm.backend is nccl, but this version exchanges over MPI only; use auto or mpi");
}

/// Throws Error(config) for a grid that needs more ranks than there are.
plan::Grid choose_grid(const config::Parallel& parallel, int ranks) {
  using config::Strategy;
  if (parallel.strategy == Strategy::heads) return {1, ranks};
  if (parallel.strategy != Strategy::grid) return {ranks, 1};
  const plan::Grid grid{parallel.grid->data, parallel.grid->heads};
  if (grid.ranks() <= ranks) return grid;
  throw Error(ExitCode::config, fmt::format("parallel.grid: {} x {} needs {} ranks, but {} were started",
                                            grid.data, grid.heads, grid.ranks(), ranks));
}

void warn_of_idle_ranks(const plan::MicroBatches& batches, plan::Grid grid, std::int64_t ranks) {
  if (grid.ranks() < ranks) {
    log::warning(fmt::format("the grid of {} x {} uses {} of {} ranks; the others idle", grid.data,
                             grid.heads, grid.ranks(), ranks));
  }
  if (batches.count() >= grid.ranks()) return;
  log::warning(
      fmt::format("only {} of {} ranks get work: there are {} micro-batches of {} samples (parallel.batch)",
                  batches.count(), ranks, batches.count(), batches.size()));
}

void announce_engine(const config::Backbone& backbone, const model::Placement& placement) {
  if (placement.cuda) return;
  const std::string_view engine = config::name(model::engine_of(backbone, placement));
  const std::string why = model::why_no_winograd(backbone, placement);
  const bool fallen_back = backbone.engine == config::Engine::automatic && !why.empty();
  log::info(fmt::format("the backbone runs on {}{}", engine, fallen_back ? ": " + why : ""));
}

void announce(const Inputs& inputs, const std::vector<plan::RankCores>& cores, plan::Grid grid,
              const model::Placement& placement, int workers) {
  const auto ranks = static_cast<std::int64_t>(cores.size());
  const plan::MicroBatches batches = inputs.micro_batches();
  const std::string device =
      placement.cuda ? "a GPU each" : fmt::format("{} CPU thread(s) each", placement.threads);
  log::info(fmt::format("{} heads on {}, {} samples in {} micro-batches of {}, {} rank(s) with {}",
                        inputs.config.heads.size(), config::name(inputs.config.backbone.arch),
                        batches.samples(), batches.count(), batches.size(), ranks, device));
  const std::uint64_t batch_bytes =
      static_cast<std::uint64_t>(batches.size() * inputs.shape.image.values()) * sizeof(float);
  const auto depth = static_cast<std::uint64_t>(depth_of(inputs));
  log::info(fmt::format("each rank reads up to {} micro-batches ahead ({}) in {} thread(s)", depth,
                        human_bytes(depth * batch_bytes), workers));
  announce_engine(inputs.config.backbone, placement);
  if (grid.heads > 1) {
    log::info(fmt::format("{} group(s) of {} ranks that share the heads", grid.data, grid.heads));
  }
  warn_of_idle_ranks(batches, grid, ranks);
  if (placement.cuda || inputs.config.parallel.threads) return;
  const std::string idle = idle_cores_warning(cores, placement.threads, online_cores());
  if (!idle.empty()) log::warning(idle);
}

/// A rank whose work failed has told the coordinator, which commits and then ends the job; should it not,
/// this rank does.
[[noreturn]] void wait_for_the_end(comm::MpiEnvironment& mpi, const Error& error) {
  std::this_thread::sleep_for(std::chrono::seconds(30));
  end_job(mpi, error);
}

/// A GPU gets bytes, a quarter of the traffic, and normalises them itself.
std::unique_ptr<data::Loader> make_loader(const Inputs& inputs, int workers, bool cuda) {
  data::Loader::Readers readers;
  for (int i = 0; i < workers; ++i) readers.push_back(data::open_reader(inputs.config.data, inputs.shape));
  const bool bytes = cuda && readers.front()->gives_bytes();
  return std::make_unique<data::Loader>(std::move(readers), inputs.shape, inputs.micro_batches().size(),
                                        depth_of(inputs), bytes ? device::pinned_memory() : nullptr);
}

/// What a rank of the grid computes with.
struct Equipment {
  std::unique_ptr<comm::Collectives> group;
  std::unique_ptr<model::Model> model;
  std::unique_ptr<GroupPipeline> pipeline;
  std::unique_ptr<data::Loader> loader;
  Place place;
};

/// Every rank of the world must call it; surplus ranks get nothing. `weights`: this rank's.
Equipment equip(comm::MpiEnvironment& mpi, comm::Collectives& world, const Inputs& inputs, plan::Grid grid,
                plan::HeadRange heads, model::Weights weights, const model::Placement& placement,
                int workers) {
  const bool works = grid.works(mpi.rank());
  Equipment rank;
  rank.group = mpi.split(works ? grid.group_of(mpi.rank()) : -1, kPatience * inputs.config.comm.timeout);
  comm::agree(world, [&] {
    if (!works) return;
    const plan::MicroBatches batches = inputs.micro_batches();
    const GroupPipeline::Job job{inputs.config, batches, heads, weights.classes, weights.feature_width};
    rank.model = model::make_model(with_heads(inputs.config, heads), std::move(weights), batches.size(),
                                   inputs.shape.image, placement);
    rank.pipeline = std::make_unique<GroupPipeline>(*rank.model, *rank.group, job);
    rank.loader = make_loader(inputs, workers, placement.cuda);
    rank.place = {grid.heads, grid.member_of(mpi.rank()),
                  inputs.config.parallel.features == config::Features::local};
  });
  return rank;
}

WorkerFigures work_or_end(comm::MpiEnvironment& mpi, comm::Channel& to_coordinator, comm::Channel& to_ranks,
                          const Equipment& rank, std::chrono::milliseconds timeout) {
  try {
    if (rank.pipeline)
      return work(to_coordinator, to_ranks, *rank.loader, *rank.pipeline, rank.place, timeout);
    sit_out(to_coordinator, to_ranks, timeout);
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
  std::array<std::int64_t, 4> sums{std::llround(mine.seconds_waiting * 1e6),
                                   std::llround(mine.seconds_computing * 1e6),
                                   std::llround(mine.seconds_reading * 1e6), workers};
  world.all_reduce(sums);
  metrics::RunFigures figures;
  figures.seconds = seconds;
  figures.images_per_second = static_cast<double>(samples) / seconds;
  figures.ranks = world.size();
  figures.threads = threads;
  const auto busy = static_cast<double>(sums[0] + sums[1]);
  figures.waiting_share = busy > 0 ? static_cast<double>(sums[0]) / busy : 0;
  figures.workers = workers;
  figures.reading_share = static_cast<double>(sums[2]) / 1e6 / (seconds * static_cast<double>(sums[3]));
  return figures;
}

}  // namespace

JobResult run_job(comm::MpiEnvironment& mpi, const JobOptions& options) {
  const auto world = mpi.collectives();
  Inputs inputs;
  comm::agree(*world, [&] {
    if (mpi.rank() != 0) return;
    inputs = load_inputs(options.config, options.overrides, options.existing);
  });
  share_inputs(*world, inputs);
  const std::vector<plan::RankCores> cores = gather_cores(*world, mpi.host());
  plan::Grid grid;
  comm::agree(*world, [&] {
    check_backend(inputs.config.comm.backend);
    grid = choose_grid(inputs.config.parallel, world->size());
  });
  const auto ranges = head_ranges(inputs.config, grid.heads);
  const int member = grid.works(mpi.rank()) ? grid.member_of(mpi.rank()) : -1;
  model::Weights weights = share_weights(*world, inputs.config, inputs.weights, ranges, member);

  malloc_trim(0);  // rank 0 has let go of the other ranks' heads

  model::Placement placement;
  int workers = 0;
  comm::agree(*world, [&] {
    placement = choose_placement(cores, mpi.rank(), mpi.local_rank(), inputs.config.parallel);
    workers = inputs.config.data.workers.value_or(placement.threads);
  });
  const Equipment rank = equip(mpi, *world, inputs, grid,
                               member < 0 ? plan::HeadRange{} : ranges[static_cast<std::size_t>(member)],
                               std::move(weights), placement, workers);
  const std::string fingerprint = fingerprint_json(inputs.config.backbone, placement);
  const bool mixed = !agree_on_fingerprint(*world, fingerprint, options.allow_mixed);

  std::optional<Keeper> keeper;
  comm::agree(*world, [&] {
    if (mpi.rank() != 0) return;
    announce(inputs, cores, grid, placement, workers);
    keeper.emplace(mpi, options, inputs, grid, hosts_of(cores));
    keeper->create(fingerprint, mixed);
  });

  const auto to_coordinator = mpi.channel(inputs.config.comm.timeout);
  const auto to_ranks = mpi.channel(inputs.config.comm.timeout);
  const auto start = Clock::now();
  if (keeper) keeper->start(*to_coordinator, *to_ranks);
  const WorkerFigures mine = work_or_end(mpi, *to_coordinator, *to_ranks, rank, inputs.config.comm.timeout);
  if (keeper) keeper->join();
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();

  JobResult result;
  result.figures = add_up(*world, mine, seconds, inputs.shape.size, placement.threads, workers);
  result.output = inputs.config.output.path;
  comm::agree(*world, [&] {
    if (keeper) keeper->finish(result.figures);
  });
  return result;
}

}  // namespace polyhead::run
