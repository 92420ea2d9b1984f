#include <nlohmann/json.hpp>

#include "polyhead/report/summary.hpp"

namespace polyhead::report {
namespace {

using Json = nlohmann::ordered_json;

double share(std::int64_t part, std::int64_t all) {
  return static_cast<double>(part) / static_cast<double>(all);
}

Json heads_of(const store::Layout& layout, const metrics::AccuracyCounts& counts) {
  Json heads = Json::array();
  for (std::size_t k = 0; k < layout.heads.size(); ++k) {
    const std::int64_t correct = counts.head_correct(static_cast<std::int64_t>(k));
    heads.push_back({{"name", layout.heads[k]},
                     {"weight", layout.head_weights[k]},
                     {"correct", correct},
                     {"accuracy", share(correct, counts.labelled())}});
  }
  return heads;
}

void add_accuracies(Json& json, const store::Layout& layout, const metrics::AccuracyCounts& counts) {
  json["labelled"] = counts.labelled();
  json["unlabelled"] = count_unlabelled(layout.samples, counts);
  if (counts.labelled() == 0) return;
  const metrics::AccuracyBounds range =
      metrics::bounds(counts.correct(), counts.labelled(), counts.quarantined());
  json["ensemble"] = {{"correct", counts.correct()},
                      {"accuracy", share(counts.correct(), counts.labelled())},
                      {"worst", range.worst},
                      {"best", range.best}};
  json["heads"] = heads_of(layout, counts);
}

}  // namespace

std::string summary_json(const store::Reader& reader, const std::optional<metrics::RunFigures>& figures) {
  const store::Layout& layout = reader.layout();
  const store::Progress progress = reader.progress();
  Json json{{"format_version", reader.format_version()},
            {"complete", progress.pending == 0},
            {"samples", layout.samples},
            {"done", progress.done},
            {"quarantined", progress.quarantined},
            {"pending", progress.pending},
            {"fusion_rule", layout.fusion_rule}};
  if (progress.pending == 0) add_accuracies(json, layout, count_accuracy(reader));
  if (figures) {
    json["run"] = {{"seconds", figures->seconds},
                   {"images_per_second", figures->images_per_second},
                   {"ranks", figures->ranks},
                   {"threads", figures->threads},
                   {"waiting_share", figures->waiting_share},
                   {"computing_share", figures->computing_share},
                   {"workers", figures->workers},
                   {"reading_share", figures->reading_share},
                   {"earlier_images", figures->earlier_images},
                   {"limited_by", limited_by(*figures)}};
  }
  // A name that is not UTF-8 must not fail the summary.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace polyhead::report
