#include "pickle_globals.hpp"

#include <array>
#include <string_view>

namespace polyhead::model::pickle {
namespace {

struct Global {
  std::string_view name;
  std::variant<Callable, ElementType> meaning;
};

constexpr std::array<Global, 14> kGlobals{{
    {"collections.OrderedDict", Callable::ordered_dict},
    {"torch._utils._rebuild_tensor_v2", Callable::rebuild_tensor},
    {"torch._utils._rebuild_parameter", Callable::rebuild_parameter},
    {"torch.Size", Callable::size},
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

}  // namespace

std::optional<Object> find_global(const std::string& name) {
  for (const Global& global : kGlobals) {
    if (global.name != name) continue;
    return std::visit([](auto meaning) { return Object(meaning); }, global.meaning);
  }
  return std::nullopt;
}

}  // namespace polyhead::model::pickle
