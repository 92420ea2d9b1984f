#include "polyhead/store/rows.hpp"

#include "polyhead/base/error.hpp"
#include "polyhead/base/wire.hpp"
#include "polyhead/store/columns.hpp"

namespace polyhead::store {

std::vector<std::byte> Rows::to_wire() const {
  WireWriter writer;
  writer.put(batch).put(count).put(rest);
  for_each_column(*this, [&](const RowColumn&, const auto& values) { writer.put_array(std::span(values)); });
  return std::move(writer).take();
}

Rows Rows::from_wire(std::span<const std::byte> bytes) {
  WireReader reader(bytes);
  Rows rows;
  rows.batch = reader.get<std::int64_t>();
  rows.count = reader.get<std::int64_t>();
  rows.rest = reader.get<bool>();
  bool sound = rows.count >= 0;
  for_each_column(rows, [&]<class Value>(const RowColumn& column, std::vector<Value>& values) {
    values = reader.get_array<Value>();
    const bool may_be_short = column.axes != Axes::none || column.only_where != nullptr;
    sound = sound && (may_be_short || values.size() == static_cast<std::size_t>(rows.count));
  });
  if (!reader.done() || !sound) {
    throw Error(ExitCode::internal, "a message with rows of the result does not hold what it says");
  }
  return rows;
}

}  // namespace polyhead::store
