#include "structure.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "format.hpp"
#include "open_result.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/h5/h5.hpp"

namespace polyhead::store {
namespace {

constexpr std::int64_t kChunk = 1 << 16;                   // labels or offsets
constexpr std::size_t kBlobChunk = std::size_t{1} << 20U;  // bytes of ids

template <class T>
void put(const h5::Dataset& dataset, std::int64_t first, const std::vector<T>& values) {
  try {
    dataset.write_rows(first, static_cast<std::int64_t>(values.size()), std::span<const T>(values));
  } catch (const Error& error) {
    throw Error(ExitCode::cant_create, error.what());
  }
}

void write_attributes(h5::File& file, const Layout& layout) {
  file.write_attribute("format", std::string(format::kName));
  file.write_attribute("format_version", kFormatVersion);
  file.write_attribute("samples", layout.samples);
  file.write_attribute("classes", layout.classes);
  file.write_attribute("batch", layout.batch);
  file.write_attribute("fusion_rule", layout.fusion_rule);
}

/// Creates the datasets with one row per sample; those that the run writes give their offsets.
void create_columns(h5::File& file, const Layout& layout, Offsets& offsets) {
  for (const format::Column& column : format::columns(layout)) {
    const h5::Dataset dataset = file.create_dataset(column.name, column.type, column.shape);
    const std::size_t index = column_index(column.name);
    if (index < kRowColumnCount) offsets.columns[index] = dataset.offset().value_or(0);
  }
}

void write_labels(const h5::File& file, const Layout& layout, const SampleSource& samples) {
  const h5::Dataset dataset = file.dataset(format::kLabel);
  std::vector<std::int32_t> labels;
  for (std::int64_t first = 0; first < layout.samples; first += kChunk) {
    labels.assign(static_cast<std::size_t>(std::min(kChunk, layout.samples - first)), -1);
    samples.labels(first, labels);
    put(dataset, first, labels);
  }
}

/// Writes where each id starts, and last the length of them all, which is returned.
std::uint64_t write_id_offsets(h5::File& file, const Layout& layout, const SampleSource& samples) {
  const h5::Dataset dataset = file.create_dataset(format::kIdOffset, h5::Type::u64, {layout.samples + 1});
  std::uint64_t end = 0;
  std::vector<std::uint64_t> offsets{0};
  std::int64_t first = 0;
  for (std::int64_t i = 0; i < layout.samples; ++i) {
    end += samples.id(i).size();
    offsets.push_back(end);
    if (static_cast<std::int64_t>(offsets.size()) < kChunk) continue;
    put(dataset, first, offsets);
    first += static_cast<std::int64_t>(offsets.size());
    offsets.clear();
  }
  put(dataset, first, offsets);
  return end;
}

void write_id_bytes(h5::File& file, const Layout& layout, const SampleSource& samples, std::uint64_t size) {
  const h5::Dataset dataset =
      file.create_dataset(format::kIdBytes, h5::Type::u8, {static_cast<std::int64_t>(size)});
  std::vector<std::uint8_t> bytes;
  std::uint64_t written = 0;
  const auto flush = [&] {
    if (bytes.size() > size - written) throw Error(ExitCode::internal, "store: the samples' ids changed");
    put(dataset, static_cast<std::int64_t>(written), bytes);
    written += bytes.size();
    bytes.clear();
  };
  for (std::int64_t i = 0; i < layout.samples; ++i) {
    const std::string id = samples.id(i);
    bytes.insert(bytes.end(), id.begin(), id.end());
    if (bytes.size() >= kBlobChunk) flush();
  }
  flush();
  if (written != size) throw Error(ExitCode::internal, "store: the samples' ids changed");
}

void write_names(h5::File& file, const Layout& layout) {
  file.write_strings(format::kHeadName, layout.heads);
  put(file.create_dataset(format::kHeadWeight, h5::Type::f64, {layout.head_count()}), 0, layout.head_weights);
  if (!layout.class_names.empty()) file.write_strings(format::kClassName, layout.class_names);
}

TextArea create_area(h5::File& file, const std::string& name, std::int64_t capacity) {
  const h5::Dataset dataset = file.create_dataset("/job/" + name, h5::Type::u8, {capacity});
  return {dataset.offset().value_or(0), static_cast<std::uint64_t>(capacity)};
}

void write_text(h5::File& file, const std::string& name, const std::string& text) {
  const std::vector<std::uint8_t> bytes(text.begin(), text.end());
  put(file.create_dataset("/job/" + name, h5::Type::u8, {static_cast<std::int64_t>(bytes.size())}), 0, bytes);
}

}  // namespace

Structure write_structure(const std::filesystem::path& path, const Layout& layout,
                          const SampleSource& samples, const Header& header) {
  h5::File file = h5::File::create(path);
  Structure structure;
  Offsets& offsets = structure.offsets;
  write_attributes(file, layout);
  create_columns(file, layout, offsets);
  write_labels(file, layout, samples);
  write_id_bytes(file, layout, samples, write_id_offsets(file, layout, samples));
  write_names(file, layout);
  offsets.ledger =
      file.create_dataset(format::kLedger, h5::Type::u8, {layout.batches()}).offset().value_or(0);
  offsets.provenance = create_area(file, "provenance", format::provenance_capacity());
  offsets.summary = create_area(file, "summary", format::summary_capacity(layout));
  offsets.certificate = create_area(file, "certificate", format::certificate_capacity());
  write_text(file, "identity", header.identity);
  write_text(file, "fingerprint", header.fingerprint);
  write_text(file, "config", header.config);
  structure.open = open_extents(file, layout);
  try {
    file.close();
  } catch (const Error& error) {
    throw Error(ExitCode::cant_create, error.what());
  }
  return structure;
}

}  // namespace polyhead::store
