#include "polyhead/store/reader.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "format.hpp"
#include "open_result.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/sample.hpp"
#include "seal.hpp"

namespace polyhead::store {
namespace {

constexpr std::int64_t kStatusChunk = 1 << 20;
constexpr std::int64_t kDigestBytes = 4 << 20;
constexpr std::uint64_t kMaxId = 1 << 20U;
constexpr std::array<std::string_view, 6> kTexts{"provenance", "summary",     "certificate",
                                                 "identity",   "fingerprint", "config"};

template <class T>
std::vector<T> read(const h5::File& file, const std::string& name, std::int64_t first, std::int64_t count,
                    std::int64_t width = 1) {
  std::vector<T> values(static_cast<std::size_t>(count * width));
  file.dataset(name).read_rows(first, count, std::span(values));
  return values;
}

void check_range(std::int64_t first, std::int64_t count, std::int64_t samples) {
  if (first >= 0 && count >= 0 && first <= samples && count <= samples - first) return;
  throw Error(ExitCode::internal,
              fmt::format("store: {} samples from {} asked for, the file has {}", count, first, samples));
}

void digest_dataset(Hasher& hasher, const h5::Dataset& dataset, const std::string& name) {
  const std::int64_t rows = dataset.shape().empty() ? 0 : dataset.shape()[0];
  const std::int64_t row = format::Column{name, dataset.type(), dataset.shape()}.row_bytes();
  hasher.update(std::string_view(name)).update(h5::name_of(dataset.type()));
  hasher.update(static_cast<std::int64_t>(dataset.shape().size()));
  for (const std::int64_t size : dataset.shape()) hasher.update(size);
  const std::int64_t step = std::max<std::int64_t>(1, kDigestBytes / std::max<std::int64_t>(1, row));
  std::vector<std::byte> bytes;
  for (std::int64_t first = 0; first < rows; first += step) {
    const std::int64_t count = std::min(step, rows - first);
    bytes.resize(static_cast<std::size_t>(count * row));
    dataset.read_rows(first, count, dataset.type(), bytes);
    hasher.update(std::span<const std::byte>(bytes));
  }
}

h5::File open_sound(const std::filesystem::path& path) {
  check_seal(path);
  return h5::File::open(path);
}

}  // namespace

Reader::Reader(const std::filesystem::path& path)
    : file_(open_sound(path)), layout_(), version_(check_version(file_)) {
  layout_ = read_layout(file_);
}

std::vector<std::uint8_t> Reader::ledger() const {
  return read<std::uint8_t>(file_, format::kLedger, 0, layout_.batches());
}

std::vector<std::uint8_t> Reader::status(std::int64_t first, std::int64_t count) const {
  check_range(first, count, layout_.samples);
  return read<std::uint8_t>(file_, format::kStatus, first, count);
}

Progress Reader::progress(const std::vector<std::uint8_t>& batches) const {
  Progress progress;
  progress.batches_done = std::count(batches.begin(), batches.end(), 1);
  for (std::int64_t first = 0; first < layout_.samples; first += kStatusChunk) {
    const std::int64_t count = std::min(kStatusChunk, layout_.samples - first);
    const std::vector<std::uint8_t> states = status(first, count);
    for (std::int64_t i = 0; i < count; ++i) {
      if (batches.at(static_cast<std::size_t>((first + i) / layout_.batch)) != 1) continue;
      const auto state = static_cast<SampleStatus>(states[static_cast<std::size_t>(i)]);
      if (state == SampleStatus::done) ++progress.done;
      if (state == SampleStatus::quarantined) ++progress.quarantined;
    }
  }
  progress.pending = layout_.samples - progress.done - progress.quarantined;
  return progress;
}

Columns Reader::columns(std::int64_t first, std::int64_t count) const {
  check_range(first, count, layout_.samples);
  Columns columns;
  columns.labels = read<std::int32_t>(file_, format::kLabel, first, count);
  columns.fused_prediction = read<std::int32_t>(file_, format::kFusedPrediction, first, count);
  columns.head_prediction =
      read<std::int32_t>(file_, format::kHeadPrediction, first, count, layout_.head_count());
  columns.status = read<std::uint8_t>(file_, format::kStatus, first, count);
  columns.reason = read<std::uint8_t>(file_, format::kReason, first, count);
  return columns;
}

Rows Reader::rows(std::int64_t batch) const {
  check_range(batch, 1, layout_.batches());
  const std::int64_t first = batch * layout_.batch;
  Rows rows;
  rows.batch = batch;
  rows.count = std::min(layout_.batch, layout_.samples - first);
  for_each_column(rows, [&]<class Value>(const RowColumn& column, std::vector<Value>& values) {
    if (!has_column(layout_, column)) return;
    values = read<Value>(file_, column.name, first, rows.count, width_of(layout_, column));
  });
  return rows;
}

std::vector<std::int32_t> Reader::labels(std::int64_t first, std::int64_t count) const {
  check_range(first, count, layout_.samples);
  return read<std::int32_t>(file_, format::kLabel, first, count);
}

std::vector<std::uint64_t> Reader::id_offsets(std::int64_t first, std::int64_t count) const {
  check_range(first, count, layout_.samples + 1);
  return read<std::uint64_t>(file_, format::kIdOffset, first, count);
}

std::string Reader::id_bytes(std::uint64_t begin, std::uint64_t end) const {
  const std::vector<std::int64_t> shape = file_.dataset(format::kIdBytes).shape();
  open_checked(file_, format::kIdBytes, h5::Type::u8, {shape.size() == 1 ? shape[0] : -1});
  const auto size = static_cast<std::uint64_t>(shape[0]);
  begin = std::min(begin, size);
  end = std::clamp(end, begin, size);
  const auto bytes = read<std::uint8_t>(file_, format::kIdBytes, static_cast<std::int64_t>(begin),
                                        static_cast<std::int64_t>(end - begin));
  return {bytes.begin(), bytes.end()};
}

std::string Reader::sample_id(std::int64_t index) const {
  check_range(index, 1, layout_.samples);
  const auto place = read<std::uint64_t>(file_, format::kIdOffset, index, 2);
  const h5::Dataset blob = file_.dataset(format::kIdBytes);
  const auto size = static_cast<std::uint64_t>(blob.shape().empty() ? 0 : blob.shape()[0]);
  if (blob.type() != h5::Type::u8 || blob.shape().size() != 1 || place[0] > place[1] || place[1] > size ||
      place[1] - place[0] > kMaxId) {
    throw Error(ExitCode::bad_data,
                fmt::format("{}: the id of sample {} lies outside it, or is too long", blob.where(), index));
  }
  const auto bytes = read<std::uint8_t>(file_, format::kIdBytes, static_cast<std::int64_t>(place[0]),
                                        static_cast<std::int64_t>(place[1] - place[0]));
  return {bytes.begin(), bytes.end()};
}

std::string Reader::text(const std::string& name) const {
  std::string bytes = area(name);
  bytes.resize(std::min(bytes.size(), bytes.find('\0')));
  return bytes;
}

std::string Reader::area(const std::string& name) const {
  if (std::find(kTexts.begin(), kTexts.end(), name) == kTexts.end()) {
    throw Error(ExitCode::internal, fmt::format("store: a result file has no text '{}'", name));
  }
  if (!file_.has("/job/" + name)) return "";
  const h5::Dataset dataset = file_.dataset("/job/" + name);
  const std::int64_t size = dataset.shape().size() == 1 ? dataset.shape()[0] : -1;
  open_checked(file_, "/job/" + name, h5::Type::u8, {size});
  const auto bytes = read<std::uint8_t>(file_, "/job/" + name, 0, size);
  return {bytes.begin(), bytes.end()};
}

Offsets Reader::offsets() const {
  return offsets_of(file_, layout_);
}

Digest Reader::results_digest() const {
  Hasher hasher;
  for (const format::Column& column : format::columns(layout_)) {
    digest_dataset(hasher, file_.dataset(column.name), column.name);
  }
  for (const std::string name : {format::kIdOffset, format::kIdBytes}) {
    digest_dataset(hasher, file_.dataset(name), name);
  }
  return hasher.digest();
}

}  // namespace polyhead::store
