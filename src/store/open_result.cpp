#include "open_result.hpp"

#include <algorithm>
#include <limits>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "extent.hpp"
#include "format.hpp"
#include "polyhead/base/error.hpp"

namespace polyhead::store {
namespace {

constexpr std::int64_t kMaxBatch = std::numeric_limits<std::int32_t>::max();

std::int64_t read_count(const h5::File& file, const std::string& name, std::int64_t least,
                        std::int64_t most) {
  const std::int64_t value = file.read_integer_attribute(name).value_or(-1);
  if (value >= least && value <= most) return value;
  throw Error(ExitCode::bad_data, fmt::format("{}: attribute '{}' is {}, expected {} to {}",
                                              file.path().string(), name, value, least, most));
}

void check_datasets(const h5::File& file, const Layout& layout) {
  for (const format::Column& column : format::columns(layout)) {
    open_checked(file, column.name, column.type, column.shape);
  }
  open_checked(file, format::kIdOffset, h5::Type::u64, {layout.samples + 1});
  open_checked(file, format::kLedger, h5::Type::u8, {layout.batches()});
  if (!layout.class_names.empty() && static_cast<std::int64_t>(layout.class_names.size()) != layout.classes) {
    throw Error(ExitCode::bad_data, fmt::format("{}: names {} classes, but has {}", file.path().string(),
                                                layout.class_names.size(), layout.classes));
  }
}

constexpr std::uint64_t kAlignment = 4096;  // alignment of every dataset, see h5::File::create

/// A dataset and its bytes in the file.
struct Place {
  std::string name;
  Extent extent;
};

void check_apart(const h5::File& file, std::vector<Place> places) {
  std::ranges::sort(places, {}, [](const Place& place) { return place.extent.first; });
  for (std::size_t i = 1; i < places.size(); ++i) {
    if (places[i - 1].extent.end() <= places[i].extent.first) continue;
    throw Error(ExitCode::bad_data, fmt::format("{}: is damaged: {} and {} share bytes", file.path().string(),
                                                places[i - 1].name, places[i].name));
  }
}

Extent extent_of(const h5::Dataset& dataset) {
  std::uint64_t bytes = h5::size_of(dataset.type());
  for (const std::int64_t size : dataset.shape()) bytes *= static_cast<std::uint64_t>(size);
  return {dataset.offset().value_or(0), bytes};
}

/// Looks up datasets and records the places of all of them.
class Places {
 public:
  explicit Places(const h5::File& file) : file_(file) {}

  Extent add(const std::string& name) {
    const h5::Dataset dataset = file_.dataset(name);
    const Extent extent = extent_of(dataset);
    if (extent.count == 0) return extent;
    if (extent.first % kAlignment != 0) {
      throw Error(ExitCode::bad_data,
                  fmt::format("{}: is damaged: it lies at byte {}, expected a multiple of {}",
                              dataset.where(), extent.first, kAlignment));
    }
    places_.push_back({name, extent});
    return extent;
  }
  TextArea add_text(const std::string& name) {
    const std::vector<std::int64_t> shape = file_.dataset(name).shape();
    open_checked(file_, name, h5::Type::u8, {shape.size() == 1 ? shape[0] : -1});
    const Extent extent = add(name);
    return {extent.first, extent.count};
  }
  void check() const { check_apart(file_, places_); }

 private:
  const h5::File& file_;
  std::vector<Place> places_;
};

}  // namespace

std::int64_t check_version(const h5::File& file) {
  const std::string where = file.path().string();
  if (file.read_text_attribute("format") != format::kName) {
    throw Error(ExitCode::bad_data, fmt::format("{}: is not a result file of polyhead", where));
  }
  const std::int64_t version = file.read_integer_attribute("format_version").value_or(0);
  if (version < 1 || version > kFormatVersion) {
    throw Error(ExitCode::bad_data,
                fmt::format("{}: has format version {}; this polyhead knows 1 to {}: use a newer one", where,
                            version, kFormatVersion));
  }
  return version;
}

h5::Dataset open_checked(const h5::File& file, const std::string& name, h5::Type type,
                         const std::vector<std::int64_t>& shape) {
  h5::Dataset dataset = file.dataset(name);
  const bool empty = std::find(shape.begin(), shape.end(), 0) != shape.end();
  if (dataset.type() == type && dataset.shape() == shape && (empty || dataset.offset())) return dataset;
  throw Error(ExitCode::bad_data, fmt::format("{}: is {}, expected {} [{}], contiguous", dataset.where(),
                                              dataset.describe(), h5::name_of(type), fmt::join(shape, ", ")));
}

Layout read_layout(const h5::File& file) {
  constexpr std::int64_t kMax = std::int64_t{1} << 60U;
  Layout layout;
  layout.samples = read_count(file, "samples", 0, kMax);
  layout.classes = read_count(file, "classes", 0, kMax);
  layout.batch = read_count(file, "batch", 1, kMaxBatch);
  layout.fusion_rule = file.read_text_attribute("fusion_rule").value_or("");
  layout.heads = file.read_strings(format::kHeadName);
  layout.head_weights.resize(layout.heads.size());
  const std::int64_t heads = layout.head_count();
  open_checked(file, format::kHeadWeight, h5::Type::f64, {heads})
      .read_rows(0, heads, std::span(layout.head_weights));
  if (file.has(format::kClassName)) layout.class_names = file.read_strings(format::kClassName);
  for (const RowColumn& column : kRowColumns) {
    if (column.only_where != nullptr) layout.*column.only_where = file.has(column.name);
  }
  check_datasets(file, layout);
  return layout;
}

Offsets offsets_of(const h5::File& file, const Layout& layout) {
  Places places(file);
  Offsets offsets;
  for (const RowColumn& column : kRowColumns) {
    if (has_column(layout, column)) offsets.of(column.name) = places.add(column.name).first;
  }
  offsets.ledger = places.add(format::kLedger).first;
  offsets.provenance = places.add_text("/job/provenance");
  offsets.summary = places.add_text("/job/summary");
  offsets.certificate = places.add_text("/job/certificate");
  for (const std::string name : {format::kLabel, format::kIdOffset, format::kIdBytes, format::kHeadWeight})
    places.add(name);
  for (const std::string name : {"/job/identity", "/job/fingerprint", "/job/config"}) places.add_text(name);
  places.check();
  return offsets;
}

std::vector<Extent> open_extents(const h5::File& file, const Layout& layout) {
  std::vector<std::string> names{format::kIdOffset, format::kIdBytes, format::kLedger,
                                 "/job/provenance", "/job/summary",   "/job/certificate"};
  for (const format::Column& column : format::columns(layout)) names.push_back(column.name);
  std::vector<Extent> extents;
  for (const std::string& name : names) {
    const Extent extent = extent_of(file.dataset(name));
    if (extent.count > 0) extents.push_back(extent);
  }
  std::ranges::sort(extents, {}, &Extent::first);
  return extents;
}

}  // namespace polyhead::store
