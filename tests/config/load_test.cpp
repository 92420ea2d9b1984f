#include "polyhead/config/load.hpp"

#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "helpers.hpp"
#include "polyhead/config/fusion_rule.hpp"
#include "polyhead/config/uncertainty.hpp"

namespace polyhead::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Load, WholeMembersNeedNoBackboneAndAreWrittenAsTheyAreRead) {
  const std::string yaml = R"(
data: {path: d.h5}
members:
  - {program: a.pt2, weight: 2}
  - {weights: b.pth, arch: resnet18, key: ema, batchnorm_eps: 0.001}
  - {glob: "fold*/x.pt2"}
fusion: {rule: median}
output: {path: o.h5}
)";
  EXPECT_THAT(error_of(yaml).message,
              HasSubstr("members[0].weight: the rule median counts all heads the same"));
  const Config read = parse(yaml, "e.yaml", "/base", {"fusion.rule=mean-logits"}).config;
  const Config again = parse(to_yaml(read), "again", "/").config;
  for (const Config& config : {read, again}) {
    EXPECT_TRUE(config.has_whole_members());
    EXPECT_EQ(config.backbone.engine, Engine::libtorch);
    ASSERT_EQ(config.heads.size(), 3U);
    EXPECT_EQ(config.heads[0].name, "a");
    EXPECT_EQ(config.heads[0].program, "/base/a.pt2");
    EXPECT_EQ(config.heads[0].weight, 2);
    EXPECT_EQ(config.heads[1].arch, "resnet18");
    EXPECT_EQ(config.heads[1].key, "ema");
    EXPECT_EQ(config.heads[1].batchnorm_eps, 0.001);
    EXPECT_TRUE(config.heads[2].globs_programs());
  }
  EXPECT_THAT(to_yaml(read), HasSubstr("\nmembers:\n"));
  EXPECT_THAT(to_yaml(read), ::testing::Not(HasSubstr("backbone")));
}

TEST(Load, AListOfOneWordNeedsNoBrackets) {
  const std::string rest = "data: {path: d}\nbackbone: {weights: b}\nheads: [{weights: a.pth}]\n";
  const auto uncertainty = [&](const std::string& text) {
    return parse(rest + "output: {path: o, uncertainty: " + text + "}\n", "e", "/").config.output.uncertainty;
  };
  EXPECT_THAT(uncertainty("margin"), ElementsAre(Uncertainty::margin));
  EXPECT_THAT(uncertainty("none"), ElementsAre());
}

TEST(Load, HeadsMayBeCalledMembers) {
  const std::string rest = "data: {path: d}\nbackbone: {weights: b}\noutput: {path: o}\n";
  const std::string heads = ": [{weights: a.pth, layers: [linear 2]}]\n";
  EXPECT_EQ(to_yaml(parse(rest + "members" + heads, "e", "/").config),
            to_yaml(parse(rest + "heads" + heads, "e", "/").config));
}

