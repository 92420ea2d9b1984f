#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "polyhead/model/element_type.hpp"

/// A restricted reader of Python's pickle format: it builds containers, numbers, texts and descriptions of
/// tensors, and refuses everything else by name. No code of the file is ever run, because there is none that
/// could run: the callables it knows are the enumerators of `Callable`.
namespace polyhead::model::pickle {

/// Index of an object in `Document::objects`. Objects own no others, so that neither depth nor cycles matter.
using Id = std::uint32_t;

struct None {};
struct Tuple {
  std::vector<Id> items;
};
struct List {
  std::vector<Id> items;
};
struct Dict {
  std::vector<std::pair<Id, Id>> items;  ///< in the order they were set; a key may come twice
};
enum class Callable : std::uint8_t { ordered_dict, rebuild_tensor, rebuild_parameter, size };
struct Storage {
  ElementType type = ElementType::f32;
  Id key = 0;  ///< a text: the record "data/KEY" of the zip file
  std::int64_t elements = 0;
};
/// A tensor's place in its storage, in elements. Nothing here is checked against the storage yet.
struct Tensor {
  Storage storage;
  std::int64_t offset = 0;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;
};
using Object = std::variant<None, bool, std::int64_t, double, std::string, Tuple, List, Dict, Callable,
                            ElementType, Storage, Tensor>;

struct Document {
  std::vector<Object> objects;
  Id root = 0;
};

/// Reads protocols 2 to 5 as far as `torch.save` uses them for a state_dict. `file` names it in messages.
/// Throws Error(bad_data) at the first opcode, global or argument that is not allowed. Memory is bounded by a
/// small multiple of the bytes. https://docs.python.org/3/library/pickletools.html lists the opcodes.
Document parse(std::span<const std::byte> bytes, const std::string& file);

}  // namespace polyhead::model::pickle
