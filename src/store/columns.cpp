#include "polyhead/store/columns.hpp"

namespace polyhead::store {

bool has_column(const Layout& layout, const RowColumn& column) {
  return column.only_where == nullptr || layout.*column.only_where;
}

std::int64_t width_of(const Layout& layout, const RowColumn& column) {
  if (!has_column(layout, column)) return 0;
  switch (column.axes) {
    case Axes::none:
      return 1;
    case Axes::classes:
      return layout.classes;
    case Axes::heads:
      return layout.head_count();
    case Axes::heads_classes:
      return layout.head_count() * layout.classes;
  }
  return 0;
}

std::int64_t value_bytes(const RowColumn& column) {
  return std::visit(
      []<class Value>(std::vector<Value> Rows::* /*member*/) -> std::int64_t { return sizeof(Value); },
      column.member);
}

std::int64_t row_bytes(const Layout& layout) {
  std::int64_t bytes = 0;
  for (const RowColumn& column : kRowColumns) bytes += width_of(layout, column) * value_bytes(column);
  return bytes;
}

}  // namespace polyhead::store
