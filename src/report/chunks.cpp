#include "chunks.hpp"

#include <algorithm>
#include <vector>

#include "polyhead/base/sample.hpp"

namespace polyhead::report {
namespace {

constexpr std::int64_t kChunkBytes = 8 << 20;

std::int64_t rows_in_chunk(const store::Layout& layout) {
  const std::int64_t row = 16 + 4 * layout.head_count();
  return std::max<std::int64_t>(1, kChunkBytes / row);
}

}  // namespace

void for_each_chunk(const store::Reader& reader,
                    const std::function<void(std::int64_t first, const store::Columns& rows)>& visit) {
  const store::Layout& layout = reader.layout();
  const std::vector<std::uint8_t> ledger = reader.ledger();
  const std::int64_t step = rows_in_chunk(layout);
  for (std::int64_t first = 0; first < layout.samples; first += step) {
    store::Columns rows = reader.columns(first, std::min(step, layout.samples - first));
    for (std::size_t i = 0; i < rows.status.size(); ++i) {
      const std::int64_t batch = (first + static_cast<std::int64_t>(i)) / layout.batch;
      if (ledger[static_cast<std::size_t>(batch)] == 1) continue;
      rows.status[i] = static_cast<std::uint8_t>(SampleStatus::pending);
    }
    visit(first, rows);
  }
}

}  // namespace polyhead::report
