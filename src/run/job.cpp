#include "polyhead/run/job.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <ctime>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "polyhead/base/cpu.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/log.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/comm/agreement.hpp"
#include "polyhead/config/load.hpp"
#include "polyhead/config/names.hpp"
#include "polyhead/data/loader.hpp"
#include "polyhead/device/pinned.hpp"
#include "polyhead/model/model.hpp"
#include "polyhead/run/coordinator.hpp"
#include "polyhead/run/identity.hpp"
#include "polyhead/run/inputs.hpp"
#include "polyhead/run/pipeline.hpp"
#include "polyhead/run/placement.hpp"
#include "polyhead/run/worker.hpp"

namespace polyhead::run {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::int64_t kMostSamples = 1 << 16;  // in a lease, which carries the place of each

store::Layout layout_of(const Inputs& inputs) {
  store::Layout layout;
  layout.samples = inputs.shape.size;
  layout.classes = inputs.weights.classes;
  layout.class_names = inputs.labels.output_names();
  for (const config::Head& head : inputs.config.heads) {
    layout.heads.push_back(head.name);
    layout.head_weights.push_back(head.weight);
  }
  layout.fusion_rule = config::name(inputs.config.fusion.rule);
  layout.batch = inputs.micro_batches().size();
  layout.head_scores = inputs.config.output.head_scores;
  return layout;
}

/// Logs and ends all ranks: for a failure after the ranks have agreed to start, when nobody listens to
/// agreements any more.
[[noreturn]] void end_job(comm::MpiEnvironment& mpi, const Error& error) {
  log::error(error.what());
  mpi.abort(static_cast<int>(error.code()));
}

/// The result file and its coordinator: rank 0's second role.
class Keeper {
 public:
  Keeper(comm::MpiEnvironment& mpi, const JobOptions& options, Inputs& inputs, std::vector<std::string> hosts)
      : mpi_(mpi),
        options_(options),
        inputs_(inputs),
        hosts_(std::move(hosts)),
        output_(inputs.config.output.path) {}

  /// Creates the output. Throws Error.
  void create(const std::string& fingerprint, bool mixed) {
    lock_.emplace(output_);
    const store::Layout layout = layout_of(inputs_);
    const store::SampleSource samples{
        [&](std::int64_t first, std::span<std::int32_t> labels) { inputs_.read_labels(first, labels); },
        [&](std::int64_t index) { return inputs_.dataset->sample_id(index); }};
    const store::Header header{identity_json(inputs_), fingerprint, config::to_yaml(inputs_.config)};
    const store::Offsets offsets = store::create(output_, layout, samples, header, options_.existing);
    writer_ = std::make_unique<store::Writer>(store::open_for_writing(output_), layout, offsets);
    writer_->append_provenance(provenance(mixed));
  }

  /// Starts the coordinator's thread. A failure there ends the job.
  void start(comm::Channel& from_ranks, comm::Channel& to_ranks) {
    thread_ = std::thread([&] {
      try {
        coordinate(from_ranks, to_ranks);
      } catch (const Error& error) {
        keep_and_end(error);
      } catch (const std::exception& error) {
        keep_and_end(Error(ExitCode::internal, error.what()));
      }
    });
  }

  /// Until every row is committed.
  void join() { thread_.join(); }

  /// Certificate and summary.
  void finish(const metrics::RunFigures& figures) {
    writer_->finish();
    const store::Reader reader(output_);
    const nlohmann::ordered_json certificate{{"digest", "xxh128:" + reader.results_digest().hex()}};
    writer_->write_certificate(certificate.dump());
    writer_->write_summary(options_.summarise(reader, figures));
    writer_->finish();
  }

