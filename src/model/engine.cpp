#include "polyhead/model/engine.hpp"

#include <fmt/format.h>

#include "polyhead/base/error.hpp"
#include "polyhead/config/names.hpp"
#include "polyhead/kernels/isa.hpp"

namespace polyhead::model {
namespace {

using config::Engine;

/// Whether Winograd covers the architecture. Bottlenecks are mostly 1x1 convolutions, where it saves nothing.
bool covers(config::Arch arch) {
  return arch != config::Arch::resnet50;
}

}  // namespace

std::string why_no_winograd(const config::Backbone& backbone, const DeviceAssignment& assignment) {
  if (assignment.cuda) return "it runs on a GPU";
  if (!kernels::best_isa()) return "this processor has no AVX2";
  if (!covers(backbone.arch))
    return fmt::format("the winograd engine does not gain by {}", config::name(backbone.arch));
  return "";
}

Engine engine_of(const config::Backbone& backbone, const DeviceAssignment& assignment) {
  if (backbone.engine == Engine::libtorch) return Engine::libtorch;
  const std::string why = why_no_winograd(backbone, assignment);
  if (why.empty()) return Engine::winograd;
  if (backbone.engine == Engine::automatic) return Engine::libtorch;
  throw Error(ExitCode::config, "backbone.engine is winograd, but " + why + "; use auto or libtorch");
}

bool batches_heads(const config::Backbone& backbone, const DeviceAssignment& assignment) {
  return !assignment.cuda && backbone.engine != Engine::libtorch && kernels::best_isa().has_value();
}

}  // namespace polyhead::model
