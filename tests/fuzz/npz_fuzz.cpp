// An .npz file when it starts as one, otherwise the bytes of one array.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "memory_file.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/checkpoint/npz.hpp"
#include "zip_records.hpp"

using namespace polyhead;

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most,
                                               unsigned seed) {
  size = LLVMFuzzerMutate(data, size, most);
  if (seed % 8 != 0) fuzz::clear_checksums(data, size);
  return size;
}

static void check(const checkpoint::NumpyArray& array) {
  std::int64_t elements = 1;
  for (const std::int64_t dimension : array.shape) elements *= dimension;
  const std::size_t found = array.is_text() ? array.texts.size() : array.values.size();
  if (found != static_cast<std::size_t>(elements)) std::abort();
}

/// Any bytes give arrays whose values fill their shapes, or an Error(bad_data).
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    if (size > 0 && data[0] == 'P') {
      const fuzz::MemoryFile file(data, size);
      const checkpoint::NpzReader reader(file.path());
      for (const std::string& name : reader.names()) check(reader.read(name));
    } else {
      check(checkpoint::parse_npy(std::as_bytes(std::span(data, size)), "fuzz.npy", ""));
    }
  } catch (const Error& error) {
    if (error.code() != ExitCode::bad_data) std::abort();
  }
  return 0;
}