 private:
  void coordinate(comm::Channel& from_ranks, comm::Channel& to_ranks) {
    const plan::MicroBatches batches = inputs_.micro_batches();
    Progress progress(options_.progress, batches.samples());
    Coordinator::Settings settings;
    settings.commit_interval = inputs_.config.output.commit_interval;
    settings.timeout = inputs_.config.comm.timeout;
    settings.max_bad = static_cast<std::int64_t>(
        std::floor(inputs_.config.data.max_bad * static_cast<double>(batches.samples())));
    settings.hosts = hosts_;
    settings.progress = [&](std::int64_t done) { progress.update(done); };
    settings.locations = [&](std::int64_t first, std::int64_t count) {
      return inputs_.dataset->locations(first, count);
    };
    settings.sample_id = [&](std::int64_t index) { return inputs_.dataset->sample_id(index); };
    const plan::LeaseSchedule schedule(batches.count(), static_cast<std::int64_t>(hosts_.size()),
                                       std::max<std::int64_t>(1, kMostSamples / batches.size()));
    Coordinator(from_ranks, to_ranks, schedule, *writer_, batches, settings).run();
    progress.finish();
  }

  [[noreturn]] void keep_and_end(const Error& error) {
    const std::int64_t kept = writer_->committed();
    end_job(mpi_, Error(error.code(),
                        fmt::format("{}\n{} of {} micro-batches are finished and kept in {}", error.what(),
                                    kept, inputs_.micro_batches().count(), output_.string())));
  }

  [[nodiscard]] std::string provenance(bool mixed) const {
    const nlohmann::ordered_json line{
        {"event", "start"},
        {"time", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)))},
        {"polyhead", POLYHEAD_VERSION},
        {"ranks", hosts_.size()},
        {"host", hosts_.front()},
        {"mixed_fingerprints", mixed},
        {"command", options_.command_line},
    };
    return line.dump();
  }

  comm::MpiEnvironment& mpi_;
  const JobOptions& options_;
  Inputs& inputs_;
  std::vector<std::string> hosts_;
  std::filesystem::path output_;
  std::optional<store::OutputLock> lock_;
  std::unique_ptr<store::Writer> writer_;
  std::thread thread_;
};

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

void announce(const Inputs& inputs, const std::vector<plan::RankCores>& cores,
              const config::Parallel& parallel, const model::Placement& placement, int workers) {
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
  if (batches.count() < ranks) {
    log::warning(
        fmt::format("only {} of {} ranks get work: there are {} micro-batches of {} samples (parallel.batch)",
                    batches.count(), ranks, batches.count(), batches.size()));
  }
  if (placement.cuda || parallel.threads) return;
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

WorkerFigures work_or_end(comm::MpiEnvironment& mpi, comm::Channel& to_coordinator, comm::Channel& to_ranks,
                          data::Loader& loader, const Compute& compute, std::chrono::milliseconds timeout) {
  try {
    return work(to_coordinator, to_ranks, loader, compute, timeout);
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

  model::Placement placement;
  std::unique_ptr<model::Model> model;
  std::optional<Pipeline> pipeline;
  std::unique_ptr<data::Loader> loader;
  int workers = 0;
  comm::agree(*world, [&] {
    placement = choose_placement(cores, mpi.rank(), mpi.local_rank(), inputs.config.parallel);
    model = model::make_model(inputs.config, inputs.weights, inputs.micro_batches().size(),
                              inputs.shape.image, placement);
    pipeline.emplace(*model, inputs.config, inputs.weights, inputs.micro_batches().size());
    workers = inputs.config.data.workers.value_or(placement.threads);
    loader = make_loader(inputs, workers, placement.cuda);
  });
  const std::string fingerprint = fingerprint_json(placement);
  const bool mixed = !agree_on_fingerprint(*world, fingerprint, options.allow_mixed);

  std::optional<Keeper> keeper;
  comm::agree(*world, [&] {
    if (mpi.rank() != 0) return;
    announce(inputs, cores, inputs.config.parallel, placement, workers);
    keeper.emplace(mpi, options, inputs, hosts_of(cores));
    keeper->create(fingerprint, mixed);
  });

  const auto to_coordinator = mpi.channel(inputs.config.comm.timeout);
  const auto to_ranks = mpi.channel(inputs.config.comm.timeout);
  const auto start = Clock::now();
  if (keeper) keeper->start(*to_coordinator, *to_ranks);
  const WorkerFigures mine =
      work_or_end(mpi, *to_coordinator, *to_ranks, *loader, std::ref(*pipeline), inputs.config.comm.timeout);
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
