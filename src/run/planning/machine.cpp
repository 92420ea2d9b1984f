#include "polyhead/run/machine.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <unistd.h>

#include "polyhead/base/cpu.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/config/names.hpp"
#include "polyhead/data/encoded.hpp"
#include "polyhead/device/cuda.hpp"
#include "polyhead/kernels/isa.hpp"
#include "polyhead/model/engine.hpp"

namespace polyhead::run {
namespace {

// Assumptions where nothing was measured; docs/planner.md gives the sources.
constexpr double kOldCoreFlops = 20e9;        // ResNet convolutions of LibTorch, per core without AVX2
constexpr double kCoreFlops = 60e9;           // LibTorch, per core with AVX2
constexpr double kWideCoreFlops = 150e9;      // LibTorch, per core with AVX-512
constexpr double kWinogradFlops = 225e9;      // winograd engine, per core with AVX2
constexpr double kWideWinogradFlops = 500e9;  // winograd engine, per core with AVX-512
constexpr double kCoreHeadFlops = 30e9;       // linear layers of a micro-batch
constexpr double kCoreStream = 6e9;           // bytes/s of weights per core
constexpr double kCoreStep = 8e-6;            // seconds to start a layer
constexpr double kGpuFlops = 15e12;           // peak fp32 of a GPU without a description
constexpr std::uint64_t kGpuMemory = std::uint64_t{16} << 30U;
constexpr double kGpuReached = 0.5;       // share of the peak that convolutions reach
constexpr double kGpuHeadsReached = 0.3;  // share of the peak that linear layers reach
constexpr double kGpuStream = 400e9;      // bytes/s
constexpr double kGpuStep = 10e-6;        // seconds to start a kernel
constexpr double kScore = 6e-9;           // seconds to fuse one score, on the host
constexpr double kDecode = 1000;          // photographs per second and core
constexpr double kPlainValues = 4e8;      // values per second and core, for images that are not encoded
constexpr double kKeepSeconds = 30e-6;    // seconds of rank 0 per micro-batch
constexpr double kWriteRate = 500e6;      // bytes/s
constexpr plan::Link kInside{4e9, 100e-6};
constexpr plan::Link kInsideGpus{10e9, 50e-6};
constexpr double kBetween = 1.25e9;  // bytes/s: 10 Gbit/s
constexpr double kBetweenLatency = 200e-6;
constexpr plan::ProcessMemory kProcess{std::uint64_t{140} << 20U, 0};
constexpr plan::ProcessMemory kGpuProcess{std::uint64_t{3} << 30U, std::uint64_t{1} << 30U};
constexpr double kStartup = 0.8;  // seconds until ranks know their first micro-batches
constexpr double kGpuStartup = 5;
constexpr double kEquip = 0.7;   // seconds from then until they can compute
constexpr double kGpuEquip = 5;  // seconds to load LibTorch's CUDA half and make the GPU's context

/// Memory of this host, or what the cgroup grants of it.
std::uint64_t usable_memory() {
  const auto all =
      static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  return std::min(all, cgroup_memory_limit().value_or(all));
}

double usable_cores() {
  const auto cores = static_cast<double>(affinity_cores().size());
  return std::min(cores, cgroup_cpu_quota().value_or(cores));
}

double core_flops(const config::Backbone& backbone) {
  const std::optional<kernels::Isa> isa = kernels::best_isa();
  if (!isa) return kOldCoreFlops;
  const bool wide = *isa == kernels::Isa::avx512;
  if (model::engine_of(backbone, {}) == config::Engine::winograd) {
    return wide ? kWideWinogradFlops : kWinogradFlops;
  }
  return wide ? kWideCoreFlops : kCoreFlops;
}

/// Text "winograd with avx512".
std::string engine_name(const config::Backbone& backbone) {
  const std::optional<kernels::Isa> isa = kernels::best_isa();
  return fmt::format("{} {}", config::name(model::engine_of(backbone, {})),
                     isa ? fmt::format("with {}", kernels::name(*isa)) : std::string("without AVX2"));
}

plan::Processor cpu_of(double cores, const config::Config& config) {
  plan::Processor processor;
  processor.flops = core_flops(config.backbone) * cores;
  processor.head_flops = config.has_whole_members() ? processor.flops : kCoreHeadFlops * cores;
  processor.weights_per_second = kCoreStream * cores;
  processor.step_seconds = kCoreStep;
  processor.score_seconds = kScore;
  return processor;
}

plan::Processor gpu_of(const Machine& machine) {
  const double peak = machine.gpu_flops > 0 ? machine.gpu_flops : kGpuFlops;
  plan::Processor processor;
  processor.gpu = true;
  processor.flops = kGpuReached * peak;
  processor.head_flops = kGpuHeadsReached * peak;
  processor.weights_per_second = kGpuStream;
  processor.step_seconds = kGpuStep;
  processor.score_seconds = kScore;
  processor.memory = machine.gpu_memory > 0 ? machine.gpu_memory : kGpuMemory;
  return processor;
}

double images_per_second(const config::Data& data, std::int64_t image_values) {
  return data::is_encoded(data.format)
             ? kDecode
             : kPlainValues / static_cast<double>(std::max<std::int64_t>(1, image_values));
}

}  // namespace

double Machine::cores_of_rank() const {
  const double share = cores / std::max(1, std::min(ranks, ranks_per_node));
  return threads ? std::min(share, static_cast<double>(*threads)) : share;
}

int Machine::threads_of_rank() const {
  return std::max(1, static_cast<int>(cores_of_rank()));
}

Machine this_machine(int ranks, const config::Parallel& parallel) {
  Machine machine;
  machine.ranks = ranks;
  machine.cores = usable_cores();
  machine.memory = usable_memory();
  machine.threads = parallel.threads;
  const int gpus = parallel.device == config::Device::cpu ? 0 : device::device_count();
  if (parallel.device == config::Device::cuda && gpus == 0) {
    throw Error(
        ExitCode::config,
        fmt::format(
            "parallel.device is cuda, but there is no usable GPU on this host ({}); say what GPUs the "
            "job will have (--gpus-per-node), or use parallel.device: cpu",
            device::why_no_device()));
  }
  machine.gpu = gpus > 0;
  if (machine.gpu) machine.gpu_memory = device::query(0).total_memory;
  const int fill = machine.gpu ? gpus : std::max(1, static_cast<int>(machine.cores));
  machine.ranks_per_node = std::min(ranks, fill);
  return machine;
}

Machine machine_of(const std::vector<plan::RankCores>& ranks, const model::DeviceAssignment& assignment) {
  Machine machine;
  machine.ranks = static_cast<int>(ranks.size());
  machine.ranks_per_node =
      static_cast<int>(std::ranges::count(ranks, ranks.front().host, &plan::RankCores::host));
  machine.cores = static_cast<double>(assignment.threads * machine.ranks_per_node);
  machine.memory = usable_memory();
  machine.gpu = assignment.cuda;
  if (machine.gpu) machine.gpu_memory = device::query(assignment.device).total_memory;
  return machine;
}

plan::Topology topology_of(const Machine& machine, const config::Config& config, std::int64_t image_values) {
  const config::Data& data = config.data;
  const double cores = machine.cores_of_rank();
  plan::Topology topology;
  topology.ranks = machine.ranks;
  topology.ranks_per_node = machine.ranks_per_node;
  topology.processor = machine.gpu ? gpu_of(machine) : cpu_of(cores, config);
  topology.reading.cores = cores;
  topology.reading.workers = plan::workers_for(data.workers, static_cast<int>(cores));
  topology.reading.images_per_second = images_per_second(data, image_values);
  topology.reading.shares_cores = !machine.gpu;
  topology.keeping = {kWriteRate, kKeepSeconds};
  topology.process = machine.gpu ? kGpuProcess : kProcess;
  topology.host_memory = machine.memory;
  topology.inside = machine.gpu ? kInsideGpus : kInside;
  topology.between = {machine.bandwidth.value_or(kBetween), kBetweenLatency};
  topology.startup_seconds = machine.gpu ? kGpuStartup : kStartup;
  topology.equip_seconds = machine.gpu ? kGpuEquip : kEquip;
  return topology;
}

std::vector<std::string> assumptions(const Machine& machine, const config::Backbone& backbone,
                                     const plan::Topology& topology) {
  std::vector<std::string> lines;
  if (machine.gpu) {
    lines.push_back(fmt::format("a GPU reaches {:.1f} TFLOP/s in the backbone ({})",
                                topology.processor.flops / 1e12,
                                machine.gpu_flops > 0 ? "half of --gpu-tflops" : "say --gpu-tflops"));
    if (machine.gpu_memory == 0) {
      lines.push_back(fmt::format("a GPU has {} (say --gpu-memory)", human_bytes(topology.processor.memory)));
    }
  } else {
    lines.push_back(fmt::format("a rank's {:.3g} {} {:.0f} GFLOP/s in the backbone ({})",
                                machine.cores_of_rank(),
                                machine.cores_of_rank() == 1 ? "core reaches" : "cores reach",
                                topology.processor.flops / 1e9, engine_name(backbone)));
  }
  if (machine.gpu) {
    lines.push_back(
        fmt::format("a rank starts in {:.0f} s; in the last {:.0f} s it knows its first micro-batch",
                    topology.startup_seconds + topology.equip_seconds, topology.equip_seconds));
  }
  lines.push_back(fmt::format(
      "a core reads and decodes {:.0f} images/s{}", topology.reading.images_per_second,
      machine.gpu ? fmt::format("; a rank has {:.3g} cores for that", topology.reading.threads()) : ""));
  if (topology.nodes() > 1 && !machine.bandwidth) {
    lines.push_back(
        fmt::format("{:.2f} GB/s between nodes (say --bandwidth)", topology.between.bytes_per_second / 1e9));
  }
  return lines;
}

}  // namespace polyhead::run
