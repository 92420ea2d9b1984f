#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "polyhead/checkpoint/element_type.hpp"

/// A restricted reader of Python's pickle format: it builds containers, numbers, texts and descriptions of
/// tensors. Everything else becomes an inert `Opaque`, which knows only its type's name. The reader has no
/// way to run code of the file.
namespace polyhead::checkpoint::pickle {

/// Index of an object in `Document::objects`. Objects own no others, so that neither depth nor cycles matter.
using Id = std::uint32_t;
inline constexpr Id kNoId = ~Id{0};

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
/// A class or function, by name only.
struct Global {
  Id module = kNoId;  ///< a text
  Id name = kNoId;    ///< a text
};
/// An object of a type that is not read.
struct Opaque {
  Id type = kNoId;   ///< a Global: the class, or the function that would have made the object
  Id state = kNoId;  ///< what BUILD would have set
};
struct Storage {
  ElementType type = ElementType::f32;
  Id key = 0;                 ///< a text: the record "data/KEY" of the zip file
  std::int64_t elements = 0;  ///< number of elements up to its end
  std::int64_t offset =
      0;              ///< index of its first element, when it is a view of the storage that the file has
  Id unread = kNoId;  ///< its class, when its elements are of a type that is not read
  std::uint8_t element_size = 0;  ///< bytes; 0: not known
  bool untyped = false;           ///< elements are bytes; the tensor says its type
};
/// Place of a tensor in its storage, in elements. Nothing here is checked against the storage yet.
struct Tensor {
  Storage storage;
  std::int64_t offset = 0;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;
};
using Object = std::variant<None, bool, std::int64_t, double, std::string, Tuple, List, Dict, Global, Opaque,
                            Storage, Tensor>;

struct Document {
  std::vector<Object> objects;
  Id root = 0;
  std::size_t size = 0;  ///< bytes, its STOP included
};

/// Reads protocols 0 to 5. `file` names the source in messages. Throws Error(bad_data) at the first
/// impossible opcode or argument. Memory is bounded by a small multiple of the bytes. Bytes after the pickle
/// are ignored. https://docs.python.org/3/library/pickletools.html lists the opcodes.
Document parse(std::span<const std::byte> bytes, const std::string& file);

/// The object's type in Python's words: "numpy.ndarray", "dict", "torch.Tensor".
std::string type_name(const Document& document, Id id);

/// True for the pickle of a whole torch.nn.Module.
bool is_module(const Document& document, Id id);

}  // namespace polyhead::checkpoint::pickle