TEST(Load, ReadsEveryOption) {
  const Loaded loaded = parse(R"(
data:
  format: hdf5
  path: sub/../d.h5
  images: group/x
  labels: group/y
  preprocess: {resize: 256, crop: none, interpolation: bicubic, mean: [0.5, 0.25, 1], std: [1, 2, 0.5]}
  max_bad: 2.5%
  read_ahead: 1.5GiB
backbone: {arch: resnet50, weights: /w/b.pth, precision: fp32}
heads:
  - {name: "a b", weights: a.pth, weight: 2.5, layers: [flatten, linear 256, gelu, tanh, layernorm, dropout 0.25, batchnorm, linear 10]}
  - {weights: deep/second.v2.safetensors, layers: [linear 10]}
  - {glob: "x-*.pth", layers: [linear 10]}
fusion: {rule: mean-probabilities}
parallel: {strategy: grid, grid: {data: 4, heads: 2}, features: local, batch: 32, threads: 4, device: cpu}
output: {path: ../o.h5, head_scores: true, uncertainty: [margin, margin], commit_interval: 500ms, writers: all, cache: features}
comm: {backend: mpi, timeout: 2min}
run: {time_limit: 1.5h}
)",
                              "e.yaml", "/base/folder");
  const Config& c = loaded.config;
  EXPECT_EQ(c.data.path, "/base/folder/d.h5");
  EXPECT_EQ(c.data.images, "group/x");
  EXPECT_EQ(c.data.labels, "group/y");
  EXPECT_EQ(c.data.preprocess.resize, 256);
  EXPECT_EQ(c.data.preprocess.crop, std::nullopt);
  EXPECT_EQ(c.data.preprocess.interpolation, Interpolation::bicubic);
  EXPECT_THAT(c.data.preprocess.mean, ElementsAre(0.5, 0.25, 1));
  EXPECT_THAT(c.data.preprocess.std, ElementsAre(1, 2, 0.5));
  EXPECT_EQ(c.data.max_bad.share, 0.025);
  EXPECT_EQ(c.data.read_ahead, std::uint64_t{1536} << 20U);
  EXPECT_EQ(c.backbone.arch, Arch::resnet50);
  EXPECT_EQ(c.backbone.weights, "/w/b.pth");
  ASSERT_EQ(c.heads.size(), 3U);
  EXPECT_EQ(c.heads[0].name, "a b");
  EXPECT_EQ(c.heads[0].weight, 2.5);
  EXPECT_THAT(c.heads[0].layers, ElementsAre(Layer{LayerKind::flatten}, Layer{LayerKind::linear, 256},
                                             Layer{LayerKind::gelu}, Layer{LayerKind::tanh},
                                             Layer{LayerKind::layernorm}, Layer{LayerKind::dropout, 0, 0.25},
                                             Layer{LayerKind::batchnorm}, Layer{LayerKind::linear, 10}));
  EXPECT_EQ(c.heads[1].name, "second.v2");
  EXPECT_EQ(c.heads[1].weights, "/base/folder/deep/second.v2.safetensors");
  EXPECT_EQ(c.heads[2].glob, "/base/folder/x-*.pth");
  EXPECT_EQ(c.heads[2].name, "");
  EXPECT_EQ(c.fusion.rule, FusionRule::mean_probabilities);
  EXPECT_EQ(c.parallel.strategy, Strategy::grid);
  EXPECT_EQ(c.parallel.grid, (GridShape{4, 2}));
  EXPECT_EQ(c.parallel.features, Features::local);
  EXPECT_EQ(c.parallel.batch, 32);
  EXPECT_EQ(c.parallel.threads, 4);
  EXPECT_EQ(c.parallel.device, Device::cpu);
  EXPECT_EQ(c.output.path, "/base/o.h5");
  EXPECT_TRUE(c.output.head_scores);
  EXPECT_EQ(c.output.uncertainty, std::vector{Uncertainty::margin});
  EXPECT_EQ(c.output.commit_interval, std::chrono::milliseconds(500));
  EXPECT_EQ(c.output.writers, Writers::all);
  EXPECT_EQ(c.output.cache, Cache::features);
  EXPECT_EQ(c.comm.backend, CommBackend::mpi);
  EXPECT_EQ(c.comm.timeout, std::chrono::minutes(2));
  EXPECT_EQ(c.run.time_limit, std::chrono::minutes(90));
}

TEST(Load, LeavesDefaultsWhereNothingIsSaid) {
  const Config config = parse_small().config;
  EXPECT_EQ(config.data.max_bad, Data{}.max_bad);
  EXPECT_EQ(config.data.preprocess.resize, std::nullopt);
  EXPECT_EQ(config.parallel.batch, std::nullopt);
  EXPECT_EQ(config.parallel.grid, std::nullopt);
  EXPECT_EQ(config.parallel.features, Features::exchange);
  EXPECT_EQ(config.comm.backend, CommBackend::automatic);
  EXPECT_FALSE(config.run.time_limit);
  EXPECT_EQ(config.output.commit_interval, std::chrono::seconds(5));
  EXPECT_EQ(config.output.writers, Writers::coordinator);
  EXPECT_EQ(config.output.cache, Cache::none);
  EXPECT_EQ(config.heads[0].weight, 1.0);
}

TEST(Load, ASectionWithoutOptionsMeansItsDefaults) {
  EXPECT_EQ(parse(small_with("fusion:"), "e.yaml", "/base").config.fusion.rule, FusionRule::mean_logits);
}

TEST(Load, APercentageIsTheShareItNames) {
  EXPECT_EQ(parse_small({"data.max_bad=0.1%"}).config.data.max_bad.share, 0.001);
  EXPECT_EQ(parse_small({"data.max_bad=0.001"}).config.data.max_bad.share, 0.001);
  EXPECT_EQ(parse_small({"data.max_bad=100 %"}).config.data.max_bad.share, 1.0);
}

TEST(Load, BadSamplesMayBeCounted) {
  EXPECT_EQ(parse_small({"data.max_bad=5"}).config.data.max_bad, (BadLimit{0, 5}));
  EXPECT_EQ((BadLimit{0, 5}.of(3)), 5);
  EXPECT_EQ((BadLimit{0.001, std::nullopt}.of(999)), 0);
  EXPECT_EQ((BadLimit{0.001, std::nullopt}.of(1000)), 1);
}

TEST(Load, OlderResultsSayOneForAllSamples) {
  const std::string text = small_with("data: {path: d.h5, max_bad: 1}");
  EXPECT_EQ(parse(text, "o.h5:/job/config", "/").config.data.max_bad, (BadLimit{1, std::nullopt}));
  EXPECT_THROW(parse(text, "e.yaml", "/", {}, Paths::expanded), ConfigError);
}

