#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "polyhead/config/config.hpp"

namespace polyhead::run {

/// Map from labels of the data set to outputs of the heads (`data.classes`).
class LabelMap {
 public:
  /// Label i is output i.
  LabelMap() = default;
  /// `names`: the data set's classes, or empty when its labels are only numbers. `outputs`: number of scores
  /// that a head gives. Throws Error(config) that shows both sides when they do not fit.
  LabelMap(const config::ClassMap& classes, const std::vector<std::string>& names, std::int64_t outputs);

  /// Replaces labels by outputs; -1 (unknown) stays. A label without an output becomes `kNoOutput`.
  void apply(std::span<std::int32_t> labels) const;
  static constexpr std::int32_t kNoOutput = -2;

  /// Names of the outputs, or empty when they have none.
  [[nodiscard]] const std::vector<std::string>& output_names() const { return output_names_; }

 private:
  void match_widths(const std::vector<std::string>& names, std::int64_t outputs);
  void place(const std::vector<config::ClassMap::Entry>& entries, const std::vector<std::string>& names,
             std::int64_t outputs);

  bool identity_ = true;
  std::vector<std::int32_t> output_of_;  ///< output of each label; kNoOutput where there is none
  std::vector<std::string> output_names_;
};

}  // namespace polyhead::run
