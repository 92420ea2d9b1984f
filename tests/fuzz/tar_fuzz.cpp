#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <set>
#include <string>

#include "data/webdataset/shard.hpp"
#include "data/webdataset/shard_entry.hpp"
#include "polyhead/base/error.hpp"

using namespace polyhead;
using data::kTarBlock;

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

/// Puts the right checksum into a header.
static void mend(std::uint8_t* header) {
  std::fill(header + 148, header + 156, std::uint8_t{' '});
  const unsigned sum = std::accumulate(header, header + kTarBlock, 0U);
  for (unsigned digit = 0; digit < 6; ++digit) {
    header[148 + digit] = static_cast<std::uint8_t>('0' + (sum >> (3 * (5 - digit)) & 7U));
  }
}

/// Without the right checksums, changes would hardly ever get past them.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most,
                                               unsigned seed) {
  size = LLVMFuzzerMutate(data, size, most);
  if (seed % 8 == 0) return size;
  for (std::size_t at = 0; at + kTarBlock <= size; at += kTarBlock) {
    if (std::memcmp(data + at + 257, "ustar", 5) == 0) mend(data + at);
  }
  return size;
}

/// Any bytes give samples that lie within them, each of its own key, or an Error(bad_data).
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  data::Oddities oddities;
  std::set<std::string> keys;
  try {
    data::scan_shard(data::MemorySource(std::as_bytes(std::span(data, size))), "fuzz.tar", oddities,
                     [&](const data::ShardSample& sample) {
                       const auto& image = sample.image;
                       if (image.offset > size || image.size > size - image.offset) std::abort();
                       if (image.name.empty() || image.name.find('\0') != std::string::npos) std::abort();
                       if (sample.label < -1) std::abort();
                       const auto name = data::split_entry_name(image.name);
                       if (!name || name->part != data::ShardPart::image) std::abort();
                       if (!keys.insert(name->key).second) std::abort();
                     });
  } catch (const Error& error) {
    if (error.code() != ExitCode::bad_data) std::abort();
  }
  return 0;
}
