#include <algorithm>
#include <string>
#include <vector>

#include <ATen/Version.h>
#include <fmt/format.h>
#include <torch/version.h>

#include "model/torch/torch_device.hpp"
#include "polyhead/base/cpu.hpp"
#include "polyhead/base/environment.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/kernels/isa.hpp"
#include "polyhead/model/model.hpp"

namespace polyhead::model {
namespace {

void add_variables(std::vector<std::string>& parts, Computer computer) {
  for (std::string& variable : variables_of(computer)) parts.push_back(std::move(variable));
}

std::string cpu_kernels() {
  return fmt::format("kernels {}", at::get_cpu_capability());
}

std::string torch_fingerprint(const DeviceAssignment& assignment) {
  std::vector<std::string> parts{fmt::format("LibTorch {}", libtorch_version())};
  if (assignment.cuda) {
    parts.push_back(cuda_engine(assignment.device));
    add_variables(parts, Computer::torch_gpu);
  } else {
    parts.push_back(cpu_of_libraries());
    parts.push_back(cpu_kernels());
    add_variables(parts, Computer::torch_cpu);
  }
  return join(parts, "; ");
}

/// Whether LibTorch computes the layer by its own approximations or sums. Batch norm is a product and a sum,
/// each rounded once.
bool is_of_libtorch(const config::Layer& layer) {
  using config::LayerKind;
  return layer.kind == LayerKind::gelu || layer.kind == LayerKind::tanh || layer.kind == LayerKind::layernorm;
}

bool needs_libtorch(const config::Head& head) {
  return std::ranges::any_of(head.layers, is_of_libtorch);
}

}  // namespace

std::string libtorch_version() {
  return TORCH_VERSION;
}

std::string backbone_fingerprint(const config::Backbone& backbone, const DeviceAssignment& assignment) {
  if (engine_of(backbone, assignment) == config::Engine::winograd) return "winograd";
  return torch_fingerprint(assignment);
}

std::string heads_fingerprint(const config::Config& config, const DeviceAssignment& assignment) {
  if (!batches_heads(config.backbone, assignment)) return torch_fingerprint(assignment);
  if (!std::ranges::any_of(config.heads, needs_libtorch)) return "polyhead";
  // LibTorch receives panels of samples, as wide as a vector of our kernels.
  return fmt::format("polyhead {}; {}", kernels::name(*kernels::best_isa()), torch_fingerprint(assignment));
}

std::string former_engine_fingerprint(const config::Backbone& backbone, const DeviceAssignment& assignment) {
  std::vector<std::string> parts{fmt::format("LibTorch {}", libtorch_version())};
  const auto own = [&](const char* what) {
    parts.push_back(fmt::format("{} {}", what, kernels::name(*kernels::best_isa())));
  };
  if (engine_of(backbone, assignment) == config::Engine::winograd) own("backbone winograd");
  if (batches_heads(backbone, assignment)) own("heads");
  parts.push_back(assignment.cuda ? former_cuda_engine(assignment.device) : cpu_kernels());
  if (!assignment.cuda) add_variables(parts, Computer::torch_cpu);
  return join(parts, "; ");
}

}  // namespace polyhead::model
