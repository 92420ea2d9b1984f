#include "weights_config.hpp"

#include <cstring>

#include <fmt/format.h>

#include "polyhead/checkpoint/fail.hpp"
#include "polyhead/checkpoint/shape.hpp"
#include "schema.hpp"

namespace polyhead::checkpoint::exported {
namespace {

constexpr std::size_t kMostDimensions = 64;

Json parse(const std::filesystem::path& file, std::span<const std::byte> json) {
  const auto* const text = reinterpret_cast<const char*>(json.data());
  Guard guard(file);
  try {
    return Json::parse(text, text + json.size(),
                       [&](int depth, Json::parse_event_t event, const Json& parsed) {
                         guard.follow(depth, event, parsed);
                         return true;
                       });
  } catch (const Json::exception& error) {
    bad_data(file, fmt::format("has a malformed list of weights: {}", printable(error.what())));
  }
}

StoredTensor read_entry(const Fields& entry) {
  StoredTensor tensor;
  tensor.record = entry.text("path_name");
  if (entry.find("use_pickle") != nullptr && entry.truth("use_pickle")) {
    entry.fail(
        "is pickled, and polyhead runs no code of a file: export a model whose state is plain tensors");
  }
  const Fields meta = entry.object("tensor_meta");
  tensor.type = element_type(meta, meta.integer("dtype"));
  tensor.shape = plain_integers(meta, "sizes");
  tensor.strides = plain_integers(meta, "strides");
  tensor.offset = meta.object("storage_offset").integer("as_int");
  const bool sound = tensor.shape.size() == tensor.strides.size() && tensor.shape.size() <= kMostDimensions;
  if (!sound || !element_count(tensor.shape)) entry.fail("has an impossible shape");
  return tensor;
}

/// Elements from the first of the storage to the last of the tensor; nothing where that is impossible.
std::optional<std::int64_t> reach(const StoredTensor& tensor) {
  std::int64_t last = tensor.offset;
  if (last < 0) return std::nullopt;
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    if (tensor.shape[i] == 0) return 0;
    std::int64_t step = 0;
    if (tensor.strides[i] < 0) return std::nullopt;
    if (__builtin_mul_overflow(tensor.shape[i] - 1, tensor.strides[i], &step)) return std::nullopt;
    if (__builtin_add_overflow(last, step, &last)) return std::nullopt;
  }
  if (__builtin_add_overflow(last, 1, &last)) return std::nullopt;
  return last;
}

bool is_contiguous(const StoredTensor& tensor) {
  std::int64_t stride = 1;
  for (std::size_t i = tensor.shape.size(); i-- > 0;) {
    if (tensor.shape[i] != 1 && tensor.strides[i] != stride) return false;
    stride *= tensor.shape[i];
  }
  return true;
}

}  // namespace

std::map<std::string, StoredTensor> parse_weights_config(const std::filesystem::path& file,
                                                         std::span<const std::byte> json) {
  const Json parsed = parse(file, json);
  const Fields list = Fields(file, parsed, "the list of weights").object("config");
  std::map<std::string, StoredTensor> tensors;
  for (const auto& [name, entry] : list.json().items())
    tensors.emplace(name, read_entry({file, entry, fmt::format("tensor '{}'", name)}));
  return tensors;
}

std::vector<std::byte> contiguous(const std::filesystem::path& file, const std::string& name,
                                  const StoredTensor& tensor, std::vector<std::byte> record) {
  const std::size_t size = size_of(tensor.type);
  const auto stored = static_cast<std::int64_t>(record.size() / size);
  const std::optional<std::int64_t> needed = reach(tensor);
  const std::int64_t count = *element_count(tensor.shape);
  // A tensor that repeats elements is not larger than its record, or a small file could fill the memory.
  if (!needed || *needed > stored || count > stored) {
    bad_data(file, fmt::format("tensor '{}': shape {} does not lie in its record of {} elements",
                               printable(name), shape_text(tensor.shape), stored));
  }
  const std::size_t bytes = static_cast<std::size_t>(count) * size;
  if (count == 0) return {};
  const auto begin = record.begin() + tensor.offset * static_cast<std::int64_t>(size);
  if (is_contiguous(tensor)) {
    if (begin != record.begin()) record.erase(record.begin(), begin);
    record.resize(bytes);
    return record;
  }
  std::vector<std::byte> elements(bytes);
  std::vector<std::int64_t> index(tensor.shape.size());
  std::int64_t from = tensor.offset;
  for (std::size_t to = 0; to < bytes; to += size) {
    std::memcpy(&elements[to], &record[static_cast<std::size_t>(from) * size], size);
    for (std::size_t i = index.size(); i-- > 0;) {
      if (tensor.shape[i] == 1) continue;  // its stride may be anything
      from += tensor.strides[i];
      if (++index[i] < tensor.shape[i]) break;
      from -= tensor.strides[i] * tensor.shape[i];
      index[i] = 0;
    }
  }
  return elements;
}

}  // namespace polyhead::checkpoint::exported
