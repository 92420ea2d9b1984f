#include "polyhead/checkpoint/element_type.hpp"

#include <bit>
#include <cstring>
#include <type_traits>

#include "polyhead/base/error.hpp"

namespace polyhead::checkpoint {
namespace {

/// A float narrower than fp32, with a sign, `kExponent` and `kFraction` bits; fp32 holds all its values.
/// `kInfinities`: the largest exponent is kept for infinities and NaN, as in IEEE 754. Otherwise NaN has all
/// bits set, and there are no infinities.
template <class Bits, unsigned kExponent, unsigned kFraction, bool kInfinities>
struct Narrow {
  Bits bits = 0;

  explicit operator float() const {
    constexpr std::uint32_t kFractionMask = (1U << kFraction) - 1;
    constexpr std::uint32_t kMaxExponent = (1U << kExponent) - 1;
    constexpr std::uint32_t kBias = kMaxExponent >> 1U;
    constexpr std::uint32_t kRebias = 127 - kBias;
    const std::uint32_t sign = std::uint32_t{bits} >> (kExponent + kFraction) << 31U;
    const std::uint32_t exponent = bits >> kFraction & kMaxExponent;
    const std::uint32_t fraction = bits & kFractionMask;
    if (exponent == 0) {  // value fraction x 2^(1 - bias - kFraction), which is normal in fp32
      constexpr float kUnit = std::bit_cast<float>((kRebias + 1 - kFraction) << 23U);
      return std::bit_cast<float>(std::bit_cast<std::uint32_t>(static_cast<float>(fraction) * kUnit) | sign);
    }
    const bool special = exponent == kMaxExponent && (kInfinities || fraction == kFractionMask);
    const std::uint32_t wide = special ? 255 : exponent + kRebias;
    return std::bit_cast<float>(sign | wide << 23U | fraction << (23 - kFraction));
  }
};
using Half = Narrow<std::uint16_t, 5, 10, true>;
using Float8E4m3fn = Narrow<std::uint8_t, 4, 3, false>;
using Float8E5m2 = Narrow<std::uint8_t, 5, 2, true>;

/// Upper half of an fp32.
struct BFloat16 {
  std::uint16_t bits = 0;
  explicit operator float() const { return std::bit_cast<float>(std::uint32_t{bits} << 16U); }
};

template <class Value, class Element>
Value value_of(const Element& element) {
  if constexpr (std::is_arithmetic_v<Element>) {
    return static_cast<Value>(element);
  } else {
    return static_cast<Value>(static_cast<float>(element));
  }
}

template <class T, class Value>
void convert_as(std::span<const std::byte> bytes, std::span<Value> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    T element;
    std::memcpy(&element, bytes.data() + i * sizeof(T), sizeof(T));  // files align nothing
    values[i] = value_of<Value>(element);
  }
}

/// Calls `visit` with a value of the C++ type that stands for `type`.
template <class Visit>
auto dispatch(ElementType type, Visit visit) {
  switch (type) {
    case ElementType::f16:
      return visit(Half());
    case ElementType::bf16:
      return visit(BFloat16());
    case ElementType::f32:  // NOLINT(bugprone-branch-clone): the branches differ in their types
      return visit(float());
    case ElementType::f64:
      return visit(double());
    case ElementType::f8_e4m3fn:
      return visit(Float8E4m3fn());
    case ElementType::f8_e5m2:
      return visit(Float8E5m2());
    case ElementType::i8:  // NOLINT(bugprone-branch-clone): the types differ
      return visit(std::int8_t());
    case ElementType::i16:
      return visit(std::int16_t());
    case ElementType::u16:
      return visit(std::uint16_t());
    case ElementType::i32:
      return visit(std::int32_t());
    case ElementType::u32:
      return visit(std::uint32_t());
    case ElementType::i64:
      return visit(std::int64_t());
    case ElementType::u64:
      return visit(std::uint64_t());
    case ElementType::u8:
    case ElementType::boolean:  // a bool object must not hold a byte other than 0 and 1; files may
      return visit(std::uint8_t());
  }
  throw Error(ExitCode::internal, "convert: unknown element type");
}

template <class Value>
void convert_all(ElementType type, std::span<const std::byte> bytes, std::span<Value> values) {
  if (bytes.size() != values.size() * size_of(type)) {
    throw Error(ExitCode::internal, "convert: sizes of input and output differ");
  }
  dispatch(type, [&](auto element) { convert_as<decltype(element)>(bytes, values); });
}

}  // namespace

std::size_t size_of(ElementType type) {
  return dispatch(type, [](auto element) { return sizeof(element); });
}

void convert(ElementType type, std::span<const std::byte> bytes, std::span<float> values) {
  convert_all(type, bytes, values);
}

void convert(ElementType type, std::span<const std::byte> bytes, std::span<double> values) {
  convert_all(type, bytes, values);
}

}  // namespace polyhead::checkpoint
