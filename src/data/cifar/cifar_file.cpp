#include "cifar_file.hpp"

#include <algorithm>
#include <fstream>
#include <system_error>

#include <fmt/format.h>

#include "polyhead/base/error.hpp"

namespace polyhead::data {
namespace {

constexpr std::int64_t kRowsAtOnce = 256;

std::string file_of(const config::Data& config, bool fine) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(config.path, ignored)) return config.path.native();
  return (config.path / (fine ? kCifar100Test : kCifar10Test)).native();
}

}  // namespace

CifarFile::CifarFile(const config::Data& config)
    : label_bytes_(config.format == config::DataFormat::cifar100 ? 2 : 1),
      path_(file_of(config, fine())),
      source_(path_),
      size_(static_cast<std::int64_t>(source_.size()) / row_bytes()) {
  if (size_ > 0 && static_cast<std::int64_t>(source_.size()) % row_bytes() == 0) return;
  throw Error(ExitCode::bad_data,
              fmt::format("{}: found {} bytes; expected a multiple of {}, the rows of {} (data.format)",
                          path_, source_.size(), row_bytes(), fine() ? "cifar100" : "cifar10"));
}

std::vector<std::string> CifarFile::class_names() const {
  const auto folder = std::filesystem::path(path_).parent_path();
  std::ifstream in(folder / (fine() ? "fine_label_names.txt" : "batches.meta.txt"));
  std::vector<std::string> names;
  for (std::string line; std::getline(in, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) names.push_back(line);
  }
  // Another number of names: the file belongs to something else.
  return static_cast<std::int32_t>(names.size()) == classes() ? names : std::vector<std::string>();
}

void CifarFile::read_labels(std::int64_t first, std::span<std::int32_t> labels) {
  const auto size = static_cast<std::size_t>(row_bytes());
  std::vector<std::byte> rows;
  for (std::size_t done = 0; done < labels.size();) {
    const std::size_t count = std::min<std::size_t>(kRowsAtOnce, labels.size() - done);
    rows.resize(count * size);
    source_.read(static_cast<std::uint64_t>(first * row_bytes()), rows);
    for (std::size_t i = 0; i < count; ++i, ++first, ++done) {
      labels[done] = std::to_integer<std::int32_t>(rows[i * size + (fine() ? 1 : 0)]);
      if (labels[done] < classes()) continue;
      throw Error(ExitCode::bad_data,
                  fmt::format("{}: row {} (byte {}) has label {}; expected 0 to {}: is it a file of {}?",
                              path_, first, first * row_bytes(), labels[done], classes() - 1,
                              fine() ? "cifar100" : "cifar10"));
    }
  }
}

std::span<const std::byte> CifarFile::row(std::int64_t row) {
  row_.resize(static_cast<std::size_t>(row_bytes()));
  source_.read(static_cast<std::uint64_t>(row * row_bytes()), row_);
  return row_;
}

image::ByteImage CifarFile::image(std::int64_t number) {
  const auto planes = row(number).subspan(static_cast<std::size_t>(label_bytes_));
  const std::size_t plane = planes.size() / 3;
  pixels_.resize(planes.size());
  for (std::size_t i = 0; i < plane; ++i) {
    for (std::size_t c = 0; c < 3; ++c) {
      pixels_[3 * i + c] = std::to_integer<std::uint8_t>(planes[c * plane + i]);
    }
  }
  return {pixels_.data(), kShape, 3, std::ptrdiff_t{3} * kShape.width};
}

}  // namespace polyhead::data
