#include "sample_index_builder.hpp"

#include <bit>
#include <cstring>
#include <fstream>
#include <system_error>

#include <fmt/format.h>

#include "polyhead/base/error.hpp"
#include "polyhead/base/log.hpp"
#include "polyhead/base/stop.hpp"
#include "polyhead/base/text.hpp"

namespace polyhead::data {
namespace {

using index_format::FileRecord;
using index_format::Header;

template <class T>
std::span<const std::byte> bytes_of(const T& value) {
  return std::as_bytes(std::span(&value, 1));
}

bool unchanged(const SampleIndex& index, const std::string& base) {
  for (std::uint64_t i = 0; i < index.files(); ++i) {
    const auto file = index.file(i);
    if (stamp_of(within(base, file.path)) != file.stamp) return false;
  }
  return true;
}

std::optional<SampleIndex> reusable(const std::filesystem::path& path, const std::string& source,
                                    const std::string& base) {
  try {
    auto index = SampleIndex::open(path);
    if (index && index->source() == source && unchanged(*index, base)) return index;
  } catch (const Error&) {  // damaged: the list is made again
  }
  return std::nullopt;
}

constexpr int kBitsOfAByte = 8;

/// Refuses to replace a file of another program. The list is named after the output, so such a file may have
/// its name ("model.index").
void check_replaceable(const std::filesystem::path& path) {
  std::uint64_t magic = index_format::kMagic;
  std::error_code not_there;
  if (std::filesystem::is_regular_file(path, not_there))
    std::ifstream(path, std::ios::binary).read(reinterpret_cast<char*>(&magic), sizeof(magic));
  if (std::popcount(magic ^ index_format::kMagic) <= kBitsOfAByte) return;  // also a damaged list
  throw Error(ExitCode::cant_create,
              fmt::format("{}: would be the list of samples beside the output, but is a file of another "
                          "program. Choose another output.path, or remove that file if nobody needs it",
                          path.native()));
}

void warn(std::string_view notes) {
  while (!notes.empty()) {
    const std::size_t end = notes.find('\n');
    log::warning(notes.substr(0, end));
    notes.remove_prefix(end == std::string_view::npos ? notes.size() : end + 1);
  }
}

}  // namespace

std::string within(std::string_view base, std::string_view path) {
  if (path.starts_with('/')) return std::string(path);
  if (path.empty()) return std::string(base);
  return fmt::format("{}{}{}", base, base.ends_with('/') ? "" : "/", path);
}

SampleIndexBuilder::SampleIndexBuilder(const std::filesystem::path& path) : file_(path), texts_(path) {
  file_.append(bytes_of(header_));
}

std::uint64_t SampleIndexBuilder::add_text(std::string_view text) {
  const std::uint64_t position = texts_.size();
  texts_.append(std::as_bytes(std::span(text)));
  texts_.append(bytes_of('\0'));
  return position;
}

const char* SampleIndexBuilder::text(std::uint64_t position) const {
  return reinterpret_cast<const char*>(texts_.bytes().data()) + position;
}

std::uint32_t SampleIndexBuilder::add_file(std::string_view path, std::string_view prefix, Stamp stamp) {
  stamp = settled(stamp);
  files_.push_back({add_text(path), add_text(prefix), stamp.size, stamp.changed});
  look_up();
  return static_cast<std::uint32_t>(files_.size() - 1);
}

void SampleIndexBuilder::add_class(std::string_view name) {
  classes_.push_back(add_text(name));
}

void SampleIndexBuilder::add(std::string_view name, IndexEntry entry) {
  entry.name = add_text(name);
  file_.append(bytes_of(entry));
  ++header_.samples;
  if (entry.label >= 0) ++header_.labelled;
  look_up();
}

void SampleIndexBuilder::look_up() {
  throw_if_stop_asked();
  progress_.samples(size());
}

void SampleIndexBuilder::note(std::string_view text) {
  if (!notes_.empty()) notes_ += '\n';
  notes_ += text;
}

std::span<IndexEntry> SampleIndexBuilder::entries(std::int64_t first) {
  auto* entries = reinterpret_cast<IndexEntry*>(file_.bytes().data() + sizeof(Header));
  return std::span(entries, header_.samples).subspan(static_cast<std::size_t>(first));
}

/// Identifies files by their prefix only, and only those that hold samples. An empty folder, or another place
/// of the data set, does not change the digest.
Digest SampleIndexBuilder::digest() {
  Hasher hasher;
  std::uint32_t file = ~std::uint32_t{0};
  for (const IndexEntry& entry : entries(0)) {
    if (entry.file != file) hasher.update(std::string_view(text(files_[entry.file].prefix)));
    file = entry.file;
    hasher.update(std::string_view(name(entry)));
    hasher.update(std::int64_t{entry.label});
  }
  for (const std::uint64_t name : classes_) hasher.update(std::string_view(text(name)));
  return hasher.digest();
}

Digest SampleIndexBuilder::places() {
  Hasher hasher;
  for (const IndexEntry& entry : entries(0)) {
    const std::uint64_t place[] = {entry.offset, entry.size};
    hasher.update(std::as_bytes(std::span(place)));
  }
  return hasher.digest();
}

void SampleIndexBuilder::finish(std::string_view source) {
  header_.magic = index_format::kMagic;
  header_.version = index_format::kVersion;
  header_.files = files_.size();
  header_.classes = classes_.size();
  header_.digest = digest();
  header_.places = places();
  header_.source = add_text(source);
  header_.notes = add_text(notes_);
  file_.append(std::as_bytes(std::span(files_)));
  file_.append(std::as_bytes(std::span(classes_)));
  file_.append(texts_.bytes());
  header_.bytes = file_.size();
  header_.checksum = index_format::checksum_of(header_);
  std::memcpy(file_.bytes().data(), &header_, sizeof(header_));
  file_.publish();
  log::info(fmt::format("data: indexed {} samples in {}", size(), human_seconds(progress_.seconds())));
}

SampleIndex list_samples(const std::filesystem::path& path, const std::string& source,
                         const std::string& base, const std::function<void(SampleIndexBuilder&)>& scan) {
  auto index = reusable(path, source, base);
  if (index) {
    log::info(fmt::format("data: list of samples read from {}", path.native()));
  } else {
    check_replaceable(path);
    SampleIndexBuilder builder(path);
    scan(builder);
    builder.finish(source);
    index = SampleIndex::open(path);
  }
  if (!index) throw Error(ExitCode::io_error, fmt::format("{}: changed while it was opened", path.native()));
  warn(index->notes());
  return std::move(*index);
}

}  // namespace polyhead::data
