#include "polyhead/store/rows.hpp"

#include "polyhead/base/error.hpp"
#include "polyhead/base/wire.hpp"

namespace polyhead::store {

std::vector<std::byte> Rows::to_wire() const {
  WireWriter writer;
  writer.put(batch).put(count).put(rest);
  writer.put_array(std::span(fused_scores)).put_array(std::span(fused_prediction));
  writer.put_array(std::span(head_prediction)).put_array(std::span(head_scores));
  writer.put_array(std::span(status)).put_array(std::span(reason));
  return std::move(writer).take();
}

Rows Rows::from_wire(std::span<const std::byte> bytes) {
  WireReader reader(bytes);
  Rows rows;
  rows.batch = reader.get<std::int64_t>();
  rows.count = reader.get<std::int64_t>();
  rows.rest = reader.get<bool>();
  rows.fused_scores = reader.get_array<float>();
  rows.fused_prediction = reader.get_array<std::int32_t>();
  rows.head_prediction = reader.get_array<std::int32_t>();
  rows.head_scores = reader.get_array<float>();
  rows.status = reader.get_array<std::uint8_t>();
  rows.reason = reader.get_array<std::uint8_t>();
  const auto count = static_cast<std::size_t>(rows.count);
  if (!reader.done() || rows.count < 0 || rows.status.size() != count || rows.reason.size() != count ||
      rows.fused_prediction.size() != count) {
    throw Error(ExitCode::internal, "a message with rows of the result does not hold what it says");
  }
  return rows;
}

}  // namespace polyhead::store
