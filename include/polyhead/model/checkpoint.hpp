#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace polyhead::model {

/// One tensor of a weights file, converted to fp32 (from fp16, bf16, fp32, fp64 and integers), contiguous,
/// row-major.
struct CheckpointTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

/// The tensors of a weights file, in the file's order, with wrappers ({"state_dict": ...}, {"model": ...},
/// ...) opened. Prefixes are left as they are: `match_parameters` knows which belong.
using Checkpoint = std::vector<CheckpointTensor>;

/// Reads a weights file; the format is recognised by its content, not by its name. Nothing in the file is
/// ever executed. `key`: the wrapper that is opened where there are several ("state_dict_ema"); empty: the
/// only one. Throws Error: no_input when it cannot be read, bad_data that names the file and says what is
/// wrong with it.
Checkpoint read_checkpoint(const std::filesystem::path& path, const std::string& key = {});

/// https://github.com/huggingface/safetensors#format
Checkpoint read_safetensors(const std::filesystem::path& path);

/// A zip file as `torch.save` writes it (PyTorch 1.6 and later): a `data.pkl` that may build tensors and
/// containers only. https://docs.python.org/3/library/pickletools.html lists the opcodes.
Checkpoint read_pth(const std::filesystem::path& path, const std::string& key = {});

}  // namespace polyhead::model