TEST(Load, WhatIsMeantInAWeightsFileMayBeSaid) {
  const auto head = parse_small({"heads[0].prefix=''", "heads[0].rename={fc1: 0}", "heads[0].key=model_ema"})
                        .config.heads[0];
  EXPECT_EQ(head.prefix, "");
  EXPECT_EQ(head.rename, (Renames{{"fc1", "0"}}));
  EXPECT_EQ(head.key, "model_ema");
  EXPECT_EQ(parse_small({"heads[0].prefix=auto"}).config.heads[0].prefix, std::nullopt);
}

TEST(Load, GpuIsAnotherWordForCuda) {
  EXPECT_EQ(parse_small({"parallel.device=gpu"}).config.parallel.device, Device::cuda);
}

TEST(Load, SizesHaveBinaryAndDecimalUnits) {
  const auto bytes = [](const std::string& text) {
    return parse_small({"data.read_ahead=" + text}).config.data.read_ahead;
  };
  EXPECT_EQ(bytes("16GiB"), std::uint64_t{16} << 30U);
  EXPECT_EQ(bytes("1MB"), 1'000'000U);
  EXPECT_EQ(bytes("3kB"), 3'000U);
  EXPECT_EQ(bytes("3 KiB"), 3'072U);
  EXPECT_EQ(bytes("4096"), 4'096U);
  EXPECT_EQ(bytes("1TiB"), std::uint64_t{1} << 40U);
}

TEST(Load, DurationsHaveUnits) {
  const auto span = [](const std::string& text) {
    return parse_small({"comm.timeout=" + text}).config.comm.timeout;
  };
  EXPECT_EQ(span("250ms").count(), 250);
  EXPECT_EQ(span("1.5s").count(), 1'500);
  EXPECT_EQ(span("2min").count(), 120'000);
  EXPECT_EQ(span("1h").count(), 3'600'000);
}

TEST(Load, RemembersWhereValuesStand) {
  const Locations where = parse_small({"heads[0].weight=2"}).where;
  EXPECT_EQ(where.at("data.path").str(), "e.yaml:1:14");
  EXPECT_EQ(where.at("heads[0].weights").str(), "e.yaml:4:24");
  EXPECT_EQ(where.at("heads[0].weight").str(), "--set heads[0].weight=2");
  EXPECT_EQ(where.count("data.images"), 0U);
}

TEST(Load, AWindowsFileReadsTheSame) {
  std::string text = "\xEF\xBB\xBF" + kSmall;
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2)
    text.replace(at, 1, "\r\n");
  EXPECT_EQ(to_yaml(parse(text, "e.yaml", "/base").config), to_yaml(parse_small().config));
}

TEST(Load, PathsOfAFileAreRelativeToItsFolder) {
  const Folder folder;
  const auto file = folder.write("sub/e.yaml", kSmall);
  EXPECT_EQ(load(file).config.data.path, folder.path() / "sub/d.h5");
}

TEST(Load, NamesAFileThatIsNotThere) {
  const Folder folder;
  folder.write("ensemble.yaml", kSmall);
  const auto error = thrown_by([&] { load(folder.path() / "ensmble.yaml"); });
  EXPECT_EQ(error.code, ExitCode::no_input);
  const std::string path = (folder.path() / "ensmble.yaml").string();
  EXPECT_EQ(error.message, path + ": no such file: '" + path + "'; did you mean 'ensemble.yaml'?");
}

TEST(Load, RefusesFoldersAndPipes) {
  const Folder folder;
  const auto as_folder = thrown_by([&] { load(folder.path()); });
  EXPECT_EQ(as_folder.code, ExitCode::no_input);
  EXPECT_THAT(as_folder.message, HasSubstr("is a folder; a file is needed"));
  const auto pipe = folder.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const auto as_pipe = thrown_by([&] { load(pipe); });
  EXPECT_EQ(as_pipe.code, ExitCode::no_input);
  EXPECT_THAT(as_pipe.message, HasSubstr("is not a regular file"));
}

TEST(Load, RefusesAFileThatIsTooLarge) {
  const Folder folder;
  const auto file = folder.write("e.yaml");
  std::filesystem::resize_file(file, std::uintmax_t{1} << 40U);
  const auto error = thrown_by([&] { load(file); });
  EXPECT_EQ(error.code, ExitCode::config);
  EXPECT_THAT(error.message, HasSubstr("a configuration has 16777216 at most"));
}

TEST(Load, ExamplesAreRight) {
  int examples = 0;
  for (const auto& entry : std::filesystem::directory_iterator(POLYHEAD_TEST_DIR "/../configs")) {
    if (entry.path().extension() != ".yaml") continue;
    EXPECT_NO_THROW(load(entry.path())) << entry.path();
    ++examples;
  }
  EXPECT_GE(examples, 1);
}

}  // namespace
}  // namespace polyhead::config
