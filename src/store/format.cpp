#include "format.hpp"

#include <variant>

#include "polyhead/store/columns.hpp"

namespace polyhead::store::format {
namespace {

constexpr std::int64_t kBlock = std::int64_t{64} * 1024;
constexpr std::int64_t kSummaryPerHead = 256;   // numbers and their keys
constexpr std::int64_t kMaxEscape = 6;          // JSON writes one byte of a name as up to six
constexpr std::int64_t kProvenanceBlocks = 16;  // thousands of starts and resumes

std::int64_t round_up(std::int64_t bytes) {
  return (bytes + kBlock - 1) / kBlock * kBlock;
}

h5::Type type_of(float /*value*/) {
  return h5::Type::f32;
}
h5::Type type_of(std::int32_t /*value*/) {
  return h5::Type::i32;
}
h5::Type type_of(std::uint8_t /*value*/) {
  return h5::Type::u8;
}

h5::Type type_of(const RowColumn& column) {
  return std::visit([]<class Value>(std::vector<Value> Rows::* /*member*/) { return type_of(Value{}); },
                    column.member);
}

std::vector<std::int64_t> shape_of(const Layout& layout, const RowColumn& column) {
  std::vector<std::int64_t> shape{layout.samples};
  if (column.axes == Axes::heads || column.axes == Axes::heads_classes) shape.push_back(layout.head_count());
  if (column.axes == Axes::classes || column.axes == Axes::heads_classes) shape.push_back(layout.classes);
  return shape;
}

}  // namespace

std::int64_t Column::row_bytes() const {
  auto bytes = static_cast<std::int64_t>(h5::size_of(type));
  for (std::size_t i = 1; i < shape.size(); ++i) bytes *= shape[i];
  return bytes;
}

std::vector<Column> columns(const Layout& layout) {
  std::vector<Column> all;
  for (const RowColumn& column : kRowColumns) {
    if (has_column(layout, column)) all.push_back({column.name, type_of(column), shape_of(layout, column)});
  }
  all.push_back({kLabel, h5::Type::i32, {layout.samples}});
  return all;
}

std::int64_t provenance_capacity() {
  return kProvenanceBlocks * kBlock;
}

std::int64_t summary_capacity(const Layout& layout) {
  std::int64_t bytes = kBlock;
  for (const std::string& name : layout.heads) {
    bytes += kSummaryPerHead + kMaxEscape * static_cast<std::int64_t>(name.size());
  }
  return round_up(bytes);
}

std::int64_t certificate_capacity() {
  return kBlock;
}

}  // namespace polyhead::store::format
