#include "polyhead/run/probe.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <future>
#include <memory>
#include <numeric>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "polyhead/base/text.hpp"
#include "polyhead/data/loader.hpp"
#include "polyhead/device/pinned.hpp"
#include "polyhead/model/model.hpp"
#include "polyhead/plan/cost.hpp"
#include "polyhead/plan/memory.hpp"
#include "polyhead/run/inputs.hpp"
#include "polyhead/run/pipeline.hpp"

namespace polyhead::run {
namespace {

using Clock = std::chrono::steady_clock;
constexpr double kPhase = 1.5;          // seconds that each part is repeated for
constexpr double kTogether = 4;         // seconds for all parts at once
constexpr std::int64_t kMostAhead = 4;  // micro-batches; the speed is that of more
constexpr double kProcessStart = 0.7;   // seconds: program, libraries, MPI
constexpr double kRunMemory = 30e6;  // bytes that a run takes beside this trial: MPI, HDF5, the coordinator

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::int64_t size = 0;
  std::int64_t resident = 0;
  file >> size >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

model::Placement placement_of(const Machine& machine) {
  model::Placement placement;
  placement.cuda = machine.gpu;
  placement.threads = std::max(1, static_cast<int>(machine.cores_of_rank()));
  return placement;
}

/// What one rank would have.
class Peer {
 public:
  Peer(const Inputs& inputs, const model::Placement& placement, std::int64_t first)
      : inputs_(inputs),
        batch_(inputs.micro_batches().size()),
        next_(first),
        model_(model::make_model(inputs.config, inputs.weights, batch_, inputs.shape.image, placement)),
        pipeline_(*model_, inputs.config, inputs.weights, batch_),
        features_(static_cast<std::size_t>(batch_ * inputs.weights.feature_width)),
        logits_(inputs.config.heads.size() * static_cast<std::size_t>(batch_ * inputs.weights.classes)) {
    open_loader(placement);
    example_ = loader_->next();
    request();
  }

  void compute_features() {
    if (example_.bytes.empty()) {
      model_->features(example_.pixels, features_);
    } else {
      model_->features(example_.bytes, features_);
    }
  }
  void compute_heads() { model_->scores(features_, logits_); }
  void compute() { pipeline_(example_); }
  void read() {
    data::Batch batch = take();
    loader_->recycle(std::move(batch));
  }
  void read_and_compute() {
    data::Batch batch = take();
    pipeline_(batch);
    loader_->recycle(std::move(batch));
  }

  [[nodiscard]] std::int64_t ahead() const { return ahead_; }

 private:
  void open_loader(const model::Placement& placement) {
    const int workers = inputs_.config.data.workers.value_or(placement.threads);
    data::Loader::Readers readers;
    for (int i = 0; i < workers; ++i)
      readers.push_back(data::open_reader(inputs_.config.data, inputs_.shape));
    const bool bytes = placement.cuda && readers.front()->gives_bytes();
    ahead_ = std::min(kMostAhead, data::read_ahead_depth(inputs_.config.data.read_ahead, batch_,
                                                         inputs_.shape.image.values()));
    loader_ = std::make_unique<data::Loader>(std::move(readers), inputs_.shape, batch_, ahead_,
                                             bytes ? device::pinned_memory() : nullptr);
    for (std::int64_t i = 0; i <= ahead_; ++i) request();
  }

  /// The next micro-batch, from the first again after the last.
  void request() {
    const plan::MicroBatches batches = inputs_.micro_batches();
    const std::int64_t index = next_++ % batches.count();
    const plan::SampleRange samples = batches.samples_of(index);
    loader_->request(index, 1, inputs_.dataset->locations(samples.first, samples.count));
  }

  data::Batch take() {
    data::Batch batch = loader_->next();
    request();
    return batch;
  }

  const Inputs& inputs_;
  std::int64_t batch_;
  std::int64_t next_;
  std::int64_t ahead_ = 0;
  std::unique_ptr<model::Model> model_;
  Pipeline pipeline_;
  AlignedVector<float> features_;
  AlignedVector<float> logits_;
  std::unique_ptr<data::Loader> loader_;
  data::Batch example_;
};

class Probe {
 public:
  Probe(const Inputs& inputs, const Machine& machine) {
    const int ranks = machine.gpu ? 1 : std::min(machine.ranks, machine.ranks_per_node);
    const std::int64_t batches = inputs.micro_batches().count();
    for (int i = 0; i < ranks; ++i) {
      peers_.push_back(std::make_unique<Peer>(inputs, placement_of(machine), batches * i / ranks));
    }
  }

