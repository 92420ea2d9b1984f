#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace polyhead::model {

/// Types that a weights file may store its tensors in.
enum class ElementType : std::uint8_t { f16, bf16, f32, f64, i8, u8, i16, u16, i32, u32, i64, u64, boolean };

/// Bytes of one element.
std::size_t size_of(ElementType type);

/// Little-endian elements to fp32, rounded to nearest. `bytes` holds exactly `values.size()` elements.
void convert(ElementType type, std::span<const std::byte> bytes, std::span<float> values);

}  // namespace polyhead::model
