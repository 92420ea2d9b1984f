#include <bit>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "checkpoint/input_file.hpp"
#include "polyhead/checkpoint/checkpoint.hpp"
#include "polyhead/checkpoint/fail.hpp"
#include "polyhead/checkpoint/shape.hpp"
#include "safetensors_header.hpp"

namespace polyhead::checkpoint {
namespace {

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kMaxHeader = 100'000'000;  // the format's own limit

std::uint64_t header_length(const InputFile& file) {
  static_assert(std::endian::native == std::endian::little);
  if (file.size() < kLengthBytes) {
    bad_data(file.path(), fmt::format("has {} bytes: too short for a safetensors file", file.size()));
  }
  std::uint64_t length = 0;
  file.read(0, std::as_writable_bytes(std::span(&length, 1)));
  if (length > kMaxHeader) {
    bad_data(file.path(), fmt::format("says that its header has {} bytes, more than safetensors allows ({})",
                                      length, kMaxHeader));
  }
  if (length > file.size() - kLengthBytes) {
    bad_data(file.path(), fmt::format("says that its header has {} bytes, but the file ends after {}: is it "
                                      "truncated?",
                                      length, file.size() - kLengthBytes));
  }
  return length;
}

std::string read_header(const InputFile& file, std::uint64_t length) {
  std::string text(length, '\0');
  file.read(kLengthBytes, std::as_writable_bytes(std::span(text)));
  return text;
}

/// Checks that every byte after the header belongs to exactly one tensor, as the format requires.
void check_cover(const std::filesystem::path& file, const std::vector<SafetensorsEntry>& entries,
                 std::uint64_t size) {
  std::uint64_t covered = 0;
  for (const SafetensorsEntry& entry : entries) {
    const std::string name = printable(entry.name);
    if (entry.end > size) {
      bad_data(file, fmt::format("tensor '{}' ends at byte {} of the data, but the file has {}: is it "
                                 "truncated?",
                                 name, entry.end, size));
    }
    if (entry.begin < covered) {
      bad_data(file,
               fmt::format("tensor '{}' begins at byte {} of the data and overlaps the tensor before it, "
                           "which ends at {}",
                           name, entry.begin, covered));
    }
    if (entry.begin > covered) {
      bad_data(file, fmt::format("has a hole: bytes {} to {} of the data, before tensor '{}', belong to no "
                                 "tensor",
                                 covered, entry.begin, name));
    }
    covered = entry.end;
  }
  if (covered != size) {
    bad_data(file, fmt::format("has {} bytes of data, but its tensors end at {}", size, covered));
  }
}

}  // namespace

Checkpoint read_safetensors(const std::filesystem::path& path) {
  const InputFile file(path);
  const std::uint64_t length = header_length(file);
  const std::vector<SafetensorsEntry> entries = parse_safetensors_header(path, read_header(file, length));
  const std::uint64_t data = kLengthBytes + length;
  check_cover(path, entries, file.size() - data);
  Checkpoint tensors;
  for (const SafetensorsEntry& entry : entries) {
    CheckpointTensor tensor{entry.name, entry.shape, {}};
    tensor.values.resize(static_cast<std::size_t>(*element_count(entry.shape)));
    convert(entry.type, file.read(data + entry.begin, entry.end - entry.begin), tensor.values);
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

}  // namespace polyhead::checkpoint
