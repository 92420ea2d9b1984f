#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "polyhead/base/error.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/model/checkpoint.hpp"

namespace polyhead::testing {

/// A fresh folder, removed with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "polyhead-test-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  /// Writes a file and returns its path.
  [[nodiscard]] std::filesystem::path write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path_ / name, std::ios::binary) << bytes;
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

/// Code and message of the Error that `call` throws.
template <class Call>
std::pair<ExitCode, std::string> error_of(Call call) {
  try {
    static_cast<void>(call());
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
  ADD_FAILURE() << "no error";
  return {};
}

inline std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A file of raw fp32 values.
inline std::vector<float> read_floats(const std::filesystem::path& path) {
  const std::string bytes = read_bytes(path);
  std::vector<float> values(bytes.size() / sizeof(float));
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(values.data()));
  return values;
}

/// The exit status of tests/model/make_reference.py, run by the interpreter that has PyTorch.
inline int make_reference(const std::string& arguments) {
  const int status = std::system(
      fmt::format("'{}' '{}/model/make_reference.py' {}", POLYHEAD_PYTHON, POLYHEAD_TEST_DIR, arguments)
          .c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// A number's little-endian bytes.
template <class T>
std::string le(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

/// A safetensors file of a header and its data.
inline std::string safetensors(const std::string& header, const std::string& data = "") {
  return le(std::uint64_t{header.size()}) + header + data;
}

/// The tensors as an fp32 safetensors file.
inline std::string safetensors(const model::Checkpoint& tensors) {
  std::string header;
  std::string data;
  for (const model::CheckpointTensor& tensor : tensors) {
    const auto bytes = std::as_bytes(std::span(tensor.values));
    std::string shape;
    for (const std::int64_t dimension : tensor.shape)
      shape += fmt::format("{}{}", shape.empty() ? "" : ",", dimension);
    header +=
        fmt::format(R"({}"{}":{{"dtype":"F32","shape":[{}],"data_offsets":[{},{}]}})",
                    header.empty() ? "" : ",", tensor.name, shape, data.size(), data.size() + bytes.size());
    data.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  return safetensors("{" + header + "}", data);
}

inline config::Layer linear(std::int64_t width) {
  return {config::LayerKind::linear, width, 0};
}
inline config::Layer layer(config::LayerKind kind) {
  return {kind, 0, 0};
}

}  // namespace polyhead::testing
