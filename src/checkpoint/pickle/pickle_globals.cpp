#include "pickle_globals.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace polyhead::checkpoint::pickle {
namespace {

template <class Meaning>
using Entry = std::pair<std::string_view, Meaning>;

constexpr std::array<Entry<Callable>, 21> kCallables{{
    {"collections.OrderedDict", Callable::dict},
    {"collections.defaultdict", Callable::dict},
    {"collections.Counter", Callable::dict},
    {"builtins.dict", Callable::dict},
    {"torch._utils._rebuild_tensor", Callable::rebuild_tensor},
    {"torch._utils._rebuild_tensor_v2", Callable::rebuild_tensor},
    {"torch._utils._rebuild_tensor_v3", Callable::rebuild_typed_tensor},
    {"torch._utils._rebuild_parameter", Callable::rebuild_parameter},
    {"torch._utils._rebuild_parameter_with_state", Callable::rebuild_parameter},
    {"torch.nn.parameter.Parameter", Callable::rebuild_parameter},
    {"torch.nn.parameter.Buffer", Callable::rebuild_parameter},
    {"torch._tensor._rebuild_from_type", Callable::rebuild_from_type},
    {"torch._tensor._rebuild_from_type_v2", Callable::rebuild_from_type},
    {"torch.tensor._rebuild_from_type", Callable::rebuild_from_type},  // name in PyTorch 1.7
    {"torch._utils._rebuild_device_tensor_from_cpu_tensor", Callable::rebuild_from_cpu},
    {"torch.Size", Callable::size},
    {"copyreg._reconstructor", Callable::reconstructor},
    {"copyreg.__newobj__", Callable::reconstructor},
    {"numpy.core.multiarray._reconstruct", Callable::reconstructor},
    {"numpy._core.multiarray._reconstruct", Callable::reconstructor},
    {"_codecs.encode", Callable::bytes},
}};

constexpr std::array<Entry<ElementType>, 10> kStorages{{
    {"torch.FloatStorage", ElementType::f32},
    {"torch.DoubleStorage", ElementType::f64},
    {"torch.HalfStorage", ElementType::f16},
    {"torch.BFloat16Storage", ElementType::bf16},
    {"torch.LongStorage", ElementType::i64},
    {"torch.IntStorage", ElementType::i32},
    {"torch.ShortStorage", ElementType::i16},
    {"torch.CharStorage", ElementType::i8},
    {"torch.ByteStorage", ElementType::u8},
    {"torch.BoolStorage", ElementType::boolean},
}};

constexpr std::array<Entry<std::uint8_t>, 7> kUnreadSizes{{
    {"torch.ComplexFloatStorage", std::uint8_t{8}},
    {"torch.ComplexDoubleStorage", std::uint8_t{16}},
    {"torch.QInt8Storage", std::uint8_t{1}},
    {"torch.QUInt8Storage", std::uint8_t{1}},
    {"torch.QInt32Storage", std::uint8_t{4}},
    {"torch.QUInt4x2Storage", std::uint8_t{1}},
    {"torch.QUInt2x4Storage", std::uint8_t{1}},
}};

constexpr std::array<Entry<ElementType>, 15> kDtypes{{
    {"torch.float32", ElementType::f32},
    {"torch.float64", ElementType::f64},
    {"torch.float16", ElementType::f16},
    {"torch.bfloat16", ElementType::bf16},
    {"torch.float8_e4m3fn", ElementType::f8_e4m3fn},
    {"torch.float8_e5m2", ElementType::f8_e5m2},
    {"torch.int64", ElementType::i64},
    {"torch.int32", ElementType::i32},
    {"torch.int16", ElementType::i16},
    {"torch.int8", ElementType::i8},
    {"torch.uint8", ElementType::u8},
    {"torch.uint16", ElementType::u16},
    {"torch.uint32", ElementType::u32},
    {"torch.uint64", ElementType::u64},
    {"torch.bool", ElementType::boolean},
}};

template <class Meaning, std::size_t kCount>
std::optional<Meaning> find(const std::array<Entry<Meaning>, kCount>& entries, std::string_view name) {
  for (const auto& [known, meaning] : entries) {
    if (known == name) return meaning;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Callable> find_callable(std::string_view name) {
  return find(kCallables, name);
}

std::optional<ElementType> find_storage_type(std::string_view name) {
  return find(kStorages, name);
}

std::uint8_t unread_element_size(std::string_view name) {
  return find(kUnreadSizes, name).value_or(0);
}

std::optional<ElementType> find_dtype(std::string_view name) {
  return find(kDtypes, name);
}

bool is_plain_tensor_class(std::string_view name) {
  constexpr std::array<std::string_view, 4> kClasses{
      "torch.Tensor", "torch._tensor.Tensor", "torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer"};
  return std::find(kClasses.begin(), kClasses.end(), name) != kClasses.end();
}

}  // namespace polyhead::checkpoint::pickle
