#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace polyhead::store {

/// Finished rows of one micro-batch, by column, as they go to the file. `count` real samples, without
/// padding.
struct Rows {
  std::int64_t batch = 0;                      ///< number of the micro-batch
  std::int64_t count = 0;                      ///< samples, n
  bool rest = false;                           ///< pages of its own are gone from the columns (PageWriter)
  std::vector<float> fused_scores;             ///< [n, C]; NaN where quarantined
  std::vector<std::int32_t> fused_prediction;  ///< [n]; -1 where quarantined
  std::vector<std::int32_t> head_prediction;   ///< [n, K]; -1 where quarantined
  std::vector<float> head_scores;              ///< [n, K, C], or empty; NaN where quarantined
  std::vector<float> margin;                   ///< [n], or empty; NaN where quarantined
  std::vector<std::uint8_t> status;            ///< [n] SampleStatus
  std::vector<std::uint8_t> reason;            ///< [n] Reason

  [[nodiscard]] std::vector<std::byte> to_wire() const;
  static Rows from_wire(std::span<const std::byte> bytes);
};

}  // namespace polyhead::store
