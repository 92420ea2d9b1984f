#pragma once

#include <concepts>
#include <cstdint>

#include "polyhead/h5/h5.hpp"

namespace polyhead::h5::detail {

/// HDF5's identifier of a type: as stored by polyhead (little-endian), and in this machine's memory. Throws
/// Error(internal) for `other`.
std::int64_t stored_type(Type type);
std::int64_t memory_type(Type type);

/// Element type of an HDF5 identifier, in either byte order; `other` if there is none.
Type type_from(std::int64_t identifier);

template <class T>
constexpr Type type_of() {
  if constexpr (std::same_as<T, float>) return Type::f32;
  if constexpr (std::same_as<T, double>) return Type::f64;
  if constexpr (std::same_as<T, std::uint8_t>) return Type::u8;
  if constexpr (std::same_as<T, std::int8_t>) return Type::i8;
  if constexpr (std::same_as<T, std::uint16_t>) return Type::u16;
  if constexpr (std::same_as<T, std::int16_t>) return Type::i16;
  if constexpr (std::same_as<T, std::uint32_t>) return Type::u32;
  if constexpr (std::same_as<T, std::int32_t>) return Type::i32;
  if constexpr (std::same_as<T, std::uint64_t>) return Type::u64;
  if constexpr (std::same_as<T, std::int64_t>) return Type::i64;
  return Type::other;
}

}  // namespace polyhead::h5::detail
