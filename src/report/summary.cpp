#include "polyhead/report/summary.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include <fmt/format.h>

#include "chunks.hpp"
#include "polyhead/base/text.hpp"
#include "text.hpp"

namespace polyhead::report {
namespace {

constexpr std::size_t kAllHeads = 20;  // with more heads, only the best and the worst kSomeHeads are shown
constexpr std::size_t kSomeHeads = 10;
/// Share of the time. Data are prepared while a rank computes, so the slower of the two never waits for the
/// other. A rank that waits for more than its first batch is limited by its data, if only slightly. Below 5%
/// the waiting is that first batch and chance.
constexpr double kMuchWaiting = 0.05;
/// Share of the time.
constexpr double kMuchComputing = 0.5;
constexpr std::string_view kEnsemble = "ensemble";

double share(std::int64_t part, std::int64_t all) {
  return all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all);
}

/// "mlp           87.30%   873/1000"
std::string line(std::string_view name, std::size_t width, std::int64_t correct, std::int64_t all) {
  return fmt::format("{}   {:>7.2f}%   {}/{}", pad_right(name, width), 100 * share(correct, all), correct,
                     all);
}

class Table {
 public:
  Table(const store::Layout& layout, const metrics::AccuracyCounts& counts)
      : layout_(layout), counts_(counts) {
    for (const std::string& name : layout.heads) names_.push_back(one_line(name));
    width_ = kEnsemble.size();
    for (const std::string& name : names_) width_ = std::max(width_, width_of(name));
  }

  [[nodiscard]] std::string text() const {
    return fmt::format("{}   accuracy   correct\n{}{}     ({})\n", pad_right("head", width_),
                       names_.size() > kAllHeads ? extremes() : all(),
                       line(kEnsemble, width_, counts_.correct(), counts_.labelled()), layout_.fusion_rule);
  }

 private:
  [[nodiscard]] std::string row(std::size_t head) const {
    return line(names_[head], width_, counts_.head_correct(static_cast<std::int64_t>(head)),
                counts_.labelled()) +
           "\n";
  }
  [[nodiscard]] std::string all() const {
    std::string rows;
    for (std::size_t head = 0; head < names_.size(); ++head) rows += row(head);
    return rows;
  }
  [[nodiscard]] std::string extremes() const {
    std::vector<std::size_t> order(names_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [this](std::size_t a, std::size_t b) {
      return counts_.head_correct(static_cast<std::int64_t>(a)) >
             counts_.head_correct(static_cast<std::int64_t>(b));
    });
    std::string rows;
    for (std::size_t i = 0; i < kSomeHeads; ++i) rows += row(order[i]);
    rows += fmt::format("... {} more, then the {} worst of {}\n", names_.size() - 2 * kSomeHeads, kSomeHeads,
                        names_.size());
    for (std::size_t i = names_.size() - kSomeHeads; i < names_.size(); ++i) rows += row(order[i]);
    return rows;
  }

  const store::Layout& layout_;
  const metrics::AccuracyCounts& counts_;
  std::vector<std::string> names_;
  std::size_t width_ = 0;
};

std::string without_label(std::int64_t unlabelled, std::int64_t samples) {
  if (unlabelled == 0) return "";
  return fmt::format("{} of {} without a label: in no accuracy\n", unlabelled, counted(samples, "image"));
}

std::string accuracies(const store::Layout& layout, const metrics::AccuracyCounts& counts) {
  if (counts.labelled() > 0) {
    return Table(layout, counts).text() +
           without_label(count_unlabelled(layout.samples, counts), layout.samples);
  }
  return counts.quarantined() > 0 ? "no image with a label has a result: no accuracies\n"
                                  : "the data has no labels: no accuracies\n";
}

std::string quarantine(const store::Reader& reader, const metrics::AccuracyCounts& counts,
                       std::int64_t quarantined, const std::filesystem::path& path) {
  std::string text =
      fmt::format("\n{} of {} quarantined", quarantined, counted(reader.layout().samples, "image"));
  if (counts.quarantined() > 0) {
    const metrics::AccuracyBounds range =
        metrics::bounds(counts.correct(), counts.labelled(), counts.quarantined());
    text += fmt::format("; with them the ensemble's accuracy lies between {:.2f}% and {:.2f}%",
                        100 * range.worst, 100 * range.best);
  }
  return text + fmt::format("\nlist them: polyhead info --bad {}\n", path.string());
}

std::string complete(const store::Reader& reader, std::int64_t quarantined,
                     const std::filesystem::path& path) {
  const metrics::AccuracyCounts counts = count_accuracy(reader);
  const std::string text = accuracies(reader.layout(), counts);
  return quarantined == 0 ? text : text + quarantine(reader, counts, quarantined, path);
}

std::string_view words_for(const metrics::RunFigures& figures) {
  const std::string_view limit = limited_by(figures);
  return limit == "neither" ? "neither data nor computing" : limit;
}

std::string speed(std::int64_t images, const metrics::RunFigures& figures) {
  return fmt::format(
      "{}{} in {}, {:.1f} img/s on {} x {}\nlimited by {}: {:.1f}% of the time computing, {:.1f}% waiting "
      "for "
      "data; {} reading and decoding {:.1f}% of it\n",
      counted(images - figures.earlier_images, "image"),
      figures.earlier_images > 0 ? fmt::format(" ({} by earlier runs)", figures.earlier_images) : "",
      human_seconds(figures.seconds), figures.images_per_second, counted(figures.ranks, "rank"),
      counted(figures.threads, "thread"), words_for(figures), 100 * figures.computing_share,
      100 * figures.waiting_share, counted(figures.workers, "worker"), 100 * figures.reading_share);
}

}  // namespace

std::string_view limited_by(const metrics::RunFigures& figures) {
  if (figures.waiting_share > kMuchWaiting) return "data";
  return figures.computing_share >= kMuchComputing ? "computing" : "neither";
}

metrics::AccuracyCounts count_accuracy(const store::Reader& reader) {
  metrics::AccuracyCounts counts(reader.layout().head_count());
  for_each_chunk(reader, [&](std::int64_t /*first*/, const store::Columns& rows) {
    counts.add(rows.labels, rows.fused_prediction, rows.head_prediction, rows.status);
  });
  return counts;
}

std::int64_t count_unlabelled(std::int64_t samples, const metrics::AccuracyCounts& counts) {
  return samples - counts.labelled() - counts.quarantined();
}

std::string summary_text(const store::Reader& reader, const std::filesystem::path& path,
                         const std::optional<metrics::RunFigures>& figures) {
  const store::Progress progress = reader.progress();
  const std::int64_t finished = progress.done + progress.quarantined;
  std::string text = progress.pending == 0
                         ? complete(reader, progress.quarantined, path)
                         : fmt::format("incomplete: {} of {} done, {} missing\n", finished,
                                       counted(reader.layout().samples, "image"), progress.pending);
  text += "\n";
  if (figures) text += speed(finished, *figures);
  return text + fmt::format("result: {}\n", path.string());
}

}  // namespace polyhead::report
