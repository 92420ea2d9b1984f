#include "polyhead/model/weights.hpp"

#include <fmt/format.h>

#include "polyhead/base/error.hpp"
#include "polyhead/base/wire.hpp"
#include "shape.hpp"

namespace polyhead::model {
namespace {

[[noreturn]] void malformed(std::string_view what) {
  throw Error(ExitCode::internal, fmt::format("a message with the weights' layout is malformed: {}", what));
}

Parameter read_parameter(WireReader& reader) {
  Parameter parameter;
  parameter.name = reader.get_text();
  parameter.shape = reader.get_array<std::int64_t>();
  parameter.offset = reader.get<std::int64_t>();
  return parameter;
}

/// Offsets must ascend without overlap, aligned, inside the values.
void check_places(const std::vector<Parameter>& parameters, std::int64_t values) {
  constexpr std::int64_t kAlignedValues = kAlignment / sizeof(float);
  std::int64_t used = 0;
  for (const Parameter& parameter : parameters) {
    const auto count = element_count(parameter.shape);
    const bool placed = parameter.offset >= used && parameter.offset % kAlignedValues == 0;
    if (!count || !placed || parameter.offset > values || *count > values - parameter.offset) {
      malformed(fmt::format("{} {} at {}", parameter.name, shape_text(parameter.shape), parameter.offset));
    }
    used = parameter.offset + *count;
  }
  if (values < used || values - used >= kAlignedValues) malformed("the number of values");
}

}  // namespace

std::int64_t Parameter::elements() const {
  const auto count = element_count(shape);
  if (!count) throw Error(ExitCode::internal, fmt::format("{} has shape {}", name, shape_text(shape)));
  return *count;
}

Digest Weights::digest() const {
  Hasher hasher;
  for (const Parameter& parameter : parameters) {
    hasher.update(parameter.name);
    hasher.update(static_cast<std::int64_t>(parameter.shape.size()));
    for (const std::int64_t dimension : parameter.shape) hasher.update(dimension);
    hasher.update(std::as_bytes(std::span(values).subspan(static_cast<std::size_t>(parameter.offset),
                                                          static_cast<std::size_t>(parameter.elements()))));
  }
  return hasher.digest();
}

std::vector<std::byte> Weights::layout_to_wire() const {
  WireWriter writer;
  writer.put(feature_width).put(classes).put(static_cast<std::int64_t>(values.size())).put(parameters.size());
  for (const Parameter& parameter : parameters) {
    writer.put_text(parameter.name).put_array(std::span(parameter.shape)).put(parameter.offset);
  }
  return std::move(writer).take();
}

Weights Weights::layout_from_wire(std::span<const std::byte> bytes) {
  WireReader reader(bytes);
  Weights weights;
  weights.feature_width = reader.get<std::int64_t>();
  weights.classes = reader.get<std::int64_t>();
  const auto values = reader.get<std::int64_t>();
  const auto count = reader.get<std::size_t>();
  // No reserve: a wrong count runs into the message's end instead of filling the memory.
  for (std::size_t i = 0; i < count; ++i) weights.parameters.push_back(read_parameter(reader));
  if (!reader.done()) malformed("it is too long");
  check_places(weights.parameters, values);
  weights.values.resize(static_cast<std::size_t>(values));
  return weights;
}

}  // namespace polyhead::model
