#include <random>

#include <gtest/gtest.h>

#include "helpers.hpp"
#include "polyhead/config/load.hpp"

namespace polyhead::config {
namespace {

const std::string kText = R"(data:
  path: "data/val.h5"
  preprocess: {resize: 256, crop: 224, mean: [0.485, 0.456, 0.406]}
  max_bad: 0.1%
backbone: {weights: 'r.pth'}
heads:
  - name: mlp
    layers: [linear 256, relu, linear 10]
    weights: mlp.pth
    weight: 2.0
  - {glob: "dropout-*.pth", layers: [linear 128, dropout 0.2, linear 10]}  # comment
parallel: {batch: 32}
output:
  path: >-
    x.h5
)";

/// Changes, removes, inserts or repeats bytes in a few places.
std::string mutated(std::string text, std::mt19937& random) {
  const std::string syntax = "{}[],:-&*!|>'\"%@`#?\n\t \\~<=.0\xC3\xFF";
  const auto below = [&](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
  };
  for (std::size_t edits = 1 + below(4); edits > 0 && text.size() > 1; --edits) {
    const std::size_t at = below(text.size());
    const char byte = below(4) == 0 ? static_cast<char>(below(256)) : syntax[below(syntax.size())];
    switch (below(4)) {
      case 0:
        text[at] = byte;
        break;
      case 1:
        text.erase(at, 1 + below(8));
        break;
      case 2:
        text.insert(at, 1, byte);
        break;
      default:
        text.insert(below(text.size()), text.substr(at, below(20)));
        break;
    }
  }
  return text;
}

/// Whether `text` is accepted, and then survives being written; anything but a ConfigError fails the test.
bool survives(const std::string& text, const std::vector<std::string>& overrides = {}) {
  try {
    const Config config = parse(text, "e.yaml", "/base", overrides).config;
    const std::string yaml = to_yaml(config);
    EXPECT_EQ(to_yaml(parse(yaml, "e.yaml", "/elsewhere").config), yaml) << text;
    return true;
  } catch (const ConfigError& error) {
    EXPECT_FALSE(error.issues().empty());
    return false;
  }
}

TEST(Fuzz, StartsFromAFileThatIsRight) {
  EXPECT_TRUE(survives(kText));
}

TEST(Fuzz, AMutatedFileIsReadOrRefused) {
  std::mt19937 random(20'240'731);
  int accepted = 0;
  constexpr int kTries = 4'000;
  for (int i = 0; i < kTries; ++i) accepted += survives(mutated(kText, random)) ? 1 : 0;
  EXPECT_GT(accepted, 0);
  EXPECT_LT(accepted, kTries);
}

TEST(Fuzz, AMutatedOverrideIsReadOrRefused) {
  std::mt19937 random(7);
  for (int i = 0; i < 1'000; ++i) {
    survives(kSmall,
             {mutated("data.preprocess.mean=[0.5,0.5,0.5]", random), mutated("heads[0].weight=2", random)});
  }
}

TEST(Fuzz, ATruncatedFileIsReadOrRefused) {
  for (std::size_t length = 0; length < kText.size(); ++length) survives(kText.substr(0, length));
}

}  // namespace
}  // namespace polyhead::config
