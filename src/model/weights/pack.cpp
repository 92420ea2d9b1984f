#include "pack.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <unistd.h>

#include "fold.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/text.hpp"

namespace polyhead::model {
namespace {

std::uint64_t physical_memory() {
  return static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
         static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

template <class T>
void pack_values(const std::vector<T>& values, Packer& packer) {
  std::transform(values.begin(), values.end(), packer.next().begin(),
                 [](T value) { return static_cast<float>(value); });
}

void pack_folded(const Match& match, const std::string& name, std::span<const float> bias,
                 const ScaleShift& norm, Packer& packer) {
  const auto weight = packer.next();
  fold(match.found.at(name + ".weight")->values, bias, norm, weight, packer.next());
}

std::span<const float> values_if_any(const Match& match, const std::string& name) {
  const auto found = match.found.find(name);
  return found == match.found.end() ? std::span<const float>()
                                    : std::span<const float>(found->second->values);
}

void pack_or_fill(const Match& match, const std::string& name, float otherwise, Packer& packer) {
  const auto values = values_if_any(match, name);
  const auto place = packer.next();
  if (values.empty()) {
    std::ranges::fill(place, otherwise);
  } else {
    std::ranges::copy(values, place.begin());
  }
}

}  // namespace

Packer::Packer(const Layout& layout, AlignedVector<float>& values) : layout_(layout), values_(values) {
  const auto bytes = static_cast<std::uint64_t>(layout.values) * sizeof(float);
  const std::uint64_t machine = physical_memory();
  if (bytes > machine) {
    throw Error(
        ExitCode::bad_data,
        fmt::format("the weights of the backbone and the heads take {}, but this machine has {} of memory",
                    human_bytes(bytes), human_bytes(machine)));
  }
  values_.reserve(static_cast<std::size_t>(layout.values));
}

std::span<float> Packer::next() {
  const Parameter& parameter = layout_.parameters.at(next_++);
  const bool last = next_ == layout_.parameters.size();
  const std::int64_t end = last ? layout_.values : layout_.parameters[next_].offset;
  values_.resize(static_cast<std::size_t>(end));
  return std::span(values_).subspan(static_cast<std::size_t>(parameter.offset),
                                    static_cast<std::size_t>(parameter.elements()));
}

void pack_conv(const Match& match, const resnet::ConvSpec& conv, double epsilon, Packer& packer) {
  pack_folded(match, conv.name, {}, scale_shift(match, conv.batch_norm, epsilon), packer);
}

void pack_step(const Match& match, const HeadStep& step, double epsilon, Packer& packer) {
  using config::LayerKind;
  const std::string name = std::to_string(step.index);
  if (step.kind == LayerKind::batchnorm) {
    const ScaleShift norm = scale_shift(match, name, epsilon);
    pack_values(norm.scale, packer);
    pack_values(norm.shift, packer);
  } else if (step.batch_norm) {
    pack_folded(match, name, values_if_any(match, name + ".bias"),
                scale_shift(match, std::to_string(*step.batch_norm), epsilon), packer);
  } else if (step.kind == LayerKind::linear || step.kind == LayerKind::layernorm) {
    pack_or_fill(match, name + ".weight", 1, packer);
    pack_or_fill(match, name + ".bias", 0, packer);
  }
}

}  // namespace polyhead::model
