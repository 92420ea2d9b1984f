#include "sample_index.hpp"

#include <cstring>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "polyhead/base/error.hpp"
#include "polyhead/base/file_descriptor.hpp"

namespace polyhead::data {
namespace {

using index_format::Header;

/// Takes `count` values from the front of `bytes`; false when there are too few.
template <class T>
bool take(std::span<const std::byte>& bytes, std::uint64_t count, std::span<const T>& values) {
  if (count > bytes.size() / sizeof(T)) return false;
  values = {reinterpret_cast<const T*>(bytes.data()), count};
  bytes = bytes.subspan(count * sizeof(T));
  return true;
}

MemoryMap map(const std::filesystem::path& path) {
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_size == 0) return {};
  const auto size = static_cast<std::size_t>(status.st_size);
  void* memory = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd.get(), 0);
  return memory == MAP_FAILED ? MemoryMap() : MemoryMap({static_cast<std::byte*>(memory), size});
}

}  // namespace

SampleIndex::SampleIndex(MemoryMap map, std::filesystem::path path)
    : map_(std::move(map)), path_(std::move(path)) {}

std::optional<SampleIndex> SampleIndex::open(const std::filesystem::path& path) {
  SampleIndex index(map(path), path);
  if (!index.well_formed()) return std::nullopt;
  return index;
}

/// Checks sizes and bounds of the tables; their contents are checked on use.
bool SampleIndex::well_formed() {
  std::span<const std::byte> rest = map_.bytes();
  if (rest.size() < sizeof(Header)) return false;
  std::memcpy(&header_, rest.data(), sizeof(Header));
  if (header_.magic != index_format::kMagic || header_.version != index_format::kVersion) return false;
  if (header_.bytes != rest.size() || header_.checksum != index_format::checksum_of(header_)) return false;
  rest = rest.subspan(sizeof(Header));
  return take(rest, header_.samples, entries_) && take(rest, header_.files, files_) &&
         take(rest, header_.classes, classes_) && take(rest, rest.size(), texts_) && !texts_.empty() &&
         texts_.back() == '\0' && header_.source < texts_.size() && header_.notes < texts_.size();
}

void SampleIndex::damaged() const {
  throw Error(ExitCode::bad_data,
              fmt::format("{}: this list of samples is damaged; remove the file, it will be made again",
                          path_.native()));
}

/// The NUL at the end of the file ends every text.
std::string_view SampleIndex::text(std::uint64_t position) const {
  if (position >= texts_.size()) damaged();
  return texts_.data() + position;
}

const IndexEntry& SampleIndex::entry(std::int64_t index) const {
  const IndexEntry& entry = entries_[static_cast<std::size_t>(index)];
  if (entry.file >= files_.size() || entry.name >= texts_.size() || entry.label < -1) damaged();
  return entry;
}

SampleIndex::File SampleIndex::file(std::uint64_t index) const {
  const index_format::FileRecord& record = files_[index];
  return {text(record.path), text(record.prefix), {record.size, record.changed}};
}

std::vector<std::string> SampleIndex::class_names() const {
  std::vector<std::string> names;
  names.reserve(classes_.size());
  for (const std::uint64_t name : classes_) names.emplace_back(text(name));
  return names;
}

}  // namespace polyhead::data
