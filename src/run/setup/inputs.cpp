#include "polyhead/run/inputs.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "output_check.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/log.hpp"
#include "polyhead/comm/agreement.hpp"
#include "polyhead/config/load.hpp"
#include "polyhead/config/names.hpp"
#include "polyhead/device/cuda.hpp"
#include "polyhead/model/load_weights.hpp"
#include "polyhead/store/reader.hpp"
#include "result_layout.hpp"
#include "scratch_index.hpp"

namespace polyhead::run {
namespace {

constexpr std::int64_t kLabelsAtOnce = 1 << 20;

void check_labels(Inputs& inputs) {
  data::Dataset& dataset = *inputs.dataset;
  if (!dataset.labelled()) return;
  const std::int64_t classes = inputs.weights.classes;
  std::int64_t unlabelled = 0;
  std::vector<std::int32_t> outputs;
  for (std::int64_t first = 0; first < dataset.size(); first += kLabelsAtOnce) {
    outputs.resize(static_cast<std::size_t>(std::min(kLabelsAtOnce, dataset.size() - first)));
    inputs.read_labels(first, outputs);
    const auto bad = std::ranges::find_if(
        outputs, [&](std::int32_t output) { return output >= classes || output == LabelMap::kNoOutput; });
    unlabelled += std::ranges::count(outputs, -1);
    if (bad == outputs.end()) continue;
    const std::int64_t sample = first + (bad - outputs.begin());
    std::int32_t label = 0;
    dataset.read_labels(sample, std::span(&label, 1));
    throw Error(ExitCode::bad_data,
                fmt::format("{}: sample {} has label {}, but {}", dataset.describe(),
                            dataset.sample_id(sample), label,
                            *bad == LabelMap::kNoOutput
                                ? std::string("data.classes has no output for it")
                                : fmt::format("the heads give {} classes (0 to {})", classes, classes - 1)));
  }
  if (unlabelled == 0) return;
  log::warning(fmt::format("data: {} of {} samples have no label: they count in no accuracy", unlabelled,
                           dataset.size()));
}

/// Path of the list of samples beside the output; makes the folder, which must exist before the run makes its
/// output.
std::filesystem::path index_beside(const std::filesystem::path& output) {
  std::error_code error;
  std::filesystem::create_directories(output.parent_path(), error);
  if (error) {
    throw Error(ExitCode::cant_create, fmt::format("{}: the folder cannot be made: {}",
                                                   output.parent_path().string(), error.message()));
  }
  return output.string() + ".index";
}

/// Configuration after a check of its files and its output.
config::Config load_config(const std::filesystem::path& path, const std::vector<std::string>& overrides,
                           store::Existing existing) {
  auto loaded = config::load(path, overrides);
  config::resolve_files(loaded);
  config::Data& data = loaded.config.data;
  check_output_is_no_input(loaded.config, path);
  store::check_output(loaded.config.output.path, existing);
  if (data.format == config::DataFormat::automatic) data.format = data::detect_format(data);
  return std::move(loaded.config);
}

/// `open_inputs` that calls `listed` as soon as the list of samples is open, before anything else is read.
Inputs open_and_tell(config::Config config, const std::filesystem::path& index,
                     const std::function<void()>& listed);

std::vector<std::byte> to_bytes(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

void share_config(comm::Collectives& world, config::Config& config) {
  std::vector<std::byte> yaml;
  if (world.rank() == 0) yaml = to_bytes(config::to_yaml(config));
  comm::broadcast_any(world, yaml);
  comm::agree(world, [&] {
    if (world.rank() == 0) return;
    const std::string text(reinterpret_cast<const char*>(yaml.data()), yaml.size());
    config = config::parse(text, "the configuration sent by rank 0", "/").config;
  });
}

void share_members(comm::Collectives& world, model::Weights& weights) {
  std::vector<std::byte> bytes;
  if (world.rank() == 0) bytes = graph::to_bytes(*weights.members);
  comm::broadcast_any(world, bytes);
  comm::agree(world, [&] {
    if (world.rank() != 0) weights.members = std::make_shared<graph::Ensemble>(graph::ensemble_of(bytes));
  });
}

}  // namespace

plan::MicroBatches Inputs::micro_batches() const {
  return {shape.size, config.parallel.batch.value_or(plan::kDefaultBatch)};
}

store::Layout Inputs::layout() const {
  store::Layout layout = result_layout(config, weights.classes);
  layout.samples = shape.size;
  layout.class_names = labels.output_names();
  layout.batch = micro_batches().size();
  return layout;
}

const data::DatasetDigest& Inputs::data_digest() {
  if (!data_digest_) data_digest_ = dataset->digest();
  return *data_digest_;
}

void Inputs::read_labels(std::int64_t first, std::span<std::int32_t> outputs) {
  dataset->read_labels(first, outputs);
  labels.apply(outputs);
}

Inputs load_inputs(const std::filesystem::path& config, const std::vector<std::string>& overrides,
                   store::Existing existing) {
  config::Config loaded = load_config(config, overrides, existing);
  const bool resumes = store::goes_on(loaded.output.path, existing);
  if (resumes && !loaded.parallel.batch) {
    loaded.parallel.batch = static_cast<int>(store::Reader(loaded.output.path).layout().batch);
  }
  const std::filesystem::path index = index_beside(loaded.output.path);
  Inputs inputs = open_inputs(std::move(loaded), index);
  inputs.resumes = resumes;
  return inputs;
}

Inputs check_inputs(const std::filesystem::path& config, const std::vector<std::string>& overrides) {
  config::Config loaded = load_config(config, overrides, store::Existing::overwrite);
  auto index = std::make_unique<ScratchIndex>(loaded.output.path.string() + ".index");
  const std::filesystem::path path = index->path();
  return open_and_tell(std::move(loaded), path, [&] { index.reset(); });
}

Inputs open_inputs(config::Config config, const std::filesystem::path& index) {
  return open_and_tell(std::move(config), index, [] {});
}

namespace {

/// Whole models are computed on CPUs: says so where a GPU could have been meant.
void choose_cpu(config::Config& config) {
  if (config.parallel.device == config::Device::automatic && device::device_count() > 0)
    log::warning("members that are whole models are computed on CPUs yet: the GPU is not used");
  config.parallel.device = config::Device::cpu;
}

model::Members read_members(config::Config& config, ImageShape image) {
  choose_cpu(config);
  model::Members members = model::read_members(config, image, plan::kDefaultBatch);
  config.parallel.batch = static_cast<int>(members.ensemble->graph.batch);
  for (const graph::MemberSharing& member : members.sharing.members) {
    if (member.equal_to)
      log::warning(fmt::format("member '{}' computes the same as '{}': the fusion counts it twice",
                               member.name, members.sharing.members[*member.equal_to].name));
  }
  return members;
}

void load_model(Inputs& inputs) {
  if (inputs.config.has_whole_members()) {
    model::Members members = read_members(inputs.config, inputs.shape.image);
    inputs.weights = model::load_members(inputs.config, members);
    inputs.sharing = std::move(members.sharing);
    return;
  }
  model::complete_heads(inputs.config);
  model::Findings findings;
  inputs.weights = model::load_weights(inputs.config, findings);
  for (const std::string& note : findings.notes) log::info(note);
  for (const std::string& warning : findings.warnings) log::warning(warning);
}

Inputs open_and_tell(config::Config config, const std::filesystem::path& index,
                     const std::function<void()>& listed) {
  Inputs inputs;
  inputs.config = std::move(config);
  const config::Data& data = inputs.config.data;
  inputs.dataset = data::open(data, index);
  listed();
  inputs.shape = {inputs.dataset->size(), inputs.dataset->image_shape()};
  log::info(inputs.dataset->describe());

  load_model(inputs);
  inputs.weights_digest = inputs.weights.digest();
  if (inputs.config.output.cache != config::Cache::none)
    inputs.backbone_digest = inputs.weights.digest("backbone.");
  inputs.labels = LabelMap(data.classes, inputs.dataset->class_names(), inputs.weights.classes);
  check_labels(inputs);
  return inputs;
}

}  // namespace

Survey survey_inputs(const std::filesystem::path& config, const std::vector<std::string>& overrides) {
  auto loaded = config::load(config, overrides);
  config::resolve_files(loaded);
  const bool whole = loaded.config.has_whole_members();
  if (!whole) model::complete_heads(loaded.config);
  Survey survey{std::move(loaded.config), {}, {}, {}};
  config::Data& data = survey.config.data;
  if (data.format == config::DataFormat::automatic) data.format = data::detect_format(data);
  const auto dataset = data::open(data, index_beside(survey.config.output.path));
  survey.shape = {dataset->size(), dataset->image_shape()};
  survey.reading = dataset->reading_memory();
  if (whole) survey.members = read_members(survey.config, survey.shape.image);
  return survey;
}

void share_inputs(comm::Collectives& world, Inputs& inputs) {
  share_config(world, inputs.config);
  if (inputs.config.has_whole_members()) share_members(world, inputs.weights);
  world.broadcast(std::as_writable_bytes(std::span(&inputs.shape, 1)), 0);
}

}  // namespace polyhead::run
