#include "polyhead/model/weights.hpp"

#include <fmt/format.h>

#include "polyhead/base/error.hpp"
#include "polyhead/checkpoint/shape.hpp"

namespace polyhead::model {

std::int64_t Parameter::elements() const {
  const auto count = checkpoint::element_count(shape);
  if (!count)
    throw Error(ExitCode::internal, fmt::format("{} has shape {}", name, checkpoint::shape_text(shape)));
  return *count;
}

Digest Weights::digest(std::string_view begin) const {
  Hasher hasher;
  for (const Parameter& parameter : parameters) {
    if (!parameter.name.starts_with(begin)) continue;
    hasher.update(parameter.name);
    hasher.update(static_cast<std::int64_t>(parameter.shape.size()));
    for (const std::int64_t dimension : parameter.shape) hasher.update(dimension);
    hasher.update(std::as_bytes(std::span(values).subspan(static_cast<std::size_t>(parameter.offset),
                                                          static_cast<std::size_t>(parameter.elements()))));
  }
  return hasher.digest();
}

}  // namespace polyhead::model
