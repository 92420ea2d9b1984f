#include "polyhead/run/probe.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <malloc.h>

#include "polyhead/base/text.hpp"
#include "polyhead/plan/cost.hpp"
#include "polyhead/plan/memory.hpp"
#include "polyhead/run/inputs.hpp"
#include "probe_peer.hpp"

namespace polyhead::run {
namespace {

using Clock = std::chrono::steady_clock;
constexpr double kPhase = 1.5;         // seconds of repetitions per part
constexpr double kTogether = 4;        // seconds for all parts at once
constexpr double kProcessStart = 0.7;  // seconds to start program, libraries, MPI
// Bytes that a run takes beyond this trial: MPI, HDF5, the coordinator.
constexpr std::int64_t kRunMemory = 30 << 20;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Peak memory of this process. (That of getrusage begins with the parent's.)
std::int64_t peak_bytes() {
  constexpr std::string_view kName = "VmHWM:";
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(kName)) return std::stoll(line.substr(kName.size())) * 1024;
  }
  return 0;
}

model::DeviceAssignment assignment_of(const Machine& machine) {
  model::DeviceAssignment assignment;
  assignment.cuda = machine.gpu;
  assignment.threads = machine.threads_of_rank();
  return assignment;
}

/// Memory of this process with one peer, without what the memory model counts.
std::uint64_t process_memory(const plan::Workload& workload, bool gpu, std::int64_t ahead) {
  const std::int64_t batch_bytes = workload.batch * workload.image_values * (gpu ? workload.gpu_value : 4);
  plan::Workload shorter = workload;
  shorter.read_ahead = static_cast<std::uint64_t>(ahead * batch_bytes);
  shorter.worker_bytes = 0;  // the threads' own buffers stay with the process
  plan::Topology topology;
  topology.processor.gpu = gpu;
  const plan::HeadRange all{0, static_cast<std::int64_t>(workload.heads.size())};
  std::int64_t buffers =
      plan::memory_of(shorter, topology, {1, 1}, config::Features::exchange, all, false).host.total();
  buffers += batch_bytes + workload.batch * workload.classes * all.count * 4;  // the example and its scores
  for (const plan::HeadCost& head : workload.heads)
    buffers += head.bytes;  // the inputs' own copy of all weights
  buffers += workload.backbone.bytes;
  constexpr std::int64_t kMin = std::int64_t{64} << 20U;
  return static_cast<std::uint64_t>(std::max(kMin, peak_bytes() - buffers) + kRunMemory);
}

using Part = void (ProbePeer::*)();

double repeat(ProbePeer& peer, Part part, double limit, std::int64_t skip) {
  for (std::int64_t i = 0; i < skip; ++i) (peer.*part)();
  const auto start = Clock::now();
  int done = 0;
  do {
    (peer.*part)();
    ++done;
  } while (seconds_since(start) < limit);
  return seconds_since(start) / done;
}

class Probe {
 public:
  Probe(const Inputs& inputs, const Machine& machine, const plan::Workload& workload) {
    const int ranks = machine.gpu ? 1 : std::min(machine.ranks, machine.ranks_per_node);
    const std::int64_t batches = inputs.micro_batches().count();
    add_peer(inputs, machine, 0);
    for (std::int64_t i = 0; i < ahead() + 2; ++i) peers_.front()->read_and_compute();
    process_ = process_memory(workload, machine.gpu, ahead());
    for (int i = 1; i < ranks; ++i) add_peer(inputs, machine, batches * i / ranks);
  }

  /// Seconds per `part` when every peer repeats it for `limit` seconds, after doing it `skip` times.
  double time(Part part, double limit, std::int64_t skip = 1) {
    std::vector<std::future<double>> others;
    for (const auto& peer : std::span(peers_).subspan(1)) {
      others.push_back(std::async(std::launch::async, repeat, std::ref(*peer), part, limit, skip));
    }
    double sum = repeat(*peers_.front(), part, limit, skip);
    for (auto& seconds : others) sum += seconds.get();
    return sum / static_cast<double>(peers_.size());
  }

  [[nodiscard]] int ranks() const { return static_cast<int>(peers_.size()); }
  [[nodiscard]] std::int64_t ahead() const { return peers_.front()->ahead(); }
  /// Seconds to make a model while nothing else runs: ranks of a node share what takes long.
  [[nodiscard]] double equip() const { return peers_.front()->equip(); }
  /// Bytes of memory other than weights and buffers.
  [[nodiscard]] std::uint64_t process() const { return process_; }

 private:
  void add_peer(const Inputs& inputs, const Machine& machine, std::int64_t first) {
    peers_.push_back(std::make_unique<ProbePeer>(inputs, assignment_of(machine), first));
  }

  std::vector<std::unique_ptr<ProbePeer>> peers_;
  std::uint64_t process_ = 0;
};

}  // namespace

Measurement measure(const std::filesystem::path& config, const std::vector<std::string>& overrides,
                    const Machine& machine, const plan::Workload& workload) {
  // Threads that stand for ranks must keep freed memory as a rank's main thread does. glibc does so only in
  // main threads.
  mallopt(M_ARENA_MAX, 1);
  const auto start = Clock::now();
  const Inputs inputs = load_inputs(config, overrides, store::Existing::overwrite);
  Measurement measured;
  measured.startup = seconds_since(start);
  Probe probe(inputs, machine, workload);
  measured.ranks = probe.ranks();
  const std::int64_t fill = probe.ahead() + 1;  // read before the clock starts
  measured.images_per_second =
      static_cast<double>(workload.batch) / probe.time(&ProbePeer::read, kPhase, fill);
  measured.backbone = probe.time(&ProbePeer::compute_features, kPhase);
  measured.heads = probe.time(&ProbePeer::compute_heads, kPhase / 2);
  const double computing = probe.time(&ProbePeer::compute, kPhase);
  measured.fusing = std::max(0.0, computing - measured.backbone - measured.heads);
  measured.together = probe.time(&ProbePeer::read_and_compute, kTogether, fill);
  measured.equip = probe.equip();
  measured.process = probe.process();
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
  topology.equip_seconds = measured.equip;
  topology.process.host = measured.process;
  return topology;
}

std::vector<std::string> describe(const Measurement& measured) {
  const auto ms = [](double seconds) { return fmt::format("{:.3g} ms", 1e3 * seconds); };
  return {fmt::format("{} rank(s) at once; a micro-batch of each: backbone {}, heads {}, fusing {}",
                      measured.ranks, ms(measured.backbone), ms(measured.heads), ms(measured.fusing)),
          fmt::format("reading and decoding alone {:.0f} images/s a rank; all at once {} a micro-batch",
                      measured.images_per_second, ms(measured.together)),
          fmt::format("reading the inputs {:.1f} s, making the model {:.1f} s; a process without them {}",
                      measured.startup, measured.equip, human_bytes(measured.process))};
}

}  // namespace polyhead::run
