#include "polyhead/run/identity.hpp"

#include <functional>
#include <map>
#include <optional>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "../support.hpp"
#include "head_of.hpp"
#include "polyhead/base/cpu.hpp"
#include "polyhead/comm/agreement.hpp"
#include "polyhead/comm/local.hpp"
#include "polyhead/config/fusion_rule.hpp"
#include "polyhead/image/codecs.hpp"
#include "polyhead/image/resize.hpp"

namespace polyhead::run {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Json = nlohmann::ordered_json;

/// A data set that is nothing but its digest.
class NamedData final : public data::Dataset {
 public:
  explicit NamedData(std::string_view list, std::string_view places = "", std::string_view content = "")
      : list_(list), places_(places), content_(content) {}
  [[nodiscard]] std::int64_t size() const override { return 100; }
  [[nodiscard]] ImageShape image_shape() const override { return {32, 32}; }
  [[nodiscard]] bool labelled() const override { return false; }
  void read_labels(std::int64_t, std::span<std::int32_t>) override {}
  [[nodiscard]] std::string sample_id(std::int64_t index) const override { return std::to_string(index); }
  [[nodiscard]] std::vector<data::Location> locations(std::int64_t, std::int64_t) const override {
    return {};
  }
  [[nodiscard]] image::ReadingMemory reading_memory() const override { return {}; }
  data::DatasetDigest digest() override {
    return {Hasher().update(list_).digest(),
            Hasher().update(places_).digest(),
            {Hasher().update(content_).digest()}};
  }
  [[nodiscard]] std::vector<std::string> files(std::int64_t) const override { return {}; }
  [[nodiscard]] std::optional<Digest> stamps(std::int64_t, std::int64_t) const override { return {}; }
  [[nodiscard]] std::string describe() const override { return "data"; }

