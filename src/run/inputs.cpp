#include "polyhead/run/inputs.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

#include "polyhead/base/digest.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/log.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/comm/agreement.hpp"
#include "polyhead/config/load.hpp"

namespace polyhead::run {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::int64_t kLabelsAtOnce = 1 << 20;

void check_labels(data::Dataset& dataset, std::int64_t classes) {
  if (!dataset.labelled()) return;
  std::vector<std::int32_t> labels;
  for (std::int64_t first = 0; first < dataset.size(); first += kLabelsAtOnce) {
    labels.resize(static_cast<std::size_t>(std::min(kLabelsAtOnce, dataset.size() - first)));
    dataset.read_labels(first, labels);
    const auto bad = std::ranges::find_if(labels, [&](std::int32_t label) { return label >= classes; });
    if (bad == labels.end()) continue;
    throw Error(
        ExitCode::bad_data,
        fmt::format("{}: sample {} has label {}, but the heads give {} classes (0 to {})", dataset.describe(),
                    dataset.sample_id(first + (bad - labels.begin())), *bad, classes, classes - 1));
  }
}

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

/// One broadcast for the layout, one for the values; the digest tells whether every rank got the same bytes.
void share_weights(comm::Collectives& world, model::Weights& weights) {
  const auto start = Clock::now();
  std::vector<std::byte> layout;
  if (world.rank() == 0) layout = weights.layout_to_wire();
  comm::broadcast_any(world, layout);
  comm::agree(world, [&] {
    if (world.rank() != 0) weights = model::Weights::layout_from_wire(layout);
  });
  world.broadcast(std::as_writable_bytes(std::span(weights.values)), 0);

  Digest digest = weights.digest();
  const Digest mine = digest;
  world.broadcast(std::as_writable_bytes(std::span(&digest, 1)), 0);
  comm::agree(world, [&] {
    if (digest != mine)
      throw Error(ExitCode::unavailable, "the weights arrived damaged: their digest differs from rank 0's");
  });
  if (world.rank() == 0 && world.size() > 1) {
    log::info(fmt::format("weights: {} to {} other rank(s) in {}",
                          human_bytes(weights.values.size() * sizeof(float)), world.size() - 1,
                          human_seconds(std::chrono::duration<double>(Clock::now() - start).count())));
  }
}

/// What must agree between the ranks' views of one data set.
struct DatasetShape {
  std::int64_t size = 0;
  ImageShape image;
  friend bool operator==(const DatasetShape&, const DatasetShape&) = default;
};

void share_dataset(comm::Collectives& world, const config::Data& config,
                   std::unique_ptr<data::Dataset>& dataset) {
  DatasetShape shape;
  if (world.rank() == 0) shape = {dataset->size(), dataset->image_shape()};
  world.broadcast(std::as_writable_bytes(std::span(&shape, 1)), 0);
  comm::agree(world, [&] {
    if (world.rank() == 0) return;
    dataset = data::open(config);
    if (DatasetShape{dataset->size(), dataset->image_shape()} != shape) {
      throw Error(ExitCode::bad_data,
                  fmt::format("rank {} sees another data set than rank 0 ({} samples there): {}",
                              world.rank(), shape.size, dataset->describe()));
    }
  });
}

}  // namespace

plan::MicroBatches Inputs::micro_batches() const {
  return {dataset->size(), config.parallel.batch.value_or(kDefaultBatch)};
}

Inputs load_inputs(const std::filesystem::path& config, const std::vector<std::string>& overrides) {
  auto loaded = config::load(config, overrides);
  config::resolve_files(loaded);
  Inputs inputs{std::move(loaded.config), nullptr, {}};
  inputs.dataset = data::open(inputs.config.data);
  log::info(inputs.dataset->describe());

  model::Notes notes;
  inputs.weights = model::load_weights(inputs.config, notes);
  for (const std::string& note : notes) log::info(note);
  check_labels(*inputs.dataset, inputs.weights.classes);
  return inputs;
}

void share_inputs(comm::Collectives& world, Inputs& inputs) {
  share_config(world, inputs.config);
  share_weights(world, inputs.weights);
  share_dataset(world, inputs.config.data, inputs.dataset);
}

}  // namespace polyhead::run
