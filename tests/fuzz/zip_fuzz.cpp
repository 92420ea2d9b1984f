// Weights of torch.save as they lie in a zip file; the records of any zip file.

#include "check_checkpoint.hpp"
#include "polyhead/checkpoint/zip.hpp"
#include "zip_records.hpp"

using namespace polyhead;

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most,
                                               unsigned seed) {
  size = LLVMFuzzerMutate(data, size, most);
  if (seed % 8 != 0) fuzz::clear_checksums(data, size);
  return size;
}

/// Any record has as many bytes as the directory says, or there is an Error(bad_data).
static void read_records(const std::filesystem::path& path) {
  try {
    const checkpoint::ZipReader zip(path);
    for (const auto& [name, record] : zip.records()) {
      if (zip.contents(name, record).size() != record.size) std::abort();
    }
  } catch (const Error& error) {
    if (error.code() != ExitCode::bad_data) std::abort();
  }
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  read_records(fuzz::MemoryFile(data, size).path());
  fuzz::check_checkpoint(data, size);
  return 0;
}
