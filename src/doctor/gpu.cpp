#include <fmt/format.h>

#include "checks.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/comm/nccl.hpp"
#include "polyhead/device/cuda.hpp"

namespace polyhead::doctor {
namespace {

/// "NVIDIA A100-SXM4-40GB MIG 1g.5gb"
bool is_part_of_gpu(const std::string& name) {
  return name.find(" MIG ") != std::string::npos;
}

}  // namespace

GpuFacts gpu_facts(config::Device wanted) {
  GpuFacts facts;
  facts.wanted = wanted;
  for (int index = 0; index < device::device_count(); ++index) {
    const device::DeviceInfo info = device::query(index);
    facts.gpus.push_back(fmt::format("{}, {}", info.name, human_bytes(info.total_memory)));
    if (facts.why_unsupported.empty()) facts.why_unsupported = device::why_unsupported(info);
  }
  if (facts.gpus.empty())
    facts.why_none = device::why_no_device();
  else
    facts.driver = device::driver_version();
  facts.nccl = comm::nccl_version();
  facts.why_no_nccl = comm::why_no_nccl();
  return facts;
}

Finding check_gpu(const GpuFacts& facts, int ranks_here) {
  Finding found{"gpu", Verdict::ok, "", "", ""};
  const auto gpus = static_cast<int>(facts.gpus.size());
  if (gpus == 0) {
    found.text = fmt::format("none: {}; ranks compute on CPUs", facts.why_none);
    if (facts.wanted == config::Device::cuda) {
      found.verdict = Verdict::problem;
      found.text = fmt::format("none: {}", facts.why_none);
      found.advice =
          "parallel.device is cuda: install the NVIDIA driver, look at CUDA_VISIBLE_DEVICES, or use cpu";
    }
    return found;
  }
  found.text = fmt::format("{}: {}; {}", counted(gpus, "GPU"), join(facts.gpus, "; "), facts.driver);
  if (facts.wanted != config::Device::cpu && !facts.why_unsupported.empty()) {
    found.verdict = Verdict::problem;
    found.advice = facts.why_unsupported;
    return found;
  }
  if (facts.wanted != config::Device::cpu && ranks_here > 1 && is_part_of_gpu(facts.gpus.front())) {
    found.verdict = Verdict::note;
    found.advice =
        "MIG divides the GPUs, and CUDA shows a process one instance only: give each rank its own in "
        "CUDA_VISIBLE_DEVICES (MIG-...), by Slurm's --gpus-per-task=1 or by a script around polyhead; NCCL "
        "does not connect instances, MPI does";
    return found;
  }
  if (facts.wanted != config::Device::cpu && ranks_here > gpus) {
    found.verdict = Verdict::note;
    found.advice =
        fmt::format("{} share {}: start one rank a GPU", counted(ranks_here, "rank"), counted(gpus, "GPU"));
  }
  return found;
}

Finding check_nccl(const GpuFacts& facts) {
  Finding found{"nccl", Verdict::ok, "NCCL " + facts.nccl, "", ""};
  if (!facts.nccl.empty()) return found;
  found.text = facts.why_no_nccl.empty() ? "libnccl.so.2 cannot be loaded" : facts.why_no_nccl;
  if (facts.gpus.size() > 1) {
    found.verdict = Verdict::note;
    found.advice =
        "ranks exchange over MPI, which is slower: install NCCL (it comes with the torch wheel), or look at "
        "LD_LIBRARY_PATH";
  }
  return found;
}

}  // namespace polyhead::doctor
