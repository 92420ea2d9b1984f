#include "zip_storages.hpp"

#include <algorithm>

#include "checkpoint/zip/inflate.hpp"

namespace polyhead::checkpoint {
ZipStorages::ZipStorages(const ZipReader& zip, const std::string& folder) : zip_(zip), folder_(folder) {
  for (const auto& [name, record] : zip.records()) {
    if (record.packing == ZipReader::Packing::deflated)
      total_ += std::min(record.size, kMaxInflation * record.packed);
  }
  // Overlapping records may claim any size.
  total_ = std::max(zip.file_size(), std::min(total_, kMaxInflation * zip.file_size()));
}

std::string ZipStorages::shown(const std::string& key) const {
  return folder_ + "/data/" + key;
}

std::optional<std::uint64_t> ZipStorages::size(const std::string& key) const {
  const auto* record = zip_.find(shown(key));
  if (record == nullptr) return std::nullopt;
  return record->size;
}

std::uint64_t ZipStorages::cost(const std::string& key) const {
  return located_.count(key) > 0 || key == inflated_key_ ? 0 : zip_.find(shown(key))->size;
}

std::vector<std::byte> ZipStorages::read(const std::string& key, std::uint64_t offset, std::size_t count) {
  const std::string name = shown(key);
  const ZipReader::Record& record = *zip_.find(name);
  if (record.packing == ZipReader::Packing::stored) {
    const auto known = located_.find(key);
    const std::uint64_t start = known != located_.end() ? known->second : zip_.verified_data(name, record);
    located_[key] = start;
    return zip_.read(start + offset, count);
  }
  if (inflated_key_ != key || inflated_.empty()) {
    inflated_ = {};  // only one is in memory at a time
    inflated_ = zip_.contents(name, record);
    inflated_key_ = key;
  }
  const auto begin = inflated_.begin() + static_cast<std::ptrdiff_t>(offset);
  return {begin, begin + static_cast<std::ptrdiff_t>(count)};
}

}  // namespace polyhead::checkpoint
