#include "seal.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "polyhead/base/digest.hpp"
#include "polyhead/base/error.hpp"
#include "posix_file.hpp"
#include "read_file.hpp"

namespace polyhead::store {
namespace {

constexpr std::string_view kMagic = "PHseal01";
constexpr std::size_t kMaxExtents = 1024;
constexpr std::size_t kPiece = std::size_t{1} << 20U;

/// End of a sealed file; the sealed extents stand before it.
struct Tail {
  Digest digest;  ///< digest of the extents, then of their bytes
  std::uint64_t extents = 0;
  std::array<char, kMagic.size()> magic{};
};
static_assert(sizeof(Tail) == 32 && sizeof(Extent) == 16, "both are written as they are");

Digest digest_of(const ReadFile& source, const std::vector<Extent>& extents) {
  Hasher hasher;
  hasher.update(std::as_bytes(std::span(extents)));
  std::vector<std::byte> piece;
  for (const Extent& extent : extents) {
    for (std::uint64_t done = 0; done < extent.count; done += piece.size()) {
      piece.resize(std::min<std::uint64_t>(kPiece, extent.count - done));
      source.read(extent.first + done, piece);
      hasher.update(std::span<const std::byte>(piece));
    }
  }
  return hasher.digest();
}

std::vector<Extent> between(const std::vector<Extent>& open, std::uint64_t end) {
  std::vector<Extent> rest;
  std::uint64_t at = 0;
  for (const Extent& extent : open) {
    if (extent.first > at) rest.push_back({at, extent.first - at});
    at = std::max(at, extent.end());
  }
  if (end > at) rest.push_back({at, end - at});
  return rest;
}

bool lies_within(const Extent& extent, std::uint64_t size) {
  return extent.first <= size && extent.count <= size - extent.first;
}

/// Tail of a sealed file; nothing where the file ends otherwise.
std::optional<Tail> tail_of(const ReadFile& source) {
  if (source.size() < sizeof(Tail)) return std::nullopt;
  Tail tail;
  source.read(source.size() - sizeof(Tail), std::as_writable_bytes(std::span(&tail, 1)));
  if (std::string_view(tail.magic.data(), tail.magic.size()) != kMagic) return std::nullopt;
  return tail;
}

/// Digest by the seal's own extents; nothing where these are invalid.
std::optional<Digest> digest_by(const ReadFile& source, const Tail& tail) {
  const std::uint64_t room = source.size() - sizeof(Tail);
  if (tail.extents > kMaxExtents || tail.extents * sizeof(Extent) > room) return std::nullopt;
  std::vector<Extent> extents(tail.extents);
  const std::uint64_t begin = room - tail.extents * sizeof(Extent);
  source.read(begin, std::as_writable_bytes(std::span(extents)));
  if (!std::ranges::all_of(extents, [&](const Extent& extent) { return lies_within(extent, begin); }))
    return std::nullopt;
  return digest_of(source, extents);
}

}  // namespace

void seal(const std::filesystem::path& path, const std::vector<Extent>& open) {
  const ReadFile source(path);
  const std::vector<Extent> sealed = between(open, source.size());
  Tail tail{digest_of(source, sealed), sealed.size(), {}};
  std::ranges::copy(kMagic, tail.magic.begin());
  PosixFile file(path);
  file.write(source.size(), std::as_bytes(std::span(sealed)));
  file.write(source.size() + sealed.size() * sizeof(Extent), std::as_bytes(std::span(&tail, 1)));
}

bool has_seal(const ReadFile& file) {
  return tail_of(file).has_value();
}

void check_seal(const std::filesystem::path& path) {
  const ReadFile source(path);
  const std::optional<Tail> tail = tail_of(source);
  if (!tail || digest_by(source, *tail) == tail->digest) return;
  throw Error(
      ExitCode::bad_data,
      fmt::format("{}: is damaged: bytes have changed that stay as they are once the file is made "
                  "(HDF5's structures, names, the job's description). Take it from a copy, or compute "
                  "it anew with --overwrite",
                  path.string()));
}

}  // namespace polyhead::store
