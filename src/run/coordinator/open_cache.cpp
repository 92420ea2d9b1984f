#include "open_cache.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

#include <fmt/format.h>

#include "polyhead/base/error.hpp"
#include "polyhead/base/log.hpp"
#include "polyhead/base/wire.hpp"
#include "polyhead/run/identity.hpp"
#include "run/protocol/send_to_coordinator.hpp"

namespace polyhead::run {

std::unique_ptr<store::FeatureCache> open_cache(Inputs& inputs, const std::string& fingerprint, bool mixed,
                                                std::span<const std::int64_t> anew) {
  if (inputs.config.output.cache == config::Cache::none) return nullptr;
  if (mixed) {
    log::warning("features are not cached: ranks of several kinds compute them");
    return nullptr;
  }
  const plan::MicroBatches batches = inputs.micro_batches();
  try {
    auto cache = std::make_unique<store::FeatureCache>(
        inputs.config.output.path, features_key(inputs, fingerprint),
        store::FeatureShape{batches.samples(), batches.size(), inputs.weights.feature_width},
        [&inputs, batches](std::int64_t batch) {
          const plan::SampleRange range = batches.samples_of(batch);
          return inputs.dataset->stamps(range.first, range.count);
        });
    log::info(fmt::format("{}: holds the features of {} of {} micro-batches", cache->path().string(),
                          cache->held(), batches.count()));
    for (const std::int64_t batch : anew) cache->forget(batch);
    return cache;
  } catch (const Error& error) {
    log::warning(fmt::format("features are not cached: {}", error.what()));
    return nullptr;
  }
}

void send_features(comm::Collectives& world, const store::FeatureCache* cache, GroupPipeline* pipeline,
                   comm::Channel& to_coordinator) {
  std::array<std::byte, 1> wanted{std::byte{cache != nullptr}};
  world.broadcast(wanted, 0);
  if (wanted[0] == std::byte{0} || pipeline == nullptr) return;
  pipeline->keep_features([&](const data::Batch& batch, std::span<const float> values) {
    WireWriter writer;
    store::Features{batch.index, batch.reasons, {values.begin(), values.end()}}.put(writer);
    send_to_coordinator(to_coordinator, ToCoordinator::features, writer.bytes());
  });
}

}  // namespace polyhead::run
