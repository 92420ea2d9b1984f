#include "polyhead/store/feature_cache.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk_space.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/file_descriptor.hpp"
#include "polyhead/base/log.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/store/writer.hpp"
#include "posix_file.hpp"
#include "read_file.hpp"

namespace polyhead::store {
namespace {

constexpr std::uint64_t kBlock = 4096;
constexpr std::size_t kHead = 2 * sizeof(Digest);  // bytes of a place's head: its digest and the files' stamp

std::size_t index(std::int64_t value) {
  return static_cast<std::size_t>(value);
}

/// Bytes that a file will still take on its disk if written to the length `size`.
std::uint64_t not_yet_taken(const std::filesystem::path& path, std::optional<std::uint64_t> size = {}) {
  struct stat status {};
  const bool there = ::stat(path.c_str(), &status) == 0;
  const std::uint64_t all = size.value_or(there ? static_cast<std::uint64_t>(status.st_size) : 0);
  const std::uint64_t taken = there ? static_cast<std::uint64_t>(status.st_blocks) * 512 : 0;
  return all > taken ? all - taken : 0;
}

}  // namespace

void Features::put(WireWriter& writer) const {
  writer.put(batch).put_array(std::span(reasons)).put_array(std::span(values));
}

Features Features::get(WireReader& reader) {
  Features features;
  features.batch = reader.get<std::int64_t>();
  features.reasons = reader.get_array<Reason>();
  features.values = reader.get_array<float>();
  return features;
}

FeatureCache::FeatureCache(const std::filesystem::path& output, const std::string& key,
                           const FeatureShape& shape, StampOf stamp)
    : shape_(shape),
      stamp_(std::move(stamp)),
      key_(Hasher().update(std::string_view(key)).digest()),
      path_(output.parent_path() / fmt::format("polyhead-features-{:016x}.cache", key_.high)),
      begin_((key.size() + kBlock) / kBlock * kBlock),
      stride_(kHead + index(shape.batch) * (sizeof(Reason) + index(shape.width) * sizeof(float))),
      lock_(std::make_unique<OutputLock>(path_)) {
  check_room(output);
  make();
  writing_ = std::make_unique<PosixFile>(path_);
  writing_->reserve();
  writing_->write(0, std::as_bytes(std::span(key)));
  reading_ = std::make_unique<ReadFile>(path_);
  for (std::int64_t batch = 0; batch < batches(); ++batch) {
    Digest digest;
    reading_->read(offset_of(batch), std::as_writable_bytes(std::span(&digest, 1)));
    held_ += digest != Digest{} ? 1 : 0;
  }
}

FeatureCache::~FeatureCache() = default;

/// Extends the file to its final length, with zeros.
void FeatureCache::make() {
  const FileDescriptor file(
      ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666));
  if (file && ::ftruncate(file.get(), static_cast<off_t>(offset_of(batches()))) == 0) return;
  throw Error(ExitCode::cant_create, fmt::format("{}: cannot be created: {}", path_.string(),
                                                 std::generic_category().message(errno)));
}

void FeatureCache::check_room(const std::filesystem::path& output) const {
  const std::optional<std::uint64_t> free = free_bytes(output);
  const std::uint64_t wanted = not_yet_taken(path_, offset_of(batches()));
  if (!free || wanted + not_yet_taken(output) <= *free) return;
  throw Error(ExitCode::cant_create, fmt::format("{}: it needs {}, and {} are free on this disk",
                                                 path_.string(), human_bytes(wanted), human_bytes(*free)));
}

std::size_t FeatureCache::samples_of(std::int64_t batch) const {
  return index(std::min(shape_.batch, shape_.samples - batch * shape_.batch));
}

std::uint64_t FeatureCache::offset_of(std::int64_t batch) const {
  return begin_ + static_cast<std::uint64_t>(batch) * stride_;
}

