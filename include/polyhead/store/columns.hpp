#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "polyhead/store/result_shape.hpp"
#include "polyhead/store/rows.hpp"

/// Columns of the result that a run computes: datasets with one row per sample. The file, the wire, the
/// reader and the planner take all facts about columns from this table.
namespace polyhead::store {

/// Place of a column in `Rows`. Its values have the same type in the file.
using ColumnMember = std::variant<std::vector<float> Rows::*, std::vector<std::int32_t> Rows::*,
                                  std::vector<std::uint8_t> Rows::*>;

/// Axes of a column besides the samples' axis.
enum class Axes : std::uint8_t { none, classes, heads, heads_classes };

/// One column.
struct RowColumn {
  const char* name;  ///< name of the dataset
  const char* key;   ///< name of the member, for messages
  ColumnMember member;
  Axes axes;
  std::byte pending;  ///< each byte of its values while pending: 0, or 0xFF for an int32 of -1
  bool Layout::*only_where = nullptr;  ///< null: every result has it
  const char* option = "";             ///< option of the configuration that asks for it
};

/// All columns, in the order of the file.
inline constexpr std::array kRowColumns{
    RowColumn{"/fused/scores", "fused_scores", &Rows::fused_scores, Axes::classes, std::byte{0}},
    RowColumn{"/fused/prediction", "fused_prediction", &Rows::fused_prediction, Axes::none, std::byte{0xFF}},
    RowColumn{"/heads/prediction", "head_prediction", &Rows::head_prediction, Axes::heads, std::byte{0xFF}},
    RowColumn{"/heads/scores", "head_scores", &Rows::head_scores, Axes::heads_classes, std::byte{0},
              &Layout::head_scores, "output.head_scores"},
    RowColumn{"/uncertainty/margin", "margin", &Rows::margin, Axes::none, std::byte{0}, &Layout::margin,
              "margin in output.uncertainty"},
    RowColumn{"/samples/status", "status", &Rows::status, Axes::none, std::byte{0}},
    RowColumn{"/samples/reason", "reason", &Rows::reason, Axes::none, std::byte{0}}};

/// Number of columns in the table, whichever a result has.
inline constexpr std::size_t kRowColumnCount = kRowColumns.size();

/// Place of the column in the table; the table's size for a name that is not in it.
constexpr std::size_t column_index(std::string_view name) {
  std::size_t index = 0;
  while (index < kRowColumnCount && kRowColumns[index].name != name) ++index;
  return index;
}

/// Whether a result of this layout has the column.
bool has_column(const Layout& layout, const RowColumn& column);

/// Values per sample; 0 where the layout does not have the column.
std::int64_t width_of(const Layout& layout, const RowColumn& column);

/// Bytes of one value.
std::int64_t value_bytes(const RowColumn& column);

/// Bytes per sample in all columns.
std::int64_t row_bytes(const Layout& layout);

/// Calls `visit(column, values)` for each column of the table. `values` is its vector in `rows`, empty where
/// the layout does not have it.
template <class AnyRows, class Visit>
void for_each_column(AnyRows& rows, const Visit& visit) {
  for (const RowColumn& column : kRowColumns) {
    std::visit([&](auto member) { visit(column, rows.*member); }, column.member);
  }
}

}  // namespace polyhead::store
