#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <vector>

#include "polyhead/run/inputs.hpp"

namespace polyhead::run {

/// Data that a user has dumped from PyTorch, checked against the job.
struct Reference {
  std::vector<std::int64_t> samples;                  ///< n numbers
  std::map<std::size_t, std::vector<double>> logits;  ///< logits by the head's number: [n, C]
  std::vector<double> fused;                          ///< [n, C], or nothing
  std::vector<float> pixels;                          ///< [n, 3, H, W], or nothing
};

/// Reads a .npz file. It holds `samples`, and an array per head by its name or `logits` of all heads; `fused`
/// and `pixels` are optional. Throws Error: no_input, or bad_data that names the wrong array and what is
/// expected.
Reference read_reference(const std::filesystem::path& path, const Inputs& inputs);

}  // namespace polyhead::run
