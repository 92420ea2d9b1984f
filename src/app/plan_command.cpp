#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "commands.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/config/names.hpp"
#include "polyhead/plan/planner.hpp"
#include "polyhead/report/plan.hpp"
#include "polyhead/run/inputs.hpp"
#include "polyhead/run/machine.hpp"
#include "polyhead/run/probe.hpp"
#include "polyhead/run/workload.hpp"

namespace polyhead::app {
namespace {

constexpr int kMaxRanks = 65536;
constexpr double kCoresOfGpu = 8;  // cores of a node per GPU, when not given

struct Options {
  std::string config;
  std::vector<std::string> overrides;
  std::optional<int> ranks;
  std::optional<int> ranks_per_node;
  std::optional<int> gpus_per_node;
  std::optional<int> cores_per_node;
  std::optional<std::uint64_t> gpu_memory;
  std::optional<double> gpu_tflops;
  std::optional<std::uint64_t> bandwidth;
  bool measure = false;
  bool json = false;
};

void check(const Options& options) {
  const auto needs = [&](bool given, const char* option, const char* other, bool other_given) {
    if (!given || other_given) return;
    throw Error(ExitCode::usage,
                fmt::format("{} describes machines with GPUs; say {} as well", option, other));
  };
  needs(options.gpu_memory.has_value(), "--gpu-memory", "--gpus-per-node", options.gpus_per_node.has_value());
  needs(options.gpu_tflops.has_value(), "--gpu-tflops", "--gpus-per-node", options.gpus_per_node.has_value());
  if (options.gpus_per_node && options.ranks_per_node) {
    throw Error(ExitCode::usage,
                "--gpus-per-node and --ranks-per-node exclude each other: every GPU has one rank");
  }
  if (options.gpus_per_node && options.measure) {
    throw Error(ExitCode::usage, "--measure measures this machine, --gpus-per-node describes another one");
  }
}

/// Machine of this host, or the one that the command line describes.
run::Machine machine_of(const Options& options, const config::Parallel& parallel) {
  config::Parallel here = parallel;
  if (options.gpus_per_node) here.device = config::Device::cpu;  // planning for others needs no GPU here
  const int gpus = options.gpus_per_node.value_or(0);
  run::Machine machine = run::this_machine(options.ranks.value_or(std::max(1, gpus)), here);
  if (options.gpus_per_node) {
    machine.gpu = true;
    machine.gpu_memory = options.gpu_memory.value_or(0);
    machine.gpu_flops = options.gpu_tflops.value_or(0) * 1e12;
    machine.ranks_per_node = std::min(machine.ranks, gpus);
    machine.memory = 0;  // hosts other than this one
    machine.cores = kCoresOfGpu * gpus;
  }
  if (options.ranks_per_node) machine.ranks_per_node = std::min(machine.ranks, *options.ranks_per_node);
  if (options.cores_per_node) machine.cores = *options.cores_per_node;
  if (options.bandwidth) machine.bandwidth = static_cast<double>(*options.bandwidth);
  return machine;
}

std::string job_text(const std::string& file, const run::Survey& survey, const plan::Workload& workload) {
  if (survey.members.ensemble) {
    return fmt::format(
        "{}: {} of {} x {}, {} members that are whole models ({:.2f} GFLOP an image in what they "
        "share), {} classes",
        file, counted(workload.samples, "image"), survey.shape.image.height, survey.shape.image.width,
        workload.heads.size(), static_cast<double>(workload.backbone.flops) / 1e9, workload.classes);
  }
  return fmt::format("{}: {} of {} x {}, {} ({:.2f} GFLOP an image), {}, {} classes", file,
                     counted(workload.samples, "image"), survey.shape.image.height, survey.shape.image.width,
                     config::name(survey.config.backbone.arch),
                     static_cast<double>(workload.backbone.flops) / 1e9,
                     counted(static_cast<std::int64_t>(workload.heads.size()), "head"), workload.classes);
}

std::string machines_text(const run::Machine& machine, const plan::Topology& topology, bool here) {
  const std::string where = topology.nodes() == 1
                                ? (here ? std::string("on this machine") : std::string("on 1 node"))
                                : fmt::format("on {} nodes{}, {} a node", topology.nodes(),
                                              here ? " like this one" : "", machine.ranks_per_node);
  const std::string with =
      machine.gpu ? fmt::format("each with a GPU of {}", human_bytes(topology.processor.memory))
                  : fmt::format("each with {:.3g} of {:.3g} cores", machine.cores_of_rank(), machine.cores);
  return fmt::format("{} {}; {}", counted(machine.ranks, "rank"), where, with);
}

run::Measurement measure(const Options& options, const run::Machine& machine,
                         const plan::Workload& workload) {
  std::vector<std::string> overrides = options.overrides;
  overrides.push_back(fmt::format("parallel.batch={}", workload.batch));
  return run::measure(options.config, overrides, machine, workload);
}

void plan(const Options& options) {
  check(options);
  const run::Survey survey = run::survey_inputs(options.config, options.overrides);
  const run::Machine machine = machine_of(options, survey.config.parallel);
  plan::Workload workload =
      run::workload_of(survey.config, survey.shape.image, survey.shape.size, machine.threads_of_rank(),
                       survey.reading, survey.members.ensemble.get());
  plan::Topology topology = run::topology_of(machine, survey.config, workload.image_values);
  workload.batch =
      plan::choose_batch(workload, topology, survey.config.parallel);  // by assumptions, as in a run
  report::PlanContext context;
  if (options.measure) {
    const run::Measurement measured = measure(options, machine, workload);
    topology = run::calibrated(topology, workload, measured);
    context.measured = run::describe(measured);
  } else {
    context.assumed = run::assumptions(machine, survey.config.backbone, topology);
  }
  context.job = job_text(options.config, survey, workload);
  context.machines = machines_text(machine, topology, !options.gpus_per_node);
  const plan::Plan result = plan::make_plan(workload, topology, survey.config.parallel);
  if (survey.members.ensemble) context.sharing = &survey.members.sharing;
  fmt::print("{}", options.json ? report::plan_json(result, workload, context)
                                : report::plan_text(result, workload, context));
}

}  // namespace

void add_plan(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "plan",
      "Show who would compute what, memory and predicted time, without running: on this machine or others");
  command->add_option("config", options->config, "YAML file")->required();
  command->add_option("--set", options->overrides, "Override an option: --set key.sub=value")->take_all();
  command->add_option("--ranks", options->ranks, "Ranks to plan for; default: one, or one a GPU")
      ->check(CLI::Range(1, kMaxRanks));
  command
      ->add_option("--ranks-per-node", options->ranks_per_node, "Ranks on a node; default: one a core or GPU")
      ->check(CLI::Range(1, kMaxRanks));
  command
      ->add_option("--gpus-per-node", options->gpus_per_node, "Plan for nodes with so many GPUs, a rank each")
      ->check(CLI::Range(1, kMaxRanks));
  command
      ->add_option("--cores-per-node", options->cores_per_node,
                   "Cores of a node; default: this machine's, or 8 a GPU")
      ->check(CLI::Range(1, kMaxRanks));
  command->add_option("--gpu-memory", options->gpu_memory, "Memory of a GPU: 16GiB")
      ->transform(CLI::AsSizeValue(true));
  command->add_option("--gpu-tflops", options->gpu_tflops, "Peak fp32 TFLOP/s of a GPU")
      ->check(CLI::Range(1e-3, 1e6));
  command->add_option("--bandwidth", options->bandwidth, "Bytes a second between two nodes: 12GB")
      ->transform(CLI::AsSizeValue(true));
  command->add_flag(
      "--measure", options->measure,
      "Calibrate by a short probe: runs the job's own model on its own images for some seconds");
  command->add_flag("--json", options->json, "Print a JSON object");
  command->callback([options] { plan(*options); });
}

}  // namespace polyhead::app
