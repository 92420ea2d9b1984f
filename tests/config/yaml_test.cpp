#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "helpers.hpp"
#include "polyhead/config/fusion_rule.hpp"
#include "polyhead/config/load.hpp"
#include "polyhead/config/uncertainty.hpp"

namespace polyhead::config {
namespace {

/// Every field differs from its default.
Config awkward() {
  Config c;
  c.data.path = "/d \"quoted\" 'single' \\back #hash: {x}, [y] & *z.h5";
  c.data.images = "- \xC3\xA9t\xC3\xA9 \xF0\x9F\x90\xA2";
  c.data.labels = " null ";
  c.data.format = DataFormat::webdataset;
  c.data.root = "/r";
  c.data.classes.entries = {{"a: 'b'", 3}, {"7", 0}, {"null", 999'999}};
  c.data.max_pixels = 12'345'678;
  c.data.max_file_size = 1'000'001;
  c.data.workers = 7;
  c.data.preprocess = {256,
                       224,
                       Interpolation::bicubic,
                       PreprocessMode::fast,
                       {0.1, 1.0 / 3, -1e-300},
                       {1e-6, 0.1 + 0.2, 1e6}};
  c.data.max_bad.share = std::numeric_limits<double>::denorm_min();
  c.data.read_ahead = 67'108'865;
  c.data.columns = {"a path", "no: label"};
  c.backbone = {Arch::resnet50,
                "/~",
                Precision::fp32,
                Engine::libtorch,
                "state_dict_ema",
                "",
                {{"fc1", "0"}, {"x.", ""}},
                1e-3};
  const auto head = [](std::string name, std::string glob, std::vector<Layer> layers, const char* weights,
                       double weight) {
    Head made;
    made.name = std::move(name);
    made.glob = std::move(glob);
    made.layers = std::move(layers);
    made.weights = weights;
    made.weight = weight;
    return made;
  };
  c.heads = {
      head("true", "",
           {{LayerKind::linear, 1'000'000}, {LayerKind::dropout, 0, 0.1 + 0.2}, {LayerKind::relu}}, "/w: x",
           1.0 / 3),
      head("123", "", {{LayerKind::flatten}, {LayerKind::linear, 1}}, "/%", 1e6),
      head("", "/x\\[1\\]/*.pth", {{LayerKind::linear, 10}}, "", 0.1),
  };
  c.heads[0].key = "null";
  c.heads[0].prefix = "auto";
  c.heads[1].rename = {{"model.", ""}};
  c.heads[1].trunk = Trunk::ignore;
  c.heads[1].batchnorm_eps = 0;
  c.heads[1].layernorm_eps = 1e-12;
  c.fusion.rule = FusionRule::mean_probabilities;
  c.parallel = {Strategy::grid, 32, 3, Device::cpu, GridShape{65536, 3}, Features::local};
  c.output = {"/" + std::string(4000, 'o'),     true,         {Uncertainty::margin},
              std::chrono::milliseconds(1'234), Writers::all, Cache::features};
  c.comm.backend = CommBackend::nccl;
  c.run = {std::chrono::minutes(90), "/ref: 1.npz"};
  c.comm.timeout = std::chrono::milliseconds(86'399'999);
  return c;
}

void expect_equal(const Head& a, const Head& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.glob, b.glob);
  EXPECT_EQ(a.weights, b.weights);
  EXPECT_EQ(a.weight, b.weight);
  EXPECT_EQ(a.layers, b.layers);
  EXPECT_EQ(a.key, b.key);
  EXPECT_EQ(a.prefix, b.prefix);
  EXPECT_EQ(a.rename, b.rename);
  EXPECT_EQ(a.trunk, b.trunk);
  EXPECT_EQ(a.batchnorm_eps, b.batchnorm_eps);
  EXPECT_EQ(a.layernorm_eps, b.layernorm_eps);
}

void expect_equal(const Data& a, const Data& b) {
  EXPECT_EQ(a.format, b.format);
  EXPECT_EQ(a.path, b.path);
  EXPECT_EQ(a.images, b.images);
  EXPECT_EQ(a.labels, b.labels);
  EXPECT_EQ(a.max_bad, b.max_bad);
  EXPECT_EQ(a.columns, b.columns);
  EXPECT_EQ(a.read_ahead, b.read_ahead);
  EXPECT_EQ(a.root, b.root);
  EXPECT_EQ(a.classes.entries, b.classes.entries);
  EXPECT_EQ(a.classes.file, b.classes.file);
  EXPECT_EQ(a.max_pixels, b.max_pixels);
  EXPECT_EQ(a.max_file_size, b.max_file_size);
  EXPECT_EQ(a.workers, b.workers);
  EXPECT_EQ(a.preprocess.mode, b.preprocess.mode);
  EXPECT_EQ(a.preprocess.resize, b.preprocess.resize);
  EXPECT_EQ(a.preprocess.crop, b.preprocess.crop);
  EXPECT_EQ(a.preprocess.interpolation, b.preprocess.interpolation);
  EXPECT_EQ(a.preprocess.mean, b.preprocess.mean);
  EXPECT_EQ(a.preprocess.std, b.preprocess.std);
}

void expect_equal(const Config& a, const Config& b) {
  expect_equal(a.data, b.data);
  EXPECT_EQ(a.backbone.arch, b.backbone.arch);
  EXPECT_EQ(a.backbone.weights, b.backbone.weights);
  EXPECT_EQ(a.backbone.precision, b.backbone.precision);
  EXPECT_EQ(a.backbone.engine, b.backbone.engine);
  EXPECT_EQ(a.backbone.key, b.backbone.key);
  EXPECT_EQ(a.backbone.prefix, b.backbone.prefix);
  EXPECT_EQ(a.backbone.rename, b.backbone.rename);
  EXPECT_EQ(a.backbone.batchnorm_eps, b.backbone.batchnorm_eps);
  ASSERT_EQ(a.heads.size(), b.heads.size());
  for (std::size_t i = 0; i < a.heads.size(); ++i) expect_equal(a.heads[i], b.heads[i]);
  EXPECT_EQ(a.fusion.rule, b.fusion.rule);
  EXPECT_EQ(a.parallel.strategy, b.parallel.strategy);
  EXPECT_EQ(a.parallel.grid, b.parallel.grid);
  EXPECT_EQ(a.parallel.features, b.parallel.features);
  EXPECT_EQ(a.parallel.batch, b.parallel.batch);
  EXPECT_EQ(a.parallel.threads, b.parallel.threads);
  EXPECT_EQ(a.parallel.device, b.parallel.device);
  EXPECT_EQ(a.output.path, b.output.path);
  EXPECT_EQ(a.output.head_scores, b.output.head_scores);
  EXPECT_EQ(a.output.uncertainty, b.output.uncertainty);
  EXPECT_EQ(a.output.commit_interval, b.output.commit_interval);
  EXPECT_EQ(a.output.writers, b.output.writers);
  EXPECT_EQ(a.output.cache, b.output.cache);
  EXPECT_EQ(a.comm.backend, b.comm.backend);
  EXPECT_EQ(a.comm.timeout, b.comm.timeout);
  EXPECT_EQ(a.run.time_limit, b.run.time_limit);
  EXPECT_EQ(a.run.against, b.run.against);
}

TEST(ToYaml, ReadsBackToTheSame) {
  const Config config = awkward();
  expect_equal(parse(to_yaml(config), "e.yaml", "/elsewhere").config, config);
  const Config small = parse_small().config;
  expect_equal(parse(to_yaml(small), "e.yaml", "/elsewhere").config, small);
}

TEST(ToYaml, IsTheSameTextEachTime) {
  EXPECT_EQ(to_yaml(awkward()), to_yaml(parse(to_yaml(awkward()), "e.yaml", "/elsewhere").config));
}

TEST(ToYaml, WritesEveryOption) {
  EXPECT_EQ(to_yaml(parse_small().config), R"(data:
  format: auto
  path: "/base/d.h5"
  images: "images"
  labels: "labels"
  preprocess: {resize: none, crop: none, interpolation: bilinear, mode: exact, mean: [0, 0, 0], std: [1, 1, 1]}
  max_pixels: 178956970
  max_file_size: 256MiB
  workers: auto
  max_bad: 0.001
  read_ahead: 64MiB
backbone:
  arch: resnet18
  weights: "/base/b.pth"
  precision: fp32
  engine: auto
  prefix: auto
  batchnorm_eps: 1e-05
heads:
  - {name: "a", weights: "/base/a.pth", layers: [linear 10], weight: 1, prefix: auto, trunk: compare, batchnorm_eps: 1e-05, layernorm_eps: 1e-05}
fusion:
  rule: mean-logits
parallel:
  strategy: auto
  features: exchange
  batch: auto
  threads: auto
  device: auto
output:
  path: "/base/o.h5"
  head_scores: false
  commit_interval: 5s
  writers: coordinator
  cache: none
comm:
  backend: auto
  timeout: 1min
run:
  time_limit: none
)");
}

TEST(ToYaml, PyYamlReadsItAsWell) {
  const Folder folder;
  const auto file = folder.write("e.yaml", to_yaml(awkward()));
  const std::string code =
      "import sys; import yaml; c = yaml.safe_load(open(sys.argv[1], encoding='utf-8')); "
      "sys.exit(0 if c['data']['labels'] == ' null ' and c['heads'][0]['name'] == 'true' "
      "and c['data']['preprocess']['mean'][1] == 1/3 else 1)";
  EXPECT_EQ(std::system((POLYHEAD_PYTHON " -c \"" + code + "\" " + file.string()).c_str()), 0);
}

TEST(ToYaml, TenThousandHeadsReadBack) {
  Config config = parse_small().config;
  const Head head = config.heads[0];
  for (int i = 1; i < 10'000; ++i) {
    config.heads.push_back(head);
    config.heads.back().name = "head" + std::to_string(i);
  }
  const Config back = parse(to_yaml(config), "e.yaml", "/elsewhere").config;
  ASSERT_EQ(back.heads.size(), 10'000U);
  EXPECT_EQ(back.heads.back().name, "head9999");
}

}  // namespace
}  // namespace polyhead::config
