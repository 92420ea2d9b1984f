#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "polyhead/h5/h5.hpp"
#include "polyhead/store/result_shape.hpp"

/// Names, types and shapes of format version 1, for writing and reading.
namespace polyhead::store::format {

inline constexpr const char* kName = "polyhead-result";
inline constexpr const char* kFusedPrediction = "/fused/prediction";
inline constexpr const char* kHeadPrediction = "/heads/prediction";
inline constexpr const char* kStatus = "/samples/status";
inline constexpr const char* kReason = "/samples/reason";
inline constexpr const char* kLabel = "/samples/label";
inline constexpr const char* kIdOffset = "/samples/id_offset";
inline constexpr const char* kIdBytes = "/samples/id_bytes";
inline constexpr const char* kHeadName = "/heads/name";
inline constexpr const char* kHeadWeight = "/heads/weight";
inline constexpr const char* kClassName = "/classes/name";
inline constexpr const char* kLedger = "/ledger/batches";

/// One dataset of the result.
struct Column {
  std::string name;
  h5::Type type;
  std::vector<std::int64_t> shape;

  [[nodiscard]] std::int64_t row_bytes() const;
};

/// Datasets with one row per sample that a layout asks for, in the file's order.
std::vector<Column> columns(const Layout& layout);

/// Bytes of the text area /job/NAME that a layout needs.
std::int64_t provenance_capacity();
std::int64_t summary_capacity(const Layout& layout);
std::int64_t certificate_capacity();

}  // namespace polyhead::store::format
