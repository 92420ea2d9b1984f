#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace polyhead::checkpoint {

/// One tensor of a weights file, converted to fp32 (from fp8, fp16, bf16, fp32, fp64 and integers),
/// contiguous, row-major. Where the file has another object under a name, shape and values are those of an
/// empty tensor. `problem` then says what it is and what to do: "is a numpy.ndarray, ...". That is an error
/// only if the tensor is needed.
struct CheckpointTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<float> values;
  std::string problem = {};
};

/// Tensors of a weights file, in the file's order, with wrappers ({"state_dict": ...}, {"model": ...}, ...)
/// opened. Prefixes stay as they are: `match_parameters` knows which belong.
using Checkpoint = std::vector<CheckpointTensor>;

/// Reads a weights file. The format is recognised by its content, not by its name. Nothing in the file is
/// ever executed. `key`: the wrapper to open where there are several ("state_dict_ema"); empty: the only one.
/// Throws Error: no_input when the file cannot be read, bad_data that names the file and says what is wrong
/// with it.
Checkpoint read_checkpoint(const std::filesystem::path& path, const std::string& key = {});

/// https://github.com/huggingface/safetensors#format
Checkpoint read_safetensors(const std::filesystem::path& path);

/// Reads a file of `torch.save`: a zip file since PyTorch 1.6, a sequence of pickles before. Objects other
/// than containers, numbers, texts and tensors are skipped.
/// https://docs.python.org/3/library/pickletools.html lists the opcodes.
Checkpoint read_pth(const std::filesystem::path& path, const std::string& key = {});

}  // namespace polyhead::checkpoint
