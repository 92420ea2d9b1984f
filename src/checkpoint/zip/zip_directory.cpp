#include "zip_directory.hpp"

#include <algorithm>
#include <optional>

#include "polyhead/checkpoint/fail.hpp"

namespace polyhead::checkpoint::zip {
namespace {

// Signatures, fixed sizes and field offsets of the records, from the APPNOTE.
constexpr std::uint32_t kEnd = 0x06054b50;
constexpr std::uint32_t kEnd64 = 0x06064b50;
constexpr std::uint32_t kLocator64 = 0x07064b50;
constexpr std::size_t kEndSize = 22;
constexpr std::size_t kEnd64Size = 56;
constexpr std::size_t kLocator64Size = 20;
constexpr std::size_t kMaxComment = 65535;

/// Position of the last end-of-central-directory record in the file's tail.
std::optional<std::size_t> find_end(Bytes tail) {
  for (std::size_t at = tail.size() < kEndSize ? 0 : tail.size() - kEndSize + 1; at-- > 0;) {
    if (field<std::uint32_t>(tail, at) == kEnd) return at;
  }
  return std::nullopt;
}

Directory read_zip64(const InputFile& file, std::uint64_t at) {
  if (file.size() < kEnd64Size || at > file.size() - kEnd64Size) {
    bad_data(file.path(), "is a damaged zip file: its zip64 record lies outside it");
  }
  const std::vector<std::byte> end = file.read(at, kEnd64Size);
  if (field<std::uint32_t>(end, 0) != kEnd64) {
    bad_data(file.path(), "is a damaged zip file: its zip64 record is not where it should be");
  }
  return {field<std::uint64_t>(end, 48), field<std::uint64_t>(end, 40)};
}

Directory read_end(const InputFile& file) {
  const std::size_t tail_size = std::min<std::uint64_t>(file.size(), kEndSize + kMaxComment + kLocator64Size);
  const std::vector<std::byte> tail = file.read(file.size() - tail_size, tail_size);
  const auto end = find_end(tail);
  if (!end) bad_data(file.path(), "is a zip file without its end: is it truncated?");
  if (*end >= kLocator64Size) {
    const Bytes locator = Bytes(tail).subspan(*end - kLocator64Size, kLocator64Size);
    if (field<std::uint32_t>(locator, 0) == kLocator64)
      return read_zip64(file, field<std::uint64_t>(locator, 8));
  }
  return {field<std::uint32_t>(tail, *end + 16), field<std::uint32_t>(tail, *end + 12)};
}

}  // namespace

Directory find_directory(const InputFile& file) {
  const Directory directory = read_end(file);
  if (directory.size > file.size() || directory.offset > file.size() - directory.size) {
    bad_data(file.path(), "is a damaged zip file: its directory lies outside it (truncated?)");
  }
  return directory;
}

}  // namespace polyhead::checkpoint::zip
