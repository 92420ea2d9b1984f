#include "tar.hpp"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "data/files/sanitized.hpp"
#include "polyhead/base/error.hpp"

namespace polyhead::data {
namespace {

constexpr std::uint64_t kMaxExtension = std::uint64_t{1} << 20U;  // most bytes of a long name or pax header

constexpr std::uint64_t kPiece = std::uint64_t{1} << 16U;  // multiple of kTarBlock

std::uint64_t padded(std::uint64_t size) {
  return (size + kTarBlock - 1) / kTarBlock * kTarBlock;
}

bool is_regular(char type) {
  return type == '0' || type == '\0' || type == '7';
}

/// Whether the type has no data, whatever its size field says: links, devices, folders and pipes.
bool is_bare(char type) {
  return type >= '1' && type <= '6';
}

std::optional<std::uint64_t> decimal(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view compression(std::string_view start) {
  using namespace std::string_view_literals;
  if (start.starts_with("\x1F\x8B"sv)) return "gzip";
  if (start.starts_with("\x28\xB5\x2F\xFD"sv)) return "zstd";
  if (start.starts_with("\xFD"
                        "7zXZ\0"sv))
    return "xz";
  if (start.starts_with("BZh"sv)) return "bzip2";
  if (start.starts_with("\x04\x22\x4D\x18"sv)) return "lz4";
  return "";
}

}  // namespace

TarReader::TarReader(const ByteSource& source, std::string where)
    : source_(source), where_(std::move(where)) {
  if (source_.size() == 0) fail("the file is empty; expected a tar");
  std::array<char, 6> start{};
  const std::size_t size = std::min<std::uint64_t>(start.size(), source_.size());
  source_.read(0, std::as_writable_bytes(std::span(start)).first(size));
  const std::string_view packed = compression({start.data(), size});
  if (packed.empty()) return;
  throw Error(ExitCode::bad_data,
              fmt::format("{}: compressed with {}; samples are read from any place in a tar, so it must be "
                          "unpacked to a plain .tar first",
                          where_, packed));
}

void TarReader::fail(std::string_view problem) const {
  throw Error(ExitCode::bad_data, fmt::format("{}: byte {}: {}", where_, header_, problem));
}

/// Reads the next header; false at the end of the archive.
bool TarReader::read_header() {
  header_ = at_;
  const std::uint64_t left = source_.size() - std::min(source_.size(), header_);
  if (left == 0) return false;
  block_.fill(std::byte{0});
  source_.read(header_, std::span(block_).first(std::min<std::uint64_t>(left, kTarBlock)));
  const TarHeader header(block_);
  ended_ = header.is_end();
  if (ended_) look_behind_end();
  if (ended_) return false;
  if (left < kTarBlock) fail("the archive is cut off in the middle of a header");
  if (!header.checksum_fits()) fail("the header is damaged: its checksum does not fit");
  at_ = header_ + kTarBlock;
  return true;
}

bool TarReader::is_header_at(std::uint64_t offset) const {
  if (source_.size() - offset < kTarBlock) return false;
  std::array<std::byte, kTarBlock> block{};
  source_.read(offset, block);
  return TarHeader(block).checksum_fits();
}

/// Reads behind the end mark. Python's tarfile, and so webdataset, stops there; `tar --ignore-zeros` reads
/// on. Archives are padded with zeros, to 10 KiB or so.
void TarReader::look_behind_end() {
  std::vector<std::byte> piece(kPiece);
  for (std::uint64_t at = header_ + kTarBlock; at < source_.size(); at += kPiece) {
    const auto bytes = std::span(piece).first(std::min<std::uint64_t>(kPiece, source_.size() - at));
    source_.read(at, bytes);
    const auto found = std::ranges::find_if(bytes, [](std::byte byte) { return byte != std::byte{0}; });
    if (found == bytes.end()) continue;
    const std::uint64_t block =
        at + static_cast<std::uint64_t>(found - bytes.begin()) / kTarBlock * kTarBlock;
    more_after_end_ = true;
    if (!is_header_at(block)) return;
    fail(
        fmt::format("the archive ends here, and another one follows at byte {}, as after `cat`. Programs "
                    "differ in whether they read it: to keep all, unpack with `tar --ignore-zeros -xf` and "
                    "make one archive; else cut the file off before that byte",
                    block));
  }
}

void TarReader::check_whole(std::uint64_t size, const std::string& name) const {
  if (size <= source_.size() - at_) return;
  fail(fmt::format("the archive is cut off: '{}' has {} bytes, {} of them are there", sanitized(name), size,
                   source_.size() - at_));
}

/// Content of an extension header.
std::string TarReader::content(std::uint64_t size) const {
  check_whole(size, "an extended header");
  if (size > kMaxExtension) fail(fmt::format("an extended header of {} bytes; expected at most 1 MiB", size));
  std::string text(size, '\0');
  source_.read(at_, std::as_writable_bytes(std::span(text)));
  return text;
}

/// Parses repeated "LENGTH KEY=VALUE\n"; the length counts all of that.
void TarReader::parse_pax(std::string_view text, Records& records) const {
  while (!text.empty() && text[0] != '\0') {
    const std::size_t space = text.find(' ');
    const auto length = decimal(text.substr(0, std::min(space, text.size())));
    if (!length || *length > text.size() || *length < space + 3 || text[*length - 1] != '\n') {
      fail("the pax header is damaged");
    }
    const std::string_view pair = text.substr(space + 1, *length - space - 2);
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) fail("the pax header is damaged");
    records.insert_or_assign(std::string(pair.substr(0, equals)), std::string(pair.substr(equals + 1)));
    text.remove_prefix(*length);
  }
}

const std::string* TarReader::record(std::string_view key) const {
  if (const auto found = local_.find(key); found != local_.end()) return &found->second;
  const auto found = global_.find(key);
  return found == global_.end() ? nullptr : &found->second;
}

std::uint64_t TarReader::entry_size(const TarHeader& header) const {
  const std::string* text = record("size");
  const auto size = text != nullptr ? decimal(*text) : header.size();
  if (!size) fail("the header is damaged: the size is not a number");
  return *size;
}

std::string TarReader::entry_name(const TarHeader& header) const {
  if (const std::string* path = record("path")) return *path;
  return long_name_ ? *long_name_ : header.name();
}

/// Takes the header if it only describes the next one; returns whether it does.
bool TarReader::take_extension(const TarHeader& header) {
  const char type = header.type();
  if (type != 'x' && type != 'X' && type != 'g' && type != 'L' && type != 'K') return false;
  const auto size = header.size();
  if (!size) fail("the header is damaged: the size is not a number");
  const std::string text = content(*size);
  if (type == 'L') long_name_ = text.substr(0, text.find('\0'));
  if (type == 'g') parse_pax(text, global_);
  if (type == 'x' || type == 'X') parse_pax(text, local_);
  at_ += padded(*size);
  return true;
}

std::optional<TarEntry> TarReader::next() {
  while (read_header()) {
    const TarHeader header(block_);
    if (take_extension(header)) continue;
    TarEntry entry{entry_name(header), at_, is_bare(header.type()) ? 0 : entry_size(header)};
    check_whole(entry.size, entry.name);
    if (header.type() == 'S' || record("GNU.sparse.major") != nullptr ||
        record("GNU.sparse.map") != nullptr) {
      fail(fmt::format("'{}' is stored as a sparse file; make the archive without --sparse",
                       sanitized(entry.name)));
    }
    if (entry.name.find('\0') != std::string::npos)
      fail("the pax header is damaged: a name holds a NUL byte");
    at_ += padded(entry.size);
    if (header.type() == '1' || header.type() == '2') ++links_;
    local_.clear();
    long_name_.reset();
    if (is_regular(header.type()) && !entry.name.ends_with('/')) return entry;
  }
  return std::nullopt;
}

}  // namespace polyhead::data
