#include "polyhead/checkpoint/npz.hpp"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "checkpoint/input_file.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/checkpoint/fail.hpp"

namespace polyhead::checkpoint {
namespace {

constexpr std::string_view kSuffix = ".npy";

/// Returns the path when the file starts as a zip file does.
const std::filesystem::path& checked(const std::filesystem::path& path) {
  const InputFile file(path);
  std::string start(std::min<std::uint64_t>(6, file.size()), '\0');
  file.read(0, std::as_writable_bytes(std::span(start)));
  if (start.starts_with("PK\x03\x04") || start.starts_with("PK\x05\x06")) return path;
  if (start.starts_with("\x93NUMPY")) {
    bad_data(path,
             "is a single array of numpy.save; expected an .npz file: numpy.savez('FILE.npz', NAME=array)");
  }
  bad_data(path, "is not an .npz file; expected one of numpy.savez('FILE.npz', NAME=array)");
}

std::vector<std::string> shown(const std::vector<std::string>& names) {
  constexpr std::size_t kMax = 12;
  std::vector<std::string> texts;
  for (const std::string& name : names) {
    if (texts.size() == kMax) {
      texts.push_back(fmt::format("and {} more", names.size() - kMax));
      break;
    }
    texts.push_back(printable(name));
  }
  return texts;
}

}  // namespace

NpzReader::NpzReader(const std::filesystem::path& path) : path_(path), zip_(checked(path)) {
  for (const auto& [name, record] : zip_.records()) {
    if (name.ends_with(kSuffix)) names_.push_back(name.substr(0, name.size() - kSuffix.size()));
  }
  std::sort(names_.begin(), names_.end());
}

bool NpzReader::has(const std::string& name) const {
  return std::binary_search(names_.begin(), names_.end(), name);
}

NumpyArray NpzReader::read(const std::string& name) const {
  const std::string entry = name + std::string(kSuffix);
  const auto* record = zip_.find(entry);
  if (record == nullptr) {
    bad_data(path_, fmt::format("has no array '{}'; its arrays: {}", printable(name),
                                names_.empty() ? "none" : join(shown(names_))));
  }
  return parse_npy(zip_.contents(entry, *record), path_, name);
}

}  // namespace polyhead::checkpoint
