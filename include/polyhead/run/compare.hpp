#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "polyhead/store/reader.hpp"
#include "polyhead/store/result_shape.hpp"
#include "polyhead/store/rows.hpp"
#include "polyhead/store/writer.hpp"

/// Comparison of a result file with the same results computed again.
namespace polyhead::run {

enum class Comparison { bits, tolerance };

/// Tolerance of a score: 1e-4 + 1e-4 x the largest finite |score| of the same sample and head. Rounding
/// errors grow with the terms of a sum, not with the sum. The tests against PyTorch use the first term alone.
/// Measured: the demo's scores, computed with oneDNN's SSE4.1 kernels instead of AVX-512, use 7.5% of it.
inline constexpr double kAbsoluteTolerance = 1e-4;
inline constexpr double kRelativeTolerance = 1e-4;
double tolerance_of(std::span<const float> computed);

/// First difference between the file and the computed results.
struct Difference {
  std::string dataset;      ///< "/fused/scores"
  std::int64_t sample = 0;  ///< its number
  std::string place;     ///< place in the sample's row: "class 3", "head mlp"; empty for a row of one value
  std::string held;      ///< value in the file and its bits: "1.5 (0x3fc00000)"
  std::string computed;  ///< computed value and its bits
};

/// Deviations that a comparison by tolerance accepted, summed up.
struct Deviations {
  std::int64_t scores = 0;             ///< scores compared
  std::int64_t other_scores = 0;       ///< scores with other bits
  double largest = 0;                  ///< largest |file - computed| among them
  double share = 0;                    ///< largest share of the tolerance that a deviation uses
  std::int64_t predictions = 0;        ///< predictions compared
  std::int64_t other_predictions = 0;  ///< predictions of another class within the tolerance
};

/// Compares the rows of one micro-batch. The first difference is that of the lowest sample. Within a sample
/// the order is status, reason, fused scores, prediction, heads' predictions, heads' scores (if the file has
/// them): causes come before their consequences.
///
/// `bits`: all bits must be equal, those of a NaN included. `tolerance`: scores may differ as `tolerance_of`
/// says; two NaN are equal. A prediction may be another class only if the file's own scores agree with it and
/// the scores computed for the two classes are closer than twice the tolerance. That needs
/// `computed.head_scores`, also where the file has none. Status and reason must be the same.
std::optional<Difference> compare_rows(const store::Layout& layout, const store::Rows& held,
                                       const store::Rows& computed, Comparison how, Deviations& deviations);

/// Compares ids and labels of all samples with `now`, in the order of the samples; for each sample id_offset,
/// id_bytes, label.
std::optional<Difference> compare_samples(const store::Reader& reader, const store::SampleSource& now);

}  // namespace polyhead::run
