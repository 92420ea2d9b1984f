#include "polyhead/run/identity.hpp"

#include <map>

#include <fmt/format.h>
#include <gnu/libc-version.h>
#include <nlohmann/json.hpp>

#include "polyhead/base/cpu.hpp"
#include "polyhead/base/digest.hpp"
#include "polyhead/base/environment.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/log.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/comm/agreement.hpp"
#include "polyhead/config/names.hpp"
#include "polyhead/data/encoded.hpp"
#include "polyhead/fusion/rule.hpp"
#include "polyhead/image/codecs.hpp"
#include "polyhead/image/resize.hpp"

namespace polyhead::run {
namespace {

std::string heads_digest(const std::vector<config::Head>& heads) {
  Hasher hasher;
  for (const config::Head& head : heads) {
    hasher.update(std::string_view(head.name)).update(std::string_view(fmt::format("{}", head.weight)));
    for (const config::Layer& layer : head.layers) hasher.update(std::string_view(config::describe(layer)));
    // Omitted where it has the old fixed value, so that old results can be continued. A batch norm's epsilon
    // is in the weights.
    if (head.layernorm_eps != config::kDefaultEpsilon)
      hasher.update(std::string_view(fmt::format("layernorm_eps {}", head.layernorm_eps)));
  }
  return hasher.digest().hex();
}

/// Digest of the classes. Stored labels are outputs of the heads, so the map from labels to outputs is part
/// of the job.
std::string classes_digest(const config::ClassMap& classes, const LabelMap& labels) {
  Hasher hasher;
  for (const config::ClassMap::Entry& entry : classes.entries) {
    hasher.update(std::string_view(entry.label)).update(std::int64_t{entry.output});
  }
  for (const std::string& name : labels.output_names()) hasher.update(std::string_view(name));
  return hasher.digest().hex();
}

/// Half of a digest per sample whose bytes were read.
std::string content_text(const data::DatasetDigest& digest) {
  std::vector<std::string> texts;
  for (const Digest& sample : digest.samples) texts.push_back(fmt::format("{:016x}", sample.high));
  return join(texts, " ");
}

std::string describe(const config::Preprocess& preprocess) {
  const auto pixels = [](const std::optional<int>& value) { return value ? std::to_string(*value) : "none"; };
  return fmt::format("{}: resize {} {}, crop {}, mean {}, std {}", config::name(preprocess.mode),
                     pixels(preprocess.resize), config::name(preprocess.interpolation),
                     pixels(preprocess.crop), fmt::join(preprocess.mean, " "),
                     fmt::join(preprocess.std, " "));
}

/// Fingerprint of the fusion. Sums of integers and medians are equal everywhere; only a preceding softmax has
/// other bits elsewhere.
std::string fusion_fingerprint(config::FusionRule rule) {
  if (!fusion::calls_exp(rule)) return kExactFusion;
  return libm_text(gnu_get_libc_version(), has_fused_multiply_add(cpu_fingerprint()));
}

/// Fingerprint of the decoders; arrays of pixels need none.
std::string image_fingerprint(config::DataFormat format) {
  const bool decoded = format == config::DataFormat::automatic || data::is_encoded(format);
  return decoded ? image::codec_fingerprint() : fmt::format("resampling {}", image::kResamplingVersion);
}

/// What computes the scores.
nlohmann::ordered_json model_identity(const Inputs& inputs) {
  if (inputs.weights.members) {
    Hasher hasher;
    for (const Digest& member : graph::member_digests(*inputs.weights.members)) hasher.update(member.hex());
    return {{"members", "xxh128:" + hasher.digest().hex()}};
  }
  const config::Backbone& backbone = inputs.config.backbone;
  return {{"backbone", config::name(backbone.arch)},
          {"precision", config::name(backbone.precision)},
          {"engine", config::name(backbone.engine)}};
}

}  // namespace

std::string identity_json(Inputs& inputs) {
  const config::Config& config = inputs.config;
  const data::DatasetDigest& data = inputs.data_digest();
  nlohmann::ordered_json identity = model_identity(inputs);
  identity.update(nlohmann::ordered_json{
      {"weights", "xxh128:" + inputs.weights_digest.hex()},
      {"heads", "xxh128:" + heads_digest(config.heads)},
      {"fusion", config::name(config.fusion.rule)},
      {"data", "xxh128:" + data.list.hex()},
      {"places", "xxh128:" + data.places.hex()},
      {"content", content_text(data)},
      {"samples", inputs.shape.size},
      {"limits", fmt::format("{} pixels, {} bytes", config.data.max_pixels, config.data.max_file_size)},
      {"classes", "xxh128:" + classes_digest(config.data.classes, inputs.labels)},
      {"preprocess", describe(config.data.preprocess)},
      {"batch", inputs.micro_batches().size()},
  });
  return identity.dump(1);
}

std::string libm_text(const std::string& version, bool fused_multiply_add) {
  std::vector<std::string> parts{fmt::format("exp() of glibc {} {} fused multiply-add", version,
                                             fused_multiply_add ? "with" : "without")};
  for (std::string& variable : variables_of(Computer::libm)) parts.push_back(std::move(variable));
  return join(parts, "; ");
}

Fingerprint fingerprint_of(const config::Config& config, const model::DeviceAssignment& assignment) {
  const nlohmann::ordered_json today{
      {"backbone", model::backbone_fingerprint(config.backbone, assignment)},
      {"heads", model::heads_fingerprint(config, assignment)},
      {"fusion", fusion_fingerprint(config.fusion.rule)},
      {"images", image_fingerprint(config.data.format)},
      {"polyhead", POLYHEAD_VERSION},
  };
  const nlohmann::ordered_json former{
      {"cpu", cpu_fingerprint()},
      {"engine", model::former_engine_fingerprint(config.backbone, assignment)},
      {"images", image::codec_fingerprint()},
      {"libc", gnu_get_libc_version()},
      {"polyhead", POLYHEAD_VERSION},
  };
  return {today.dump(1), former.dump(1)};
}

std::string features_key(Inputs& inputs, const std::string& fingerprint) {
  nlohmann::ordered_json key{{"features", 2}};  // format of the cache
  key.update(nlohmann::ordered_json::parse(identity_json(inputs)));
  for (const char* part : {"heads", "fusion", "classes"}) key.erase(part);
  key["weights"] = "xxh128:" + inputs.backbone_digest.hex();
  key["fingerprint"] = nlohmann::ordered_json::parse(fingerprint);
  for (const char* part : {"heads", "fusion"}) key["fingerprint"].erase(part);
  return key.dump(1);
}

bool agree_on_fingerprint(comm::Collectives& world, const std::string& mine, bool allow_mixed) {
  std::map<std::string, std::vector<std::string>> ranks_by_fingerprint;
  const auto all = world.all_gather(std::as_bytes(std::span(mine)));
  for (std::size_t rank = 0; rank < all.size(); ++rank) {
    const std::string text(reinterpret_cast<const char*>(all[rank].data()), all[rank].size());
    ranks_by_fingerprint[text].push_back(std::to_string(rank));
  }
  if (ranks_by_fingerprint.size() == 1) return true;

  std::string message = "the ranks would not compute the same bits:";
  for (const auto& [fingerprint, ranks] : ranks_by_fingerprint) {
    message += fmt::format("\nranks {}: {}", join(ranks), fingerprint);
  }
  if (!allow_mixed) {
    throw comm::AgreedError(
        ExitCode::config,
        message + "\nRun on machines of one kind, or accept last-digit differences with --allow-mixed");
  }
  if (world.rank() == 0) log::warning(message);
  return false;
}

}  // namespace polyhead::run
