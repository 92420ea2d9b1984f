#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace polyhead::config {

/// A number at the start of a text, and the rest after it without the blanks between them.
struct Quantity {
  double number = 0;
  std::string_view unit;
};

/// Empty when `text` does not start with a finite decimal number.
std::optional<Quantity> split_quantity(std::string_view text);

/// Unit that is a whole number of base units.
struct Unit {
  std::string_view name;
  std::uint64_t factor = 1;
};

/// Units, from the largest to the smallest.
std::span<const Unit> size_units();      ///< in bytes; a plain number counts bytes
std::span<const Unit> duration_units();  ///< in milliseconds

/// "64MiB" -> 67108864, rounded to a whole number. Empty, with a hint how to mend it, when the text is not a
/// number with one of the units.
std::optional<std::uint64_t> read_quantity(std::string_view text, std::span<const Unit> units,
                                           std::string& hint);

/// 67108864 -> "64MiB": exact, in the largest unit that fits.
std::string write_quantity(std::uint64_t value, std::span<const Unit> units);

}  // namespace polyhead::config
