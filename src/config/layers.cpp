#include "layers.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <string>

#include <fmt/format.h>

#include "polyhead/base/text.hpp"
#include "polyhead/config/names.hpp"
#include "quantity.hpp"
#include "section.hpp"
#include "words.hpp"

namespace polyhead::config {
namespace {

constexpr std::int64_t kMaxWidth = 1'000'000;

std::vector<std::string> split(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

bool parse_width(const std::string& text, std::int64_t& width) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), width);
  return error == std::errc{} && end == text.data() + text.size() && width >= 1 && width <= kMaxWidth;
}

bool parse_rate(const std::string& text, double& rate) {
  const auto quantity = split_quantity(text);
  if (!quantity || !quantity->unit.empty() || quantity->number < 0 || quantity->number >= 1) return false;
  rate = quantity->number;
  return true;
}

/// Reads the arguments after the layer's name. Returns a text of the expected arguments when they are wrong.
std::string parse_arguments(const std::vector<std::string>& words, Layer& layer) {
  switch (layer.kind) {
    case LayerKind::linear:
      if (words.size() == 2 && parse_width(words[1], layer.width)) return {};
      return fmt::format("'linear N' with a whole number of outputs N from 1 to {}", kMaxWidth);
    case LayerKind::dropout:
      if (words.size() == 2 && parse_rate(words[1], layer.rate)) return {};
      return "'dropout P' with a rate P from 0 to below 1";
    default:
      if (words.size() == 1) return {};
      return fmt::format("'{}' with nothing behind it", name(layer.kind));
  }
}

bool read_layer(const Node& node, Layer& layer, Context& context) {
  const auto words = split(node.text);
  const LayerKind* kind = words.empty() ? nullptr : find_word<LayerKind>(words[0]);
  if (kind == nullptr) {
    const std::string hint = words.empty() ? "" : did_you_mean(words[0], word_list<LayerKind>());
    fail_expected(node, "a layer: " + join(word_list<LayerKind>()), hint, context);
    return false;
  }
  layer.kind = *kind;
  const std::string expected = parse_arguments(words, layer);
  if (!expected.empty()) fail_expected(node, expected, "", context);
  return expected.empty();
}

Type<Layer> layer() {
  return {"layer", read_layer, [](const Layer& layer) { return plain(describe(layer)); }, false, {}};
}

std::string layers_text() {
  return fmt::format(
      "list of layers: linear N (N outputs, 1 to {}), relu, gelu, tanh, batchnorm, layernorm, dropout P "
      "(0 <= P < 1), flatten",
      kMaxWidth);
}

}  // namespace

Type<std::vector<Layer>> layers() {
  Type<std::vector<Layer>> type = list(layer(), layers_text());
  type.read = [read = type.read](const Node& node, std::vector<Layer>& layers, Context& context) {
    if (!read(node, layers, context)) return false;
    const auto is_linear = [](const Layer& layer) { return layer.kind == LayerKind::linear; };
    if (std::any_of(layers.begin(), layers.end(), is_linear)) return true;
    context.fail(node.where,
                 "a head needs at least one 'linear N' layer: the last one gives the scores of N classes");
    return false;
  };
  // Omitted layers are not an empty list.
  type.write = [write = type.write](const std::vector<Layer>& layers) {
    return layers.empty() ? Node{} : write(layers);
  };
  return type;
}

}  // namespace polyhead::config
