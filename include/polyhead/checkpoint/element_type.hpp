#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace polyhead::checkpoint {

/// Types that a weights file may store its tensors in.
enum class ElementType : std::uint8_t {
  f16,
  bf16,
  f32,
  f64,
  f8_e4m3fn,  ///< torch.float8_e4m3fn: no infinities
  f8_e5m2,    ///< the upper half of an fp16
  i8,
  u8,
  i16,
  u16,
  i32,
  u32,
  i64,
  u64,
  boolean
};

/// Bytes of one element.
std::size_t size_of(ElementType type);

/// Converts little-endian elements to fp32, rounded to nearest. `bytes` holds exactly `values.size()`
/// elements.
void convert(ElementType type, std::span<const std::byte> bytes, std::span<float> values);
/// Converts to fp64, which is exact except for integers beyond 2^53.
void convert(ElementType type, std::span<const std::byte> bytes, std::span<double> values);

}  // namespace polyhead::checkpoint
