#include "polyhead/checkpoint/zip.hpp"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "checkpoint/input_file.hpp"
#include "crc32.hpp"
#include "inflate.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/checkpoint/fail.hpp"
#include "zip_directory.hpp"

namespace polyhead::checkpoint {
namespace {

using zip::Bytes;
using zip::field;

// Signatures and fixed sizes of the records, from the APPNOTE.
constexpr std::uint32_t kCentral = 0x02014b50;
constexpr std::uint32_t kLocal = 0x04034b50;
constexpr std::size_t kCentralSize = 46;
constexpr std::size_t kLocalSize = 30;
constexpr std::uint16_t kExtra64 = 1;
constexpr std::uint16_t kMethodStored = 0;
constexpr std::uint16_t kMethodDeflate = 8;
constexpr std::uint32_t kIn64 = 0xFFFFFFFF;  // mark in a 32-bit field whose value is in the zip64 record

/// Zip64 values among an entry's extra fields.
Bytes zip64_extra(Bytes extra) {
  while (extra.size() >= 4) {
    const auto id = field<std::uint16_t>(extra, 0);
    const std::size_t size = std::min<std::size_t>(field<std::uint16_t>(extra, 2), extra.size() - 4);
    if (id == kExtra64) return extra.subspan(4, size);
    extra = extra.subspan(4 + size);
  }
  return {};
}

/// Packing by an entry's flags and method.
ZipReader::Packing packing_of(std::uint16_t flags, std::uint16_t method) {
  if ((flags & 1U) != 0) return ZipReader::Packing::encrypted;
  if (method == kMethodStored) return ZipReader::Packing::stored;
  return method == kMethodDeflate ? ZipReader::Packing::deflated : ZipReader::Packing::unknown;
}

}  // namespace

ZipReader::ZipReader(const std::filesystem::path& path) : file_(std::make_unique<InputFile>(path)) {
  const zip::Directory directory = zip::find_directory(*file_);
  read_directory(directory.offset, directory.size);
}

ZipReader::~ZipReader() = default;

void ZipReader::read_directory(std::uint64_t offset, std::uint64_t size) {
  const std::vector<std::byte> directory = file_->read(offset, size);
  for (Bytes rest(directory); !rest.empty();) {
    if (rest.size() < kCentralSize || field<std::uint32_t>(rest, 0) != kCentral) {
      bad_data(file_->path(), "is a damaged zip file: an entry of its directory is malformed");
    }
    const std::size_t name_size = field<std::uint16_t>(rest, 28);
    const std::size_t entry_size =
        kCentralSize + name_size + field<std::uint16_t>(rest, 30) + field<std::uint16_t>(rest, 32);
    if (rest.size() < entry_size) {
      bad_data(file_->path(), "is a damaged zip file: its directory ends within an entry");
    }
    const auto* name = reinterpret_cast<const char*>(rest.data() + kCentralSize);
    add_record(rest.first(entry_size), std::string(name, name_size));
    rest = rest.subspan(entry_size);
  }
}

void ZipReader::add_record(Bytes entry, const std::string& name) {
  Bytes wide = zip64_extra(entry.subspan(kCentralSize + name.size(), field<std::uint16_t>(entry, 30)));
  const auto value = [&](std::size_t at) -> std::uint64_t {
    const auto narrow = field<std::uint32_t>(entry, at);
    if (narrow != kIn64 || wide.size() < sizeof(std::uint64_t)) return narrow;
    const auto long_value = field<std::uint64_t>(wide, 0);
    wide = wide.subspan(sizeof(std::uint64_t));
    return long_value;
  };
  Record record;
  record.packing = packing_of(field<std::uint16_t>(entry, 8), field<std::uint16_t>(entry, 10));
  record.size = value(24);
  record.packed = value(20);
  record.header = value(42);
  record.crc = field<std::uint32_t>(entry, 16);
  const bool two_sizes = record.packing == Packing::stored && record.packed != record.size;
  if (two_sizes || !records_.emplace(name, record).second) {
    bad_data(file_->path(), fmt::format("is a damaged zip file: entry '{}' has two sizes or is there twice",
                                        printable(name)));
  }
}

std::uint64_t ZipReader::file_size() const {
  return file_->size();
}

const ZipReader::Record* ZipReader::find(const std::string& name) const {
  const auto found = records_.find(name);
  return found == records_.end() ? nullptr : &found->second;
}

void ZipReader::fail(const std::string& name, std::string_view text) const {
  bad_data(file_->path(), fmt::format("entry '{}' {}", printable(name), text));
}

void ZipReader::check_packing(const std::string& name, const Record& record) const {
  if (record.packing == Packing::encrypted)
    fail(name, "is encrypted: unpack the zip file and use what it holds");
  if (record.packing == Packing::unknown) {
    fail(name, "is compressed by a method other than deflate: pack the file again with zip -0");
  }
  if (record.packing == Packing::deflated && !plausible_inflation(record.packed, record.size)) {
    fail(name, fmt::format("would grow from {} to {}, as only files made to fill the memory do",
                           human_bytes(record.packed), human_bytes(record.size)));
  }
}

std::uint64_t ZipReader::locate(const std::string& name, const Record& record) const {
  const std::uint64_t size = file_->size();
  if (size >= kLocalSize && record.header <= size - kLocalSize) {
    const std::vector<std::byte> local = file_->read(record.header, kLocalSize);
    const std::uint64_t data =
        record.header + kLocalSize + field<std::uint16_t>(local, 26) + field<std::uint16_t>(local, 28);
    const bool inside = data <= size && record.packed <= size - data;
    if (inside && field<std::uint32_t>(local, 0) == kLocal) return data;
  }
  bad_data(file_->path(), fmt::format("is a damaged zip file: entry '{}' lies outside it", printable(name)));
}

void ZipReader::check_crc(const std::string& name, const Record& record, std::uint32_t crc) const {
  if (crc == record.crc) return;
  bad_data(file_->path(),
           fmt::format("is damaged: the checksum of entry '{}' does not match its bytes", printable(name)));
}

std::uint64_t ZipReader::verified_data(const std::string& name, const Record& record) const {
  check_packing(name, record);
  if (record.packing != Packing::stored) fail(name, "is compressed");
  const std::uint64_t data = locate(name, record);
  if (record.crc == 0) return data;  // set by torch.serialization.set_crc32_options(False)
  constexpr std::uint64_t kChunk = std::uint64_t{1} << 20U;
  std::uint32_t crc = 0;
  std::vector<std::byte> chunk;
  for (std::uint64_t done = 0; done < record.size; done += chunk.size()) {
    chunk.resize(std::min(kChunk, record.size - done));
    file_->read(data + done, chunk);
    crc = crc32(crc, chunk);
  }
  check_crc(name, record, crc);
  return data;
}

std::vector<std::byte> ZipReader::inflated(const std::string& name, const Record& record) const {
  try {
    return inflate(*file_, locate(name, record), record.packed, record.size);
  } catch (const std::invalid_argument& error) {
    fail(name, fmt::format("is damaged: {}", error.what()));
  }
}

std::vector<std::byte> ZipReader::contents(const std::string& name, const Record& record) const {
  check_packing(name, record);
  if (record.packing == Packing::stored) return read(verified_data(name, record), record.size);
  std::vector<std::byte> bytes = inflated(name, record);
  if (record.crc != 0) check_crc(name, record, crc32(0, bytes));
  return bytes;
}

std::vector<std::byte> ZipReader::read(std::uint64_t offset, std::size_t count) const {
  return file_->read(offset, count);
}

}  // namespace polyhead::checkpoint