Digest FeatureCache::digest_of(std::int64_t batch, std::span<const std::byte> content) const {
  return Hasher().update(std::as_bytes(std::span(&key_, 1))).update(batch).update(content).digest();
}

std::optional<Features> FeatureCache::read(std::int64_t batch) {
  const std::optional<Digest> stamp = stamp_(batch);
  auto features = look_up(batch, stamp);
  if (features) {
    ++served_;
  } else {
    read_now_[batch] = stamp;
  }
  return features;
}

std::optional<Features> FeatureCache::look_up(std::int64_t batch, const std::optional<Digest>& stamp) {
  if (!reading_) return std::nullopt;
  std::vector<std::byte> bytes(stride_);
  try {
    reading_->read(offset_of(batch), bytes);
  } catch (const Error& error) {
    warn_once(error.what());
    return std::nullopt;
  }
  Digest digest;
  std::memcpy(&digest, bytes.data(), sizeof(digest));
  if (digest == Digest{}) return std::nullopt;
  const std::span<const std::byte> content = std::span(bytes).subspan(sizeof(digest));
  if (digest != digest_of(batch, content)) {
    warn_once(fmt::format("{}: micro-batch {} is damaged, or was under way when a run ended", path_.string(),
                          batch));
    return std::nullopt;
  }
  Digest then;
  std::memcpy(&then, content.data(), sizeof(then));
  if (then != stamp) {
    ++outdated_;
    return std::nullopt;
  }
  const std::span<const std::byte> data = content.subspan(sizeof(then));
  Features features{batch, std::vector<Reason>(samples_of(batch)),
                    std::vector<float>(index(shape_.batch * shape_.width))};
  std::memcpy(features.reasons.data(), data.data(), features.reasons.size() * sizeof(Reason));
  std::memcpy(features.values.data(), data.data() + index(shape_.batch) * sizeof(Reason),
              features.values.size() * sizeof(float));
  return features;
}

void FeatureCache::write(const Features& features) {
  const std::int64_t batch = features.batch;
  if (batch < 0 || batch >= batches() || features.reasons.size() != samples_of(batch) ||
      features.values.size() != index(shape_.batch * shape_.width)) {
    throw Error(ExitCode::internal, fmt::format("features of micro-batch {} have a wrong shape", batch));
  }
  const auto before = read_now_.extract(batch);
  const std::optional<Digest> stamp = before ? before.mapped() : stamp_(batch);
  if (!stamp) return;
  std::vector<std::byte> bytes(stride_);
  const std::span<std::byte> content = std::span(bytes).subspan(sizeof(Digest));
  std::memcpy(content.data(), &*stamp, sizeof(*stamp));
  const std::span<std::byte> data = content.subspan(sizeof(*stamp));
  std::memcpy(data.data(), features.reasons.data(), features.reasons.size() * sizeof(Reason));
  std::memcpy(data.data() + index(shape_.batch) * sizeof(Reason), features.values.data(),
              features.values.size() * sizeof(float));
  const Digest digest = digest_of(batch, content);
  std::memcpy(bytes.data(), &digest, sizeof(digest));
  put(batch, bytes);
}

void FeatureCache::forget(std::int64_t batch) {
  put(batch, std::vector<std::byte>(sizeof(Digest)));
  if (!writing_) reading_.reset();  // the micro-batch could not be forgotten on the disk
}

void FeatureCache::put(std::int64_t batch, std::span<const std::byte> bytes) {
  if (!writing_) return;
  try {
    writing_->write(offset_of(batch), bytes);
  } catch (const Error& error) {
    log::warning(fmt::format("{}. No more features are cached; the run goes on", error.what()));
    writing_.reset();
  }
}

void FeatureCache::warn_once(const std::string& what) {
  if (warned_) return;
  warned_ = true;
  log::warning(fmt::format("{}. Its features are computed anew, as are those of any other like it", what));
}

}  // namespace polyhead::store
