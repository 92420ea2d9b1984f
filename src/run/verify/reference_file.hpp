#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <vector>

#include "polyhead/run/inputs.hpp"

namespace polyhead::run {

/// What a user has dumped from PyTorch, checked against the job.
struct Reference {
  std::vector<std::int64_t> samples;                  ///< n numbers
  std::map<std::size_t, std::vector<double>> logits;  ///< by the head's number: [n, C]
  std::vector<double> fused;                          ///< [n, C], or nothing
  std::vector<float> pixels;                          ///< [n, 3, H, W], or nothing
};

/// Reads a .npz file: `samples`, and an array for each head by its name or `logits` of all heads; `fused` and
/// `pixels` may be there. Throws Error: no_input, or bad_data that says which array is wrong and what is
/// expected.
Reference read_reference(const std::filesystem::path& path, const Inputs& inputs);

}  // namespace polyhead::run
