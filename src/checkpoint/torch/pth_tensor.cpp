#include "pth_tensor.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "polyhead/checkpoint/fail.hpp"
#include "polyhead/checkpoint/shape.hpp"

namespace polyhead::checkpoint {
namespace {

/// Most bytes read, as a multiple of the file's size. Shared and interleaved tensors read a storage more than
/// once, at most a few times. Small files may take more: an expanded tensor repeats its elements.
constexpr std::uint64_t kMaxReads = 16;
constexpr std::uint64_t kFreeBytes = std::uint64_t{64} << 20U;

constexpr std::int64_t kManyElements = std::int64_t{1}
                                       << 60U;  // over any limit, and its bytes can be counted

/// Copies the `count` elements of a strided tensor, `size` bytes each, into row-major order.
std::vector<std::byte> gather(const std::vector<std::byte>& from, const pickle::Tensor& tensor,
                              std::size_t size, std::size_t count) {
  std::vector<std::byte> to;
  to.reserve(count * size);
  std::vector<std::int64_t> index(tensor.shape.size(), 0);
  for (std::int64_t at = 0;;) {
    const auto begin = from.begin() + at * static_cast<std::int64_t>(size);
    to.insert(to.end(), begin, begin + static_cast<std::int64_t>(size));
    std::size_t axis = index.size();
    for (; axis > 0 && ++index[axis - 1] == tensor.shape[axis - 1]; --axis) {
      at -= (index[axis - 1] - 1) * tensor.strides[axis - 1];
      index[axis - 1] = 0;
    }
    if (axis == 0) return to;
    at += tensor.strides[axis - 1];
  }
}

}  // namespace

void TensorReader::fail(const std::string& name, std::string_view text) const {
  bad_data(file_, fmt::format("tensor '{}': {}", printable(name), text));
}

TensorReader::Span TensorReader::check(const std::string& name, const pickle::Tensor& tensor) const {
  const auto elements = element_count(tensor.shape);
  if (!elements || tensor.strides.size() != tensor.shape.size()) {
    fail(name, fmt::format("shape {} with strides {} is not possible", shape_text(tensor.shape),
                           shape_text(tensor.strides)));
  }
  if (*elements == 0) return {};
  std::int64_t last = 0;
  bool fits = true;
  for (std::size_t axis = 0; axis < tensor.shape.size(); ++axis) {
    std::int64_t step = 0;
    fits = fits && tensor.strides[axis] >= 0 &&
           !__builtin_mul_overflow(tensor.shape[axis] - 1, tensor.strides[axis], &step) &&
           !__builtin_add_overflow(last, step, &last);
  }
  if (!fits || tensor.offset < 0 || tensor.storage.elements < 0 ||
      last >= tensor.storage.elements - tensor.offset) {
    fail(name, fmt::format("shape {} with strides {} at offset {} reaches outside its storage of {} elements",
                           shape_text(tensor.shape), shape_text(tensor.strides), tensor.offset,
                           tensor.storage.elements));
  }
  return {*elements, last + 1};
}

void TensorReader::spend(const std::string& name, std::uint64_t bytes) {
  const std::uint64_t limit = kFreeBytes + kMaxReads * storages_.total();
  if (bytes > limit || (spent_ += bytes) > limit) {
    fail(
        name,
        "the tensors share or repeat their storages so often that they take many times the file's size; save "
        ".contiguous() copies");
  }
}

const std::string& TensorReader::check_storage(const std::string& name, const pickle::Storage& storage) {
  const auto& key = std::get<std::string>(document_.objects[storage.key]);
  const auto bytes = storages_.size(key);
  const std::string shown = printable(storages_.shown(key));
  if (!bytes) fail(name, fmt::format("its storage '{}' is not in the file", shown));
  const auto elements = static_cast<std::uint64_t>(storage.elements);
  if (elements > *bytes / size_of(storage.type)) {
    fail(name, fmt::format("its storage '{}' has {} bytes, expected {} elements of {} bytes", shown, *bytes,
                           elements, size_of(storage.type)));
  }
  spend(name, storages_.cost(key));
  return key;
}

CheckpointTensor TensorReader::read(const std::string& name, const pickle::Tensor& tensor) {
  const Span span = check(name, tensor);
  CheckpointTensor result{name, tensor.shape, {}};
  if (span.elements == 0) return result;
  const std::size_t size = size_of(tensor.storage.type);
  const std::string& key = check_storage(name, tensor.storage);
  const std::uint64_t bytes = static_cast<std::uint64_t>(span.length) * size;
  spend(name, bytes);
  if (span.elements > span.length) {  // some elements are repeated
    spend(name, static_cast<std::uint64_t>(std::min(span.elements, kManyElements)) * sizeof(float));
  }
  std::vector<std::byte> elements =
      storages_.read(key, static_cast<std::uint64_t>(tensor.offset) * size, bytes);
  bool contiguous = true;
  std::int64_t stride = 1;
  for (std::size_t axis = tensor.shape.size(); axis-- > 0;) {
    contiguous = contiguous && (tensor.shape[axis] == 1 || tensor.strides[axis] == stride);
    stride *= tensor.shape[axis];
  }
  if (!contiguous) elements = gather(elements, tensor, size, static_cast<std::size_t>(span.elements));
  result.values.resize(static_cast<std::size_t>(span.elements));
  convert(tensor.storage.type, elements, result.values);
  return result;
}

}  // namespace polyhead::checkpoint
