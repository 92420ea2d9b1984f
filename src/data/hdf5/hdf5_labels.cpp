#include "hdf5_labels.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "polyhead/base/error.hpp"

namespace polyhead::data {
namespace {

constexpr std::size_t kAtOnce = std::size_t{1} << 16U;
constexpr std::int64_t kMax = std::numeric_limits<std::int32_t>::max();

bool is_integer(h5::Type type) {
  return type != h5::Type::f32 && type != h5::Type::f64 && type != h5::Type::other;
}

bool is_column(const std::vector<std::int64_t>& shape) {
  return shape.size() == 1 || (shape.size() == 2 && shape[1] == 1);
}

}  // namespace

Hdf5Labels::Hdf5Labels(h5::Dataset dataset, std::int64_t images) : dataset_(std::move(dataset)) {
  if (!is_integer(dataset_.type()) || !is_column(dataset_.shape())) {
    throw Error(ExitCode::bad_data, fmt::format("{} is {}; expected integers [N] or [N, 1]: a class a sample",
                                                dataset_.where(), dataset_.describe()));
  }
  if (dataset_.shape()[0] != images) {
    throw Error(ExitCode::bad_data, fmt::format("{} holds {} labels for {} images; expected one for each",
                                                dataset_.where(), dataset_.shape()[0], images));
  }
}

void Hdf5Labels::read(std::int64_t first, std::span<std::int32_t> labels) {
  while (!labels.empty()) {
    const std::size_t count = std::min(kAtOnce, labels.size());
    read_slice(first, labels.first(count));
    first += static_cast<std::int64_t>(count);
    labels = labels.subspan(count);
  }
}

void Hdf5Labels::read_slice(std::int64_t first, std::span<std::int32_t> labels) {
  wide_.resize(labels.size());
  dataset_.read_rows(first, static_cast<std::int64_t>(labels.size()), std::span(wide_));
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (wide_[i] < -1 || wide_[i] > kMax) {
      throw Error(ExitCode::bad_data,
                  fmt::format("{}: sample {} has label {}; expected a class from 0 to {}, or -1 for unknown",
                              dataset_.where(), first + static_cast<std::int64_t>(i), wide_[i], kMax));
    }
    labels[i] = static_cast<std::int32_t>(wide_[i]);
  }
}

}  // namespace polyhead::data
