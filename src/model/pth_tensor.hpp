#pragma once

#include <string>
#include <unordered_map>

#include "polyhead/model/checkpoint.hpp"
#include "polyhead/model/pickle.hpp"
#include "polyhead/model/zip.hpp"

namespace polyhead::model {

/// Reads tensors out of the storages of a `torch.save` file.
class TensorReader {
 public:
  /// `folder`: the archive's name, which every record's name starts with. All three outlive the reader.
  TensorReader(const ZipReader& zip, const std::filesystem::path& file, const std::string& folder,
               const pickle::Document& document)
      : zip_(zip), file_(file), folder_(folder), document_(document) {}

  /// Throws Error(bad_data) when the tensor reaches outside its storage, repeats elements, or when all of
  /// them together take much more than the file holds (so that a small file cannot fill the memory).
  CheckpointTensor read(const std::string& name, const pickle::Tensor& tensor);

 private:
  struct Span {
    std::int64_t elements = 0;  ///< of the tensor
    std::int64_t length = 0;    ///< from its first element to its last, in the storage
  };
  [[noreturn]] void fail(const std::string& name, std::string_view text) const;
  [[nodiscard]] Span check(const std::string& name, const pickle::Tensor& tensor) const;
  /// Byte of the file at which the storage starts.
  std::uint64_t locate(const std::string& name, const pickle::Storage& storage);
  void spend(const std::string& name, std::uint64_t bytes);

  const ZipReader& zip_;
  const std::filesystem::path& file_;
  const std::string& folder_;
  const pickle::Document& document_;
  std::unordered_map<std::string, std::uint64_t> located_;
  std::uint64_t spent_ = 0;
};

}  // namespace polyhead::model
