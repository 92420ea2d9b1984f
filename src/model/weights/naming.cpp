#include "naming.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

namespace polyhead::model {
namespace {

/// Start of a name in one naming, and in another.
struct Start {
  std::string_view ours;
  std::string_view theirs;
};

/// Replaces the first start that fits.
template <std::size_t N>
std::string with_start(const std::array<Start, N>& starts, const std::string& ours) {
  for (const Start& start : starts) {
    if (ours.starts_with(start.ours)) return std::string(start.theirs) + ours.substr(start.ours.size());
  }
  return ours;
}

std::string replaced(std::string name, std::string_view what, std::string_view by) {
  const std::size_t at = name.find(what);
  return at == std::string::npos ? name : name.replace(at, what.size(), by);
}

std::string_view first_word(std::string_view name) {
  return name.substr(0, name.find('.'));
}

bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

std::string_view without_number(std::string_view word) {
  while (!word.empty() && is_digit(word.back())) word.remove_suffix(1);
  return word;
}

// Torchvision: conv1, bn1, layer1.0.conv1, layer1.0.bn1, layer2.0.downsample.0.

std::string own_name(const std::string& ours) {
  return ours;
}

/// Parts of a network that computes something else than ours: a GeM pooling, a PReLU, a fifth stage.
constexpr std::array<std::string_view, 15> kTrunkWords{
    "conv",    "bn",          "layer",    "norm", "act",  "relu",       "pool", "avgpool",
    "maxpool", "global_pool", "attnpool", "gem",  "stem", "downsample", "se"};

bool in_own_trunk(std::string_view name) {
  return std::ranges::find(kTrunkWords, without_number(first_word(name))) != kTrunkWords.end();
}

// nn.Sequential(*resnet.children()): numbers in the order conv1, bn1, relu, maxpool, layer1 to layer4,
// avgpool, fc.

constexpr std::array<Start, 6> kChildren{{{"conv1.", "0."},
                                          {"bn1.", "1."},
                                          {"layer1.", "4."},
                                          {"layer2.", "5."},
                                          {"layer3.", "6."},
                                          {"layer4.", "7."}}};

std::string child_name(const std::string& ours) {
  return with_start(kChildren, ours);
}

bool in_children(std::string_view name) {
  const std::string_view word = first_word(name);
  return word.size() == 1 && word <= "8";
}

// https://github.com/kuangliu/pytorch-cifar/blob/master/models/resnet.py

std::string shortcut_name(const std::string& ours) {
  return replaced(ours, ".downsample.", ".shortcut.");
}

// https://github.com/huggingface/transformers/blob/main/src/transformers/models/resnet/modeling_resnet.py

constexpr std::array<Start, 2> kEmbedder{
    {{"conv1.", "embedder.embedder.convolution."}, {"bn1.", "embedder.embedder.normalization."}}};
constexpr std::array<Start, 8> kInBlock{{{"conv1.", "layer.0.convolution."},
                                         {"conv2.", "layer.1.convolution."},
                                         {"conv3.", "layer.2.convolution."},
                                         {"bn1.", "layer.0.normalization."},
                                         {"bn2.", "layer.1.normalization."},
                                         {"bn3.", "layer.2.normalization."},
                                         {"downsample.0.", "shortcut.convolution."},
                                         {"downsample.1.", "shortcut.normalization."}}};

/// Name in transformers; "layer2.0.bn1.bias" is in stage 1, block 0.
std::string transformers_name(const std::string& ours) {
  constexpr std::string_view kStage = "layer";
  if (!ours.starts_with(kStage)) return with_start(kEmbedder, ours);
  const std::size_t block = ours.find('.') + 1;
  const std::size_t rest = ours.find('.', block) + 1;
  const int stage = ours[kStage.size()] - '1';
  return fmt::format("encoder.stages.{}.layers.{}{}", stage, ours.substr(block, rest - block),
                     with_start(kInBlock, ours.substr(rest)));
}

bool in_transformers_trunk(std::string_view name) {
  const std::string_view word = first_word(name);
  return word == "embedder" || word == "encoder" || word == "pooler";
}

constexpr std::array<Naming, 4> kNamings{{
    {"", own_name, in_own_trunk},
    {"nn.Sequential(*resnet.children())", child_name, in_children},
    {"transformers (Hugging Face)", transformers_name, in_transformers_trunk},
    {"'shortcut' for 'downsample' (kuangliu/pytorch-cifar)", shortcut_name, in_own_trunk},
}};

constexpr std::array<std::string_view, 3> kWrapperWords{"_orig_mod.", "_fsdp_wrapped_module.",
                                                        "_checkpoint_wrapped_module."};

/// Usual attributes that hold a backbone or a head, and DataParallel's.
constexpr std::array<std::string_view, 12> kUsualWords{"module",  "_orig_mod", "model",      "backbone",
                                                       "encoder", "head",      "classifier", "fc",
                                                       "net",     "linear",    "resnet",     "heads"};

/// Whether a name starts with these words, up to the end of a word.
bool starts_with_words(std::string_view name, std::string_view start) {
  if (!name.starts_with(start)) return false;
  return start.empty() || start.back() == '.' || name.size() == start.size() || name[start.size()] == '.';
}

/// Name with `from`, which is one of the starts, replaced; no dot is left at the beginning.
std::string exchanged(const std::string& name, const std::string& from, const std::string& to) {
  std::string rest = name.substr(from.size());
  if (to.empty() && rest.starts_with('.')) return rest.substr(1);
  const bool needs_dot = from.empty() && !to.ends_with('.');
  return to + (needs_dot ? "." : "") + rest;
}

}  // namespace

std::span<const Naming> namings() {
  return kNamings;
}

std::vector<std::string> renamed_in_file(const config::Renames& rename, const std::string& ours) {
  std::vector<std::string> names;
  for (const auto& [theirs, stands_for] : rename) {
    if (starts_with_words(ours, stands_for)) names.push_back(exchanged(ours, stands_for, theirs));
  }
  if (names.empty()) names.push_back(ours);
  return names;
}

std::string without_wrappers(std::string name) {
  for (const std::string_view word : kWrapperWords) {
    for (std::size_t at = name.find(word); at != std::string::npos; at = name.find(word, at)) {
      const bool whole = at == 0 || name[at - 1] == '.';
      if (whole) {
        name.erase(at, word.size());
      } else {
        ++at;
      }
    }
  }
  return name;
}

std::optional<std::string> prefix_in(const checkpoint::Checkpoint& checkpoint,
                                     const std::optional<std::string>& prefix) {
  if (!prefix || prefix->empty()) return prefix;
  std::string plain = without_wrappers(*prefix);
  const bool needs_dot = !plain.empty() && plain.back() != '.' &&
                         std::ranges::any_of(checkpoint, [&](const checkpoint::CheckpointTensor& tensor) {
                           return tensor.name.starts_with(plain + ".");
                         });
  return needs_dot ? plain + "." : plain;
}

void take_wrappers_off(checkpoint::Checkpoint& checkpoint) {
  std::vector<std::string> names;
  std::unordered_set<std::string> distinct;
  for (const checkpoint::CheckpointTensor& tensor : checkpoint) {
    names.push_back(without_wrappers(tensor.name));
    if (!distinct.insert(names.back()).second) return;
  }
  for (std::size_t i = 0; i < names.size(); ++i) checkpoint[i].name = std::move(names[i]);
}

bool is_usual_prefix(std::string_view prefix) {
  while (!prefix.empty()) {
    const std::string_view word = first_word(prefix);
    const bool number = !word.empty() && std::ranges::all_of(word, is_digit);
    if (!number && std::ranges::find(kUsualWords, word) == kUsualWords.end()) return false;
    prefix.remove_prefix(std::min(prefix.size(), word.size() + 1));
  }
  return true;
}

}  // namespace polyhead::model
