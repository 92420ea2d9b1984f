#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "polyhead/checkpoint/element_type.hpp"

namespace polyhead::checkpoint::pickle {

/// Functions and classes whose calls are understood. All others give an inert object.
enum class Callable : std::uint8_t {
  dict,                  ///< dict and its kinds
  rebuild_tensor,        ///< (storage, offset, shape, strides, ...)
  rebuild_typed_tensor,  ///< as rebuild_tensor, with the type as seventh argument
  rebuild_parameter,     ///< (tensor, ...)
  rebuild_from_type,     ///< (function, class, arguments, state)
  rebuild_from_cpu,      ///< (tensor, dtype, device, requires_grad)
  size,                  ///< torch.Size(tuple)
  reconstructor,         ///< (class, ...)
  bytes,                 ///< (text, encoding)
};

/// Callable of this name. Names are "MODULE.NAME", as in Python 3.
std::optional<Callable> find_callable(std::string_view name);
/// Type of a storage class such as "torch.FloatStorage".
std::optional<ElementType> find_storage_type(std::string_view name);
/// Bytes per element of storages that are not read, such as complex ones; 0: unknown.
std::uint8_t unread_element_size(std::string_view name);
/// Type of a dtype such as "torch.float32".
std::optional<ElementType> find_dtype(std::string_view name);
/// Whether objects of the class count as a torch.Tensor.
bool is_plain_tensor_class(std::string_view name);

}  // namespace polyhead::checkpoint::pickle
