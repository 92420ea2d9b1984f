#pragma once

#include <algorithm>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>

#include "../support.hpp"
#include "polyhead/base/sample.hpp"
#include "polyhead/store/reader.hpp"
#include "polyhead/store/writer.hpp"

/// A small job whose every value follows from its place (oracle.py knows the same rules).
namespace polyhead::store::example {

inline Layout layout() {
  Layout layout;
  layout.samples = 101;
  layout.classes = 3;
  layout.heads = {"mlp", "wide", "Löwe"};
  layout.head_weights = {0.25, 0.5, 0.25};
  layout.class_names = {"cat", "dog", "zebra"};
  layout.fusion_rule = "mean-logits";
  layout.batch = 8;
  layout.head_scores = true;
  return layout;
}

/// The same with 1200 classes: the scores of a micro-batch fill a page or more, and begin anywhere on one.
inline Layout wide_layout() {
  Layout wide = layout();
  wide.classes = 1200;
  wide.class_names.clear();
  return wide;
}

inline std::int32_t label(std::int64_t sample) {
  return sample % 10 == 9 ? -1 : static_cast<std::int32_t>(sample % 3);
}

inline std::string id(std::int64_t sample) {
  return sample == 5
             ? ""
             : "set/" + std::string(static_cast<std::size_t>(sample % 7), 'x') + std::to_string(sample);
}

inline SampleSource samples() {
  return {[](std::int64_t first, std::span<std::int32_t> labels) {
            for (std::int32_t& value : labels) value = label(first++);
          },
          [](std::int64_t index) { return id(index); }};
}

inline Header header() {
  return {R"({"weights":"ab"})", R"({"cpu":"any"})", "heads: [größe]\n"};
}

/// Every 17th sample is quarantined.
inline Rows rows(const Layout& layout, std::int64_t batch) {
  Rows rows;
  rows.batch = batch;
  const std::int64_t first = batch * layout.batch;
  rows.count = std::min(layout.batch, layout.samples - first);
  for (std::int64_t i = first; i < first + rows.count; ++i) {
    const bool bad = i % 17 == 16;
    const auto value = static_cast<float>(i);
    for (std::int64_t c = 0; c < layout.classes; ++c) {
      rows.fused_scores.push_back(bad ? std::numeric_limits<float>::quiet_NaN()
                                      : value + 0.25F * static_cast<float>(c));
    }
    rows.fused_prediction.push_back(bad ? -1 : static_cast<std::int32_t>(i % layout.classes));
    for (std::int64_t k = 0; k < layout.head_count(); ++k) {
      rows.head_prediction.push_back(bad ? -1 : static_cast<std::int32_t>((i + k) % layout.classes));
      if (!layout.head_scores) continue;
      for (std::int64_t c = 0; c < layout.classes; ++c) {
        rows.head_scores.push_back(-value - 0.5F * static_cast<float>(k * layout.classes + c));
      }
    }
    rows.status.push_back(static_cast<std::uint8_t>(bad ? SampleStatus::quarantined : SampleStatus::done));
    rows.reason.push_back(static_cast<std::uint8_t>(bad ? Reason::score_not_finite : Reason::none));
  }
  return rows;
}

/// A fresh file and what a Writer needs.
struct Fresh {
  explicit Fresh(Layout wanted = example::layout())
      : layout(std::move(wanted)),
        path(folder / "result.h5"),
        offsets(create(path, layout, samples(), header(), Existing::refuse)) {}
  [[nodiscard]] Writer writer() const { return {open_for_writing(path), layout, offsets}; }

  polyhead::testing::TemporaryFolder folder;
  Layout layout;
  std::filesystem::path path;
  Offsets offsets;
};

}  // namespace polyhead::store::example
