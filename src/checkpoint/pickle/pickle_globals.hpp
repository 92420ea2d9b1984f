#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "polyhead/checkpoint/element_type.hpp"

namespace polyhead::checkpoint::pickle {

/// Functions and classes whose calls mean something here. All others give an inert object.
enum class Callable : std::uint8_t {
  dict,                  ///< dict and its kinds
  rebuild_tensor,        ///< (storage, offset, shape, strides, ...)
  rebuild_typed_tensor,  ///< the same, with the type as seventh argument
  rebuild_parameter,     ///< (tensor, ...)
  rebuild_from_type,     ///< (function, class, arguments, state)
  rebuild_from_cpu,      ///< (tensor, dtype, device, requires_grad)
  size,                  ///< torch.Size(tuple)
  reconstructor,         ///< (class, ...)
  bytes,                 ///< (text, encoding)
};

/// Names are "MODULE.NAME", as Python 3 has them.
std::optional<Callable> find_callable(std::string_view name);
/// "torch.FloatStorage"
std::optional<ElementType> find_storage_type(std::string_view name);
/// Bytes of an element of the storages that are not read, such as complex ones; 0: not known.
std::uint8_t unread_element_size(std::string_view name);
/// "torch.float32"
std::optional<ElementType> find_dtype(std::string_view name);
/// Classes whose objects are as good as a torch.Tensor.
bool is_plain_tensor_class(std::string_view name);

}  // namespace polyhead::checkpoint::pickle
