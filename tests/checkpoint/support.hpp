#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "../support.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/checkpoint/checkpoint.hpp"
#include "polyhead/config/config.hpp"

namespace polyhead::testing {

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
  return run_python("model/make_reference.py", arguments);
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
inline std::string safetensors(const checkpoint::Checkpoint& tensors) {
  std::string header;
  std::string data;
  for (const checkpoint::CheckpointTensor& tensor : tensors) {
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

inline config::Head head_of(const std::string& name, std::vector<config::Layer> layers,
                            std::filesystem::path weights = {}) {
  config::Head head;
  head.name = name;
  head.layers = std::move(layers);
  head.weights = std::move(weights);
  return head;
}

inline config::Backbone backbone_of(config::Arch arch, std::filesystem::path weights, config::Engine engine) {
  config::Backbone backbone;
  backbone.arch = arch;
  backbone.weights = std::move(weights);
  backbone.engine = engine;
  return backbone;
}

inline config::Layer linear(std::int64_t width) {
  return {config::LayerKind::linear, width, 0};
}
inline config::Layer layer(config::LayerKind kind) {
  return {kind, 0, 0};
}

}  // namespace polyhead::testing
