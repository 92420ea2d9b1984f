#include "types.hpp"

#include <array>

#include <hdf5.h>

#include "check.hpp"

namespace polyhead::h5 {
namespace {

struct Kind {
  Type type;
  std::size_t size;
  std::string_view name;
  hid_t little;
  hid_t big;
  hid_t native;
};

/// The identifiers exist once the library is open, so the table is made at first use.
const std::array<Kind, 10>& kinds() {
  static const std::array<Kind, 10> table{{
      {Type::u8, 1, "uint8", H5T_STD_U8LE, H5T_STD_U8BE, H5T_NATIVE_UINT8},
      {Type::i8, 1, "int8", H5T_STD_I8LE, H5T_STD_I8BE, H5T_NATIVE_INT8},
      {Type::u16, 2, "uint16", H5T_STD_U16LE, H5T_STD_U16BE, H5T_NATIVE_UINT16},
      {Type::i16, 2, "int16", H5T_STD_I16LE, H5T_STD_I16BE, H5T_NATIVE_INT16},
      {Type::i32, 4, "int32", H5T_STD_I32LE, H5T_STD_I32BE, H5T_NATIVE_INT32},
      {Type::u32, 4, "uint32", H5T_STD_U32LE, H5T_STD_U32BE, H5T_NATIVE_UINT32},
      {Type::i64, 8, "int64", H5T_STD_I64LE, H5T_STD_I64BE, H5T_NATIVE_INT64},
      {Type::u64, 8, "uint64", H5T_STD_U64LE, H5T_STD_U64BE, H5T_NATIVE_UINT64},
      {Type::f32, 4, "float32", H5T_IEEE_F32LE, H5T_IEEE_F32BE, H5T_NATIVE_FLOAT},
      {Type::f64, 8, "float64", H5T_IEEE_F64LE, H5T_IEEE_F64BE, H5T_NATIVE_DOUBLE},
  }};
  return table;
}

const Kind& kind(Type type) {
  for (const Kind& entry : kinds()) {
    if (entry.type == type) return entry;
  }
  throw Error(ExitCode::internal, "h5: this element type is neither read nor written");
}

}  // namespace

std::size_t size_of(Type type) {
  return kind(type).size;
}

std::string_view name_of(Type type) {
  return type == Type::other ? "a type that is not a plain number" : kind(type).name;
}

namespace detail {

std::int64_t stored_type(Type type) {
  return kind(type).little;
}

std::int64_t memory_type(Type type) {
  return kind(type).native;
}

Type type_from(std::int64_t identifier) {
  for (const Kind& entry : kinds()) {
    if (H5Tequal(identifier, entry.little) > 0 || H5Tequal(identifier, entry.big) > 0) return entry.type;
  }
  return Type::other;
}

}  // namespace detail
}  // namespace polyhead::h5