 private:
  std::string_view list_;
  std::string_view places_;
  std::string_view content_;
};

/// Two heads of ten classes on 100 samples.
Inputs inputs() {
  Inputs made;
  const config::Layer linear{config::LayerKind::linear, 10, 0};
  made.config.heads = {polyhead::testing::head_of("mlp", {{config::LayerKind::relu, 0, 0}, linear}),
                       polyhead::testing::head_of("plain", {linear}, 2.0)};
  made.dataset = std::make_unique<NamedData>("photographs");
  made.shape = {100, {32, 32}};
  made.weights.parameters = {{"backbone.conv1.weight", {4}, 0}};
  made.weights.values = {1, 2, 3, 4};
  made.weights.classes = 10;
  return made;
}

using Change = std::function<void(Inputs&)>;

/// Keys of the entries that `change` changes.
std::vector<std::string> changed_by(const Change& change) {
  Inputs before = inputs();
  Inputs after = inputs();
  change(after);
  before.weights_digest = before.weights.digest();
  after.weights_digest = after.weights.digest();
  const Json old_entries = Json::parse(identity_json(before));
  const Json new_entries = Json::parse(identity_json(after));
  EXPECT_EQ(old_entries.size(), new_entries.size());
  std::vector<std::string> keys;
  for (const auto& [key, value] : old_entries.items()) {
    if (new_entries.at(key) != value) keys.push_back(key);
  }
  return keys;
}

TEST(Identity, IsTheSameForTheSameJob) {
  EXPECT_THAT(changed_by([](Inputs&) {}), IsEmpty());
  Inputs one = inputs();
  EXPECT_EQ(Json::parse(identity_json(one)).at("samples"), 100);
}

/// Results of earlier versions go on only while this stays as it is.
TEST(Identity, UsualEpsilonsAddNothingToTheHeads) {
  Inputs one = inputs();
  Hasher hasher;
  for (const char* text : {"mlp", "1", "relu", "linear 10", "plain", "2", "linear 10"})
    hasher.update(std::string_view(text));
  EXPECT_EQ(Json::parse(identity_json(one)).at("heads"), "xxh128:" + hasher.digest().hex());
}

TEST(Identity, ChangesWithWhatChangesResults) {
  const std::vector<std::pair<std::string, Change>> changes{
      {"backbone", [](Inputs& in) { in.config.backbone.arch = config::Arch::resnet34; }},
      {"weights", [](Inputs& in) { in.weights.values[3] = 5; }},
      {"weights", [](Inputs& in) { in.weights.parameters[0].name = "backbone.conv2.weight"; }},
      {"heads", [](Inputs& in) { in.config.heads[0].name = "other"; }},
      {"heads", [](Inputs& in) { in.config.heads[1].weight = 2.5; }},
      {"heads", [](Inputs& in) { in.config.heads[0].layers[0].kind = config::LayerKind::gelu; }},
      {"heads", [](Inputs& in) { std::swap(in.config.heads[0], in.config.heads[1]); }},
      {"heads", [](Inputs& in) { in.config.heads.pop_back(); }},
      {"heads", [](Inputs& in) { in.config.heads[0].layernorm_eps = 1e-6; }},
      {"fusion", [](Inputs& in) { in.config.fusion.rule = config::FusionRule::mean_probabilities; }},
      {"data", [](Inputs& in) { in.dataset = std::make_unique<NamedData>("drawings"); }},
      {"places", [](Inputs& in) { in.dataset = std::make_unique<NamedData>("photographs", "moved"); }},
      {"content", [](Inputs& in) { in.dataset = std::make_unique<NamedData>("photographs", "", "edited"); }},
      {"samples", [](Inputs& in) { in.shape.size = 99; }},
      {"classes",
       [](Inputs& in) {
         in.config.data.classes.entries = {{"cat", 1}, {"dog", 0}};
       }},
      {"classes",
       [](Inputs& in) {
         in.labels = LabelMap({}, {"cat", "dog"}, 2);
       }},
      {"preprocess", [](Inputs& in) { in.config.data.preprocess.resize = 256; }},
      {"preprocess", [](Inputs& in) { in.config.data.preprocess.crop = 224; }},
      {"preprocess",
       [](Inputs& in) { in.config.data.preprocess.interpolation = config::Interpolation::bicubic; }},
      {"preprocess", [](Inputs& in) { in.config.data.preprocess.mode = config::PreprocessMode::fast; }},
      {"preprocess", [](Inputs& in) { in.config.data.preprocess.mean[2] = 0.1; }},
      {"preprocess", [](Inputs& in) { in.config.data.preprocess.std[0] = 0.2; }},
      {"limits", [](Inputs& in) { in.config.data.max_pixels = 1000; }},
      {"limits", [](Inputs& in) { in.config.data.max_file_size = 1000; }},
      {"batch", [](Inputs& in) { in.config.parallel.batch = 16; }},
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    EXPECT_THAT(changed_by(changes[i].second), ElementsAre(changes[i].first)) << "change " << i;
  }
}

TEST(Identity, IsTheJobsAndNotTheRuns) {
  const std::vector<Change> changes{
      [](Inputs& in) { in.config.data.path = "/elsewhere"; },
      [](Inputs& in) { in.config.data.workers = 3; },
      [](Inputs& in) { in.config.data.read_ahead = 1; },
      [](Inputs& in) { in.config.data.max_bad.count = 5; },  // when a run ends, not what it finds
      [](Inputs& in) { in.config.backbone.weights = "/elsewhere.pth"; },
      [](Inputs& in) { in.config.heads[0].weights = "/elsewhere.pth"; },
      [](Inputs& in) { in.config.parallel.strategy = config::Strategy::data; },
      [](Inputs& in) { in.config.parallel.threads = 7; },
      [](Inputs& in) { in.config.parallel.device = config::Device::cpu; },
      [](Inputs& in) { in.config.parallel.batch = plan::kDefaultBatch; },  // what `auto` stands for
      [](Inputs& in) { in.config.output.path = "/elsewhere.h5"; },
      [](Inputs& in) { in.config.output.commit_interval = std::chrono::milliseconds(1); },
      [](Inputs& in) { in.config.output.writers = config::Writers::all; },
      [](Inputs& in) { in.config.comm.timeout = std::chrono::milliseconds(1); },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    EXPECT_THAT(changed_by(changes[i]), IsEmpty()) << "change " << i;
  }
}

/// What a change does to the key of cached features.
bool makes_other_features(const Change& change) {
  Inputs before = inputs();
  Inputs after = inputs();
  change(after);
  before.backbone_digest = before.weights.digest("backbone.");
  after.backbone_digest = after.weights.digest("backbone.");
  return features_key(before, "{}") != features_key(after, "{}");
}

TEST(FeaturesKey, FollowsWhatTheBackboneSeesAndNotTheHeads) {
  EXPECT_TRUE(makes_other_features([](Inputs& in) { in.weights.values[3] = 5; }));
  EXPECT_TRUE(makes_other_features([](Inputs& in) { in.config.backbone.arch = config::Arch::resnet34; }));
  EXPECT_TRUE(makes_other_features([](Inputs& in) { in.config.backbone.engine = config::Engine::libtorch; }));
  EXPECT_TRUE(makes_other_features([](Inputs& in) { in.config.data.preprocess.resize = 256; }));
  EXPECT_TRUE(makes_other_features([](Inputs& in) { in.config.data.max_pixels = 1000; }));
  EXPECT_TRUE(makes_other_features([](Inputs& in) { in.config.parallel.batch = 16; }));
  EXPECT_TRUE(makes_other_features([](Inputs& in) { in.dataset = std::make_unique<NamedData>("drawings"); }));
  EXPECT_TRUE(makes_other_features(
      [](Inputs& in) { in.dataset = std::make_unique<NamedData>("photographs", "", "edited"); }));
  EXPECT_FALSE(makes_other_features([](Inputs& in) { in.config.heads.pop_back(); }));
  EXPECT_FALSE(makes_other_features(
      [](Inputs& in) { in.config.fusion.rule = config::FusionRule::mean_probabilities; }));
  EXPECT_FALSE(makes_other_features([](Inputs& in) { in.weights_digest = Hasher().update("").digest(); }));
  Inputs job = inputs();
  EXPECT_NE(features_key(job, R"({"backbone": "a"})"), features_key(job, R"({"backbone": "b"})"));
  EXPECT_EQ(features_key(job, R"({"heads": "a", "fusion": "a"})"),
            features_key(job, R"({"heads": "b", "fusion": "b"})"));
}

std::vector<std::string> keys_of(const Json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

config::Config job(config::Engine engine, config::LayerKind layer) {
  config::Config made;
  made.backbone.engine = engine;
  made.data.format = config::DataFormat::hdf5;
  made.heads = {polyhead::testing::head_of("mlp", {{layer, 0, 0}, {config::LayerKind::linear, 10, 0}})};
  return made;
}

TEST(Fingerprint, OfTheOwnEngineNamesNoProcessor) {
  if (!model::batches_heads({}, {})) GTEST_SKIP() << "this processor has no AVX2";
  const config::Config config = job(config::Engine::winograd, config::LayerKind::batchnorm);
  const Json found = Json::parse(fingerprint_of(config, {}).text);
  EXPECT_THAT(keys_of(found), ElementsAre("backbone", "heads", "fusion", "images", "polyhead"));
  EXPECT_EQ(found["backbone"], "winograd");
  EXPECT_EQ(found["heads"], "polyhead");
  EXPECT_EQ(found["fusion"], "exact");
  EXPECT_EQ(found["images"], fmt::format("resampling {}", image::kResamplingVersion));
  EXPECT_EQ(fingerprint_of(config, {}).text, fingerprint_of(config, {false, 0, 8}).text);  // threads
}

TEST(Fingerprint, NamesWhatTheJobComputesWith) {
  config::Config config = job(config::Engine::libtorch, config::LayerKind::gelu);
  config.fusion.rule = config::FusionRule::mean_probabilities;
  config.data.format = config::DataFormat::webdataset;
  const Json found = Json::parse(fingerprint_of(config, {}).text);
  EXPECT_EQ(found["backbone"], model::backbone_fingerprint(config.backbone, {}));
  EXPECT_THAT(found["backbone"], HasSubstr("LibTorch "));
  EXPECT_EQ(found["heads"], found["backbone"]);
  EXPECT_THAT(found["fusion"], HasSubstr("exp() of glibc "));
  EXPECT_EQ(found["images"], image::codec_fingerprint());
}

TEST(Fingerprint, HasItsFormerFormBeside) {
  const Json found = Json::parse(fingerprint_of({}, {}).former);
  EXPECT_THAT(keys_of(found), ElementsAre("cpu", "engine", "images", "libc", "polyhead"));
  EXPECT_EQ(found["cpu"], cpu_fingerprint());
  EXPECT_EQ(found["engine"], model::former_engine_fingerprint({}, {}));
  EXPECT_EQ(found["images"], image::codec_fingerprint());
  EXPECT_THAT(found["libc"], HasSubstr("."));
}

/// What a rank came to.
struct Verdict {
  std::optional<bool> equal;  ///< unless it threw
  std::string message;
};

std::vector<Verdict> agree(const std::vector<std::string>& fingerprints, bool allow_mixed) {
  const auto ranks = static_cast<int>(fingerprints.size());
  comm::LocalWorld world(ranks);
  std::vector<Verdict> verdicts(fingerprints.size());
  {
    std::vector<std::jthread> threads;
    for (int rank = 0; rank < ranks; ++rank) {
      threads.emplace_back([&, rank] {
        const auto mine = static_cast<std::size_t>(rank);
        try {
          verdicts[mine].equal =
              agree_on_fingerprint(*world.collectives(rank), fingerprints[mine], allow_mixed);
        } catch (const comm::AgreedError& error) {
          EXPECT_EQ(error.code(), ExitCode::config);
          verdicts[mine].message = error.what();
        }
      });
    }
  }
  return verdicts;
}

TEST(AgreeOnFingerprint, EqualOnesAreFine) {
  for (const bool allow_mixed : {false, true}) {
    for (const Verdict& verdict : agree({"avx2", "avx2", "avx2"}, allow_mixed)) {
      EXPECT_EQ(verdict.equal, true);
    }
  }
}

TEST(AgreeOnFingerprint, DifferentOnesAreRefusedByAllRanksAlike) {
  const auto verdicts = agree({R"({"cpu":"avx2"})", R"({"cpu":"avx512"})", R"({"cpu":"avx2"})"}, false);
  for (const Verdict& verdict : verdicts) {
    EXPECT_FALSE(verdict.equal);
    EXPECT_EQ(verdict.message, verdicts[0].message);
  }
  EXPECT_THAT(verdicts[0].message,
              AllOf(HasSubstr("the ranks would not compute the same bits:\n"),
                    HasSubstr("ranks 0, 2: {\"cpu\":\"avx2\"}\n"),
                    HasSubstr("ranks 1: {\"cpu\":\"avx512\"}\n"), HasSubstr("--allow-mixed")));
}

TEST(AgreeOnFingerprint, DifferentOnesMayBeAllowed) {
  ::testing::internal::CaptureStderr();
  for (const Verdict& verdict : agree({"avx2", "avx512"}, true)) EXPECT_EQ(verdict.equal, false);
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, AllOf(HasSubstr("[warning] the ranks would not compute the same bits"),
                         HasSubstr("ranks 1: avx512"), Not(HasSubstr("--allow-mixed"))));
  EXPECT_EQ(log.find("same bits"), log.rfind("same bits"));  // said once, by rank 0
}

}  // namespace
}  // namespace polyhead::run
