#pragma once

#include <string>

#include "polyhead/checkpoint/checkpoint.hpp"
#include "polyhead/checkpoint/pickle.hpp"
#include "storage_source.hpp"

namespace polyhead::checkpoint {

/// Reads tensors out of the storages of a `torch.save` file.
class TensorReader {
 public:
  /// All three arguments must outlive the reader.
  TensorReader(StorageSource& storages, const std::filesystem::path& file, const pickle::Document& document)
      : storages_(storages), file_(file), document_(document) {}

  /// Reads a tensor. Throws Error(bad_data) when it reaches outside its storage. Also throws it when all
  /// tensors together take much more than the file holds, so that a small file cannot fill the memory.
  CheckpointTensor read(const std::string& name, const pickle::Tensor& tensor);

 private:
  struct Span {
    std::int64_t elements = 0;  ///< elements of the tensor
    std::int64_t length = 0;    ///< elements from its first to its last in the storage
  };
  [[noreturn]] void fail(const std::string& name, std::string_view text) const;
  [[nodiscard]] Span check(const std::string& name, const pickle::Tensor& tensor) const;
  /// Key of the storage, after its size was compared with the file's.
  const std::string& check_storage(const std::string& name, const pickle::Storage& storage);
  void spend(const std::string& name, std::uint64_t bytes);

  StorageSource& storages_;
  const std::filesystem::path& file_;
  const pickle::Document& document_;
  std::uint64_t spent_ = 0;
};

}  // namespace polyhead::checkpoint