  /// Seconds that `part` takes when every peer repeats it for `limit` seconds, after doing it `skip` times.
  double time(void (Peer::*part)(), double limit, std::int64_t skip = 1) {
    std::vector<std::future<double>> times;
    for (const auto& peer : peers_) {
      times.push_back(std::async(std::launch::async, [&peer = *peer, part, limit, skip] {
        for (std::int64_t i = 0; i < skip; ++i) (peer.*part)();
        const auto start = Clock::now();
        int done = 0;
        do {
          (peer.*part)();
          ++done;
        } while (seconds_since(start) < limit);
        return seconds_since(start) / done;
      }));
    }
    double sum = 0;
    for (auto& seconds : times) sum += seconds.get();
    return sum / static_cast<double>(times.size());
  }

  [[nodiscard]] int ranks() const { return static_cast<int>(peers_.size()); }
  [[nodiscard]] std::int64_t ahead() const { return peers_.front()->ahead(); }

 private:
  std::vector<std::unique_ptr<Peer>> peers_;
};

/// Memory of this process without what the memory model counts.
std::uint64_t process_memory(const plan::Workload& workload, const Machine& machine, const Probe& probe) {
  plan::Workload shorter = workload;
  shorter.read_ahead = static_cast<std::uint64_t>(probe.ahead() * workload.batch * workload.image_values) * 4;
  plan::Topology topology;
  topology.processor.gpu = machine.gpu;
  const plan::HeadRange all{0, static_cast<std::int64_t>(workload.heads.size())};
  const plan::MemoryUse use =
      plan::memory_of(shorter, topology, {1, 1}, config::Features::exchange, all, false).host;
  const std::int64_t weights =
      use.weights - (machine.gpu ? 0 : workload.backbone.prepared_bytes);  // the inputs' own copy
  const std::int64_t buffers = probe.ranks() * (use.total() - use.process) + weights;
  constexpr std::int64_t kLeast = std::int64_t{64} << 20U;
  return static_cast<std::uint64_t>(std::max(kLeast, resident_bytes() - buffers) +
                                    static_cast<std::int64_t>(kRunMemory));
}

}  // namespace

Measurement measure(const std::filesystem::path& config, const std::vector<std::string>& overrides,
                    const Machine& machine, const plan::Workload& workload) {
  const auto start = Clock::now();
  const Inputs inputs = load_inputs(config, overrides, store::Existing::overwrite);
  Probe probe(inputs, machine);
  Measurement measured;
  measured.startup = seconds_since(start) / probe.ranks();
  measured.ranks = probe.ranks();
  const std::int64_t fill = probe.ahead() + 1;  // read before the clock starts
  measured.images_per_second = static_cast<double>(workload.batch) / probe.time(&Peer::read, kPhase, fill);
  measured.backbone = probe.time(&Peer::compute_features, kPhase);
  measured.heads = probe.time(&Peer::compute_heads, kPhase / 2);
  const double computing = probe.time(&Peer::compute, kPhase);
  measured.fusing = std::max(0.0, computing - measured.backbone - measured.heads);
  measured.together = probe.time(&Peer::read_and_compute, kTogether, fill);
  measured.process = process_memory(workload, machine, probe);
  return measured;
}

plan::Topology calibrated(plan::Topology topology, const plan::Workload& workload,
                          const Measurement& measured) {
  const auto batch = static_cast<double>(workload.batch);
  const auto heads = static_cast<double>(workload.heads.size());
  plan::Processor& processor = topology.processor;
  processor.flops = batch * static_cast<double>(workload.backbone.flops) / measured.backbone;
  const plan::HeadRange all{0, static_cast<std::int64_t>(workload.heads.size())};
  const double slower = measured.heads / plan::head_seconds(workload, processor, all);
  processor.head_flops /= slower;
  processor.weights_per_second /= slower;
  processor.step_seconds *= slower;
  processor.score_seconds = measured.fusing / (heads * batch * static_cast<double>(workload.classes));
  topology.reading.images_per_second = measured.images_per_second / topology.reading.threads();
  const double reading = batch / measured.images_per_second;
  const double computing = measured.backbone + measured.heads + measured.fusing;
  const double busy = topology.reading.shares_cores ? reading + computing : std::max(reading, computing);
  topology.contention = measured.together / busy;
  topology.startup_seconds = measured.startup + kProcessStart;
  topology.process.host = measured.process;
  return topology;
}

std::vector<std::string> describe(const Measurement& measured) {
  const auto ms = [](double seconds) { return fmt::format("{:.3g} ms", 1e3 * seconds); };
  return {fmt::format("{} rank(s) at once; a micro-batch of each: backbone {}, heads {}, fusing {}",
                      measured.ranks, ms(measured.backbone), ms(measured.heads), ms(measured.fusing)),
          fmt::format("reading and decoding alone {:.0f} images/s a rank; all at once {} a micro-batch",
                      measured.images_per_second, ms(measured.together)),
          fmt::format("reading the inputs and building the model {:.1f} s; a process without them {}",
                      measured.startup, human_bytes(measured.process))};
}

}  // namespace polyhead::run
