#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "polyhead/h5/h5.hpp"

namespace polyhead::data {

/// The labels of an HDF5 file: any integer type, [N] or [N, 1].
class Hdf5Labels {
 public:
  /// Throws Error(bad_data) when type or shape is none of these, or when there are not `images` labels.
  Hdf5Labels(h5::Dataset dataset, std::int64_t images);

  [[nodiscard]] const h5::Dataset& dataset() const { return dataset_; }
  /// Labels [first, first + labels.size()). Throws Error(bad_data) that names the first sample whose label is
  /// invalid. Valid labels are -1 and classes that int32 holds.
  void read(std::int64_t first, std::span<std::int32_t> labels);

 private:
  void read_slice(std::int64_t first, std::span<std::int32_t> labels);

  h5::Dataset dataset_;
  std::vector<std::int64_t> wide_;  ///< labels in the widest type of any file
};

}  // namespace polyhead::data
