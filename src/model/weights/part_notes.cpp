#include "part_notes.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "naming.hpp"
#include "polyhead/base/digest.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/checkpoint/fail.hpp"
#include "polyhead/config/names.hpp"

namespace polyhead::model {
namespace {

constexpr std::size_t kTwinsShown = 3;

/// Whether the name, which follows the prefix, is of torchvision's classifier.
bool is_classifier(std::string_view name) {
  return name == "fc.weight" || name == "fc.bias";
}

bool is_batch_counter(std::string_view name) {
  return name.ends_with("num_batches_tracked");
}

std::string outside_note(const std::string& part, const Match& match, std::size_t count,
                         const checkpoint::CheckpointTensor& one) {
  return fmt::format("{}: {} parameters outside '{}' are not used, '{}' for one", part, count, match.prefix,
                     checkpoint::printable(one.name));
}

/// Notes where a file has other readings with equal values, or other names than ours.
std::vector<std::string> notes_of_reading(const std::string& part, const Reading& reading,
                                          const std::optional<std::string>& prefix) {
  std::vector<std::string> notes;
  const Match& match = reading.match;
  if (!match.naming.empty()) notes.push_back(fmt::format("{}: names are those of {}", part, match.naming));
  if (!prefix && !is_usual_prefix(match.prefix))
    notes.push_back(fmt::format("{}: found under prefix: '{}'", part, checkpoint::printable(match.prefix)));
  if (!reading.equals.empty())
    notes.push_back(fmt::format("{}: {} would give the same values", part, join(reading.equals, " and ")));
  return notes;
}

std::string layers_text(const config::Head& head) {
  std::vector<std::string> layers;
  for (const config::Layer& layer : head.layers) layers.push_back(config::describe(layer));
  return join(layers);
}

Digest digest_of_head(const config::Head& head, const Layout& layout, const Weights& weights, std::size_t k) {
  const auto begin = static_cast<std::size_t>(layout.head_begin[k]);
  const auto size = static_cast<std::size_t>(layout.head_begin[k + 1]) - begin;
  Hasher hasher;
  hasher.update(std::string_view(layers_text(head)));
  hasher.update(std::as_bytes(std::span(weights.values).subspan(begin, size)));
  return hasher.digest();
}

/// Texts such as "layer 0 has no bias".
std::vector<std::string> layers_without_bias(const Match& match) {
  constexpr std::string_view kWeight = ".weight";
  std::set<std::string> layers;
  for (const auto& [name, tensor] : match.found) {
    if (!name.ends_with(kWeight) || tensor->shape.size() < 2) continue;
    const std::string layer = name.substr(0, name.size() - kWeight.size());
    if (match.found.count(layer + ".bias") == 0) layers.insert(layer);
  }
  return {layers.begin(), layers.end()};
}

}  // namespace

std::string described(const config::Head& head) {
  return fmt::format("head '{}' ({})", head.name, head.weights.string());
}

void PartNotes::backbone(const config::Backbone& backbone, const Reading& reading) {
  const std::string file = backbone.weights.string();
  const Match& match = reading.match;
  std::vector<std::string> classifier;
  std::vector<const checkpoint::CheckpointTensor*> others;
  for (const checkpoint::CheckpointTensor* tensor : match.beside) {
    const std::string_view name = std::string_view(tensor->name).substr(match.prefix.size());
    if (is_classifier(name)) classifier.push_back(tensor->name);
    if (!is_classifier(name) && !is_batch_counter(name)) others.push_back(tensor);
  }
  if (!classifier.empty())
    findings_.notes.push_back(
        fmt::format("{}: {} are not used: polyhead takes the features before them", file, join(classifier)));
  if (!others.empty())
    findings_.notes.push_back(
        fmt::format("{}: not used, as it stands beside the backbone: {}", file, describe_tensors(others)));
  if (!match.outside.empty())
    findings_.notes.push_back(outside_note(file, match, match.outside.size(), *match.outside.front()));
  for (std::string& note : notes_of_reading(file, reading, backbone.prefix))
    findings_.notes.push_back(std::move(note));
}

void PartNotes::head(const config::Head& head, const Reading& reading, const TakenTensors& trunk) {
  note_rest_of_head(head, reading, trunk);
  const std::string part = described(head);
  for (const std::string& note : notes_of_reading(part, reading, head.prefix))
    of_head(note.substr(part.size()), note);
  const auto without_bias = layers_without_bias(reading.match);
  if (!without_bias.empty())
    of_head("bias", fmt::format("{}: layer {} has no bias, as of bias=False", part, join(without_bias)));
  if (!trunk.empty() && head.trunk == config::Trunk::ignore)
    of_head("trunk", fmt::format("{}: the backbone in this file is not looked at (trunk: ignore)", part));
}

/// Notes tensors that belong to neither backbone nor head. They may be a layer between the two, which is not
/// computed.
void PartNotes::note_rest_of_head(const config::Head& head, const Reading& reading,
                                  const TakenTensors& trunk) {
  std::vector<const checkpoint::CheckpointTensor*> rest;
  for (const checkpoint::CheckpointTensor* tensor : reading.match.outside) {
    if (trunk.count(tensor) == 0 && !is_counter(tensor->name)) rest.push_back(tensor);
  }
  if (rest.empty()) return;
  const std::string note = outside_note(head.weights.string(), reading.match, rest.size(), *rest.front());
  if (head.prefix || std::ranges::all_of(rest, is_of_training)) return of_head("outside", note);
  of_head("beside",
          fmt::format("{}, and is none of a backbone's: if it stands between backbone and head, the scores "
                      "will be wrong; prefix: '{}' at the head says that it does not",
                      note, reading.match.prefix),
          true);
}

void PartNotes::of_head(const std::string& kind, const std::string& text, bool warning) {
  OfHeads& of_heads = of_heads_[kind];
  if (++of_heads.count == 1) of_heads.first = text;
  of_heads.warning = warning;
}

Findings PartNotes::take() {
  for (auto& [kind, of_heads] : of_heads_) {
    const std::size_t more = of_heads.count - 1;
    if (more > 0) of_heads.first += fmt::format("; so it is in {} more heads", more);
    (of_heads.warning ? findings_.warnings : findings_.notes).push_back(std::move(of_heads.first));
  }
  of_heads_.clear();
  return std::move(findings_);
}

void note_twins(const std::vector<config::Head>& heads, const Layout& layout, const Weights& weights,
                PartNotes& notes) {
  std::map<std::string, std::vector<std::size_t>> by_digest;
  for (std::size_t k = 0; k < heads.size(); ++k)
    by_digest[digest_of_head(heads[k], layout, weights, k).hex()].push_back(k);
  std::vector<std::vector<std::size_t>> twins;
  for (const auto& [digest, same] : by_digest) {
    if (same.size() > 1) twins.push_back(same);
  }
  std::ranges::sort(twins);
  for (std::size_t i = 0; i < std::min(twins.size(), kTwinsShown); ++i) {
    const std::vector<std::size_t>& same = twins[i];
    const std::string more = same.size() > 2 ? fmt::format(", and so do {} more", same.size() - 2) : "";
    notes.warn(fmt::format("{} and {} hold the same weights{}: the fusion counts them {} times",
                           described(heads[same[0]]), described(heads[same[1]]), more, same.size()));
  }
  if (twins.size() > kTwinsShown)
    notes.warn(fmt::format("and {} more heads have the weights of another one", twins.size() - kTwinsShown));
}

}  // namespace polyhead::model
