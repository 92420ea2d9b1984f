// Weights in the formats without a zip file around them: safetensors, and torch.save before PyTorch 1.6.

#include "check_checkpoint.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  polyhead::fuzz::check_checkpoint(data, size);
  return 0;
}
