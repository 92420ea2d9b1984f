#include "pth_tensor.hpp"

#include <fmt/format.h>

#include "fail.hpp"
#include "shape.hpp"

namespace polyhead::model {
namespace {

/// How many times its own size a file may make us read: shared and interleaved tensors read a storage more
/// than once, a few times at most.
constexpr std::uint64_t kMostReads = 16;

/// Copies a strided tensor's elements, `size` bytes each, into row-major order.
std::vector<std::byte> gather(const std::vector<std::byte>& from, const pickle::Tensor& tensor,
                              std::size_t size) {
  std::vector<std::byte> to;
  to.reserve(from.size());
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
  if (*elements > last + 1) {
    fail(name,
         fmt::format("shape {} with strides {} repeats elements of its storage; save a .contiguous() copy",
                     shape_text(tensor.shape), shape_text(tensor.strides)));
  }
  return {*elements, last + 1};
}

void TensorReader::spend(const std::string& name, std::uint64_t bytes) {
  spent_ += bytes;
  if (spent_ > kMostReads * zip_.file_size()) {
    fail(name,
         "the tensors share their storages so often that they take many times the file's size; save "
         ".contiguous() copies");
  }
}

std::uint64_t TensorReader::locate(const std::string& name, const pickle::Storage& storage) {
  const auto& key = std::get<std::string>(document_.objects[storage.key]);
  const auto known = located_.find(key);
  const std::string record_name = fmt::format("{}/data/{}", folder_, key);
  const auto* record = zip_.find(record_name);
  if (record == nullptr)
    fail(name, fmt::format("its storage '{}' is not in the file", printable(record_name)));
  const auto elements = static_cast<std::uint64_t>(storage.elements);
  if (elements > record->size / size_of(storage.type)) {
    fail(name, fmt::format("its storage '{}' has {} bytes, expected {} elements of {} bytes",
                           printable(record_name), record->size, elements, size_of(storage.type)));
  }
  if (known != located_.end()) return known->second;
  spend(name, record->size);
  return located_[key] = zip_.verified_data(record_name, *record);
}

CheckpointTensor TensorReader::read(const std::string& name, const pickle::Tensor& tensor) {
  const Span span = check(name, tensor);
  CheckpointTensor result{name, tensor.shape, {}};
  if (span.elements == 0) return result;
  const std::size_t size = size_of(tensor.storage.type);
  const std::uint64_t start = locate(name, tensor.storage);
  const std::uint64_t bytes = static_cast<std::uint64_t>(span.length) * size;
  spend(name, bytes);
  std::vector<std::byte> elements =
      zip_.read(start + static_cast<std::uint64_t>(tensor.offset) * size, bytes);
  bool contiguous = true;
  std::int64_t stride = 1;
  for (std::size_t axis = tensor.shape.size(); axis-- > 0;) {
    contiguous = contiguous && (tensor.shape[axis] == 1 || tensor.strides[axis] == stride);
    stride *= tensor.shape[axis];
  }
  if (!contiguous) elements = gather(elements, tensor, size);
  result.values.resize(static_cast<std::size_t>(span.elements));
  convert(tensor.storage.type, elements, result.values);
  return result;
}

}  // namespace polyhead::model
