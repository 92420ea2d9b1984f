#include "polyhead/config/names.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "polyhead/base/text.hpp"
#include "words.hpp"

namespace polyhead::config {
namespace {

template <class E>
std::string_view word_of(E value) {
  const auto& words = kWords<E>;
  const auto word =
      std::find_if(words.begin(), words.end(), [&](const Word<E>& w) { return w.value == value; });
  return word == words.end() ? "?" : word->text;
}

}  // namespace

std::string_view name(DataFormat value) {
  return word_of(value);
}
std::string_view name(Interpolation value) {
  return word_of(value);
}
std::string_view name(PreprocessMode value) {
  return word_of(value);
}
std::string_view name(Arch value) {
  return word_of(value);
}
std::string_view name(Precision value) {
  return word_of(value);
}
std::string_view name(Engine value) {
  return word_of(value);
}
std::string_view name(FusionRule value) {
  return word_of(value);
}
std::string_view name(Uncertainty value) {
  return word_of(value);
}
std::string_view name(Strategy value) {
  return word_of(value);
}
std::string_view name(Features value) {
  return word_of(value);
}
std::string_view name(CommBackend value) {
  return word_of(value);
}
std::string_view name(Writers value) {
  return word_of(value);
}
std::string_view name(Cache value) {
  return word_of(value);
}
std::string_view name(Device value) {
  return word_of(value);
}
std::string_view name(Trunk value) {
  return word_of(value);
}
std::string_view name(LayerKind value) {
  return word_of(value);
}

std::string describe(const Layer& layer) {
  const std::string_view kind = name(layer.kind);
  if (layer.kind == LayerKind::linear) return fmt::format("{} {}", kind, layer.width);
  if (layer.kind == LayerKind::dropout) return fmt::format("{} {}", kind, layer.rate);
  return std::string(kind);
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  const auto near = closest(word, known);
  return near ? fmt::format("did you mean '{}'?", *near) : "";
}

}  // namespace polyhead::config
