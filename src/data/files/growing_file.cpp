#include "growing_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <random>
#include <string>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "polyhead/base/error.hpp"

namespace polyhead::data {
namespace {

constexpr std::uint64_t kSmallestStep = std::uint64_t{1} << 18U;
constexpr std::uint64_t kMaxStep = std::uint64_t{256} << 20U;

/// Syncs the folder so that the new name survives a power cut. Not every file system can; the file itself is
/// safe then, too.
void sync_folder(const std::filesystem::path& file) {
  const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  const FileDescriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd) ::fsync(fd.get());
}

}  // namespace

GrowingFile::GrowingFile(std::filesystem::path target) : target_(std::move(target)) {
  // Not mkostemp: only the owner could read what it makes, whatever the umask says.
  std::random_device dice;
  std::string name = fmt::format("{}.{:08x}{:08x}", target_.native(), dice(), dice());
  fd_.reset(::open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
  if (!fd_) fail("created", errno);
  temporary_ = std::move(name);
}

GrowingFile::~GrowingFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void GrowingFile::fail(const char* doing, int error) const {
  throw Error(ExitCode::cant_create,
              fmt::format("{}: the list of samples cannot be {} there: {}; choose a folder that can be "
                          "written and has room",
                          target_.native(), doing, std::strerror(error)));
}

void GrowingFile::reserve(std::uint64_t size) {
  const std::uint64_t now = map_.bytes().size();
  if (size <= now) return;
  const std::uint64_t step = std::clamp(now, kSmallestStep, kMaxStep);
  const std::uint64_t wanted =
      (std::max(size, now + step) + kSmallestStep - 1) / kSmallestStep * kSmallestStep;
  const int error = ::posix_fallocate(fd_.get(), 0, static_cast<off_t>(wanted));
  if (error != 0) fail("written", error);
  map_.reset();
  void* memory = ::mmap(nullptr, wanted, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
  if (memory == MAP_FAILED) fail("mapped", errno);
  map_ = MemoryMap({static_cast<std::byte*>(memory), wanted});
}

void GrowingFile::append(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  reserve(size_ + bytes.size());
  std::memcpy(map_.bytes().data() + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
}

void GrowingFile::publish() {
  map_.reset();
  if (::ftruncate(fd_.get(), static_cast<off_t>(size_)) != 0) fail("written", errno);
  if (::fsync(fd_.get()) != 0) fail("written", errno);
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail("created", errno);
  temporary_.clear();
  sync_folder(target_);
}

}  // namespace polyhead::data
