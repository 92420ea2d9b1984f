#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "support.hpp"

/// Pieces of pickles, as texts to be joined.
namespace polyhead::testing::pickled {

inline std::string text(const std::string& value) {
  return std::string("X").append(le(static_cast<std::uint32_t>(value.size()))).append(value);
}
inline std::string integer(std::int64_t value) {
  return std::string("\x8a\x08").append(le(value));
}
inline std::string global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}
inline std::string tuple(const std::string& items) {
  return "(" + items + "t";
}
inline std::string call(const std::string& callable, const std::string& items) {
  return callable + tuple(items) + "R";
}
inline std::string integers(const std::vector<std::int64_t>& values) {
  std::string items;
  for (const std::int64_t value : values) items += integer(value);
  return tuple(items);
}
inline std::string dict(const std::string& pairs) {
  return "}(" + pairs + "u";
}
/// A whole pickle that leaves `object`.
inline std::string whole(const std::string& object) {
  return "\x80\x02" + object + ".";
}

struct TensorText {
  std::string key = "0";
  std::string storage_class = "FloatStorage";
  std::int64_t elements = 6;
  std::int64_t offset = 0;
  std::vector<std::int64_t> shape{2, 3};
  std::vector<std::int64_t> strides{3, 1};
};
inline std::string tensor(const TensorText& t = {}) {
  const std::string storage = tuple(text("storage") + global("torch", t.storage_class) + text(t.key) +
                                    text("cpu") + integer(t.elements)) +
                              "Q";
  return call(global("torch._utils", "_rebuild_tensor_v2"), storage + integer(t.offset) + integers(t.shape) +
                                                                integers(t.strides) + "\x89" +
                                                                global("collections", "OrderedDict") + ")R");
}

}  // namespace polyhead::testing::pickled
