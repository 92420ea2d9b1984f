#include "polyhead/model/element_type.hpp"

#include <cstring>

#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include "polyhead/base/error.hpp"

namespace polyhead::model {
namespace {

template <class T>
void convert_as(std::span<const std::byte> bytes, std::span<float> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    T element;
    std::memcpy(&element, bytes.data() + i * sizeof(T), sizeof(T));  // files align nothing
    values[i] = static_cast<float>(element);
  }
}

/// Calls `visit` with a value of the C++ type that stands for `type`.
template <class Visit>
auto dispatch(ElementType type, Visit visit) {
  switch (type) {
    case ElementType::f16:
      return visit(c10::Half());
    case ElementType::bf16:
      return visit(c10::BFloat16());
    case ElementType::f32:  // NOLINT(bugprone-branch-clone): the branches differ in their types
      return visit(float());
    case ElementType::f64:
      return visit(double());
    case ElementType::i8:
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

}  // namespace

std::size_t size_of(ElementType type) {
  return dispatch(type, [](auto element) { return sizeof(element); });
}

void convert(ElementType type, std::span<const std::byte> bytes, std::span<float> values) {
  if (bytes.size() != values.size() * size_of(type)) {
    throw Error(ExitCode::internal, "convert: sizes of input and output differ");
  }
  dispatch(type, [&](auto element) { convert_as<decltype(element)>(bytes, values); });
}

}  // namespace polyhead::model
