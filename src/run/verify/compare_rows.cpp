#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "polyhead/base/error.hpp"
#include "polyhead/base/sample.hpp"
#include "polyhead/config/names.hpp"
#include "polyhead/run/compare.hpp"
#include "polyhead/store/columns.hpp"
#include "run/display/shown_value.hpp"
#include "run/setup/measures.hpp"

namespace polyhead::run {
namespace {

/// Part of a column for one sample; the column has `width` values per sample.
template <class Value>
std::span<const Value> row(const std::vector<Value>& column, std::int64_t sample, std::int64_t width) {
  return std::span(column).subspan(static_cast<std::size_t>(sample * width), static_cast<std::size_t>(width));
}

template <class Value>
bool same_bits(std::span<const Value> a, std::span<const Value> b) {
  return a.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

template <class Value>
bool same_size(const std::vector<Value>& column, std::int64_t values) {
  return static_cast<std::int64_t>(column.size()) == values;
}

std::string status_text(std::uint8_t status) {
  switch (static_cast<SampleStatus>(status)) {
    case SampleStatus::pending:
      return shown(status) + " pending";
    case SampleStatus::done:
      return shown(status) + " done";
    case SampleStatus::quarantined:
      return shown(status) + " quarantined";
  }
  return shown(status) + " unknown";
}

std::string reason_text(std::uint8_t reason) {
  return fmt::format("{} {}", shown(reason), describe(static_cast<Reason>(reason)));
}

bool close(float held, float computed, double tolerance) {
  return (std::isnan(held) && std::isnan(computed)) || held == computed ||
         std::abs(static_cast<double>(held) - static_cast<double>(computed)) <= tolerance;
}

/// Rows of one micro-batch from both sources, compared sample by sample.
class RowComparison {
 public:
  RowComparison(const store::Layout& layout, const store::Rows& held, const store::Rows& computed,
                Comparison how, Deviations& deviations)
      : layout_(layout), held_(held), computed_(computed), how_(how), deviations_(deviations) {
    store::Layout wanted = layout_;
    check(held_, wanted);
    wanted.head_scores = wanted.head_scores || how_ == Comparison::tolerance;
    check(computed_, wanted);
  }

  std::optional<Difference> first() {
    for (std::int64_t n = 0; n < held_.count; ++n) {
      if (auto difference = in_sample(n)) return difference;
    }
    return std::nullopt;
  }

 private:
  using Found = std::optional<Difference>;

  /// Checks the rows before anything is indexed.
  void check(const store::Rows& rows, const store::Layout& wanted) const {
    bool sound = rows.batch == held_.batch && rows.count == held_.count;
    store::for_each_column(rows, [&](const store::RowColumn& column, const auto& values) {
      if (!store::has_column(wanted, column)) return;
      sound = sound && same_size(values, held_.count * store::width_of(wanted, column));
    });
    if (!sound) throw Error(ExitCode::internal, "verify: rows that do not have the layout's sizes");
  }

  Found in_sample(std::int64_t n) {
    if (auto found = byte("/samples/status", held_.status, computed_.status, n, status_text)) return found;
    if (!same_reason(n)) {
      if (auto found = byte("/samples/reason", held_.reason, computed_.reason, n, reason_text)) return found;
    }
    if (auto found = fused_scores(n)) return found;
    if (auto found = fused_prediction(n)) return found;
    if (auto found = uncertainty(n)) return found;
    for (std::int64_t k = 0; k < layout_.head_count(); ++k) {
      if (auto found = head_prediction(n, k)) return found;
    }
    for (std::int64_t k = 0; layout_.head_scores && k < layout_.head_count(); ++k) {
      if (auto found = head_scores(n, k)) return found;
    }
    return std::nullopt;
  }

  /// Whether the reasons agree. Older versions had one reason for all files that are neither JPEG nor PNG.
  [[nodiscard]] bool same_reason(std::int64_t n) const {
    const auto held = static_cast<Reason>(held_.reason[static_cast<std::size_t>(n)]);
    const auto computed = static_cast<Reason>(computed_.reason[static_cast<std::size_t>(n)]);
    return held == computed || (held == Reason::not_an_image && coarse(computed) == held);
  }

  Found byte(const char* dataset, const std::vector<std::uint8_t>& held,
             const std::vector<std::uint8_t>& computed, std::int64_t n,
             std::string (*text)(std::uint8_t)) const {
    const auto at = static_cast<std::size_t>(n);
    if (held[at] == computed[at]) return std::nullopt;
    return difference(dataset, n, "", text(held[at]), text(computed[at]));
  }

  Found fused_scores(std::int64_t n) {
    return scores("/fused/scores", n, "", row(held_.fused_scores, n, layout_.classes),
                  row(computed_.fused_scores, n, layout_.classes));
  }

  Found uncertainty(std::int64_t n) {
    const double tolerance = tolerance_of(row(computed_.fused_scores, n, layout_.classes));
    const auto at = static_cast<std::size_t>(n);
    for (const Measure& measure : kMeasures) {
      if (!(layout_.*measure.stored)) continue;
      ++deviations_.scores;
      auto found =
          score(fmt::format("/uncertainty/{}", config::name(measure.value)), n, "",
                (held_.*measure.column)[at], (computed_.*measure.column)[at], measure.spread * tolerance);
      if (found) return found;
    }
    return std::nullopt;
  }

  Found head_scores(std::int64_t n, std::int64_t k) {
    const std::int64_t at = n * layout_.head_count() + k;
    return scores("/heads/scores", n, head_name(k) + ", ", row(held_.head_scores, at, layout_.classes),
                  row(computed_.head_scores, at, layout_.classes));
  }

  Found scores(const char* dataset, std::int64_t n, const std::string& place, std::span<const float> held,
               std::span<const float> computed) {
    deviations_.scores += static_cast<std::int64_t>(held.size());
    if (same_bits(held, computed)) return std::nullopt;
    const double tolerance = tolerance_of(computed);
    for (std::size_t c = 0; c < held.size(); ++c) {
      auto found = score(dataset, n, fmt::format("{}class {}", place, c), held[c], computed[c], tolerance);
      if (found) return found;
    }
    return std::nullopt;
  }

  Found score(const std::string& dataset, std::int64_t n, const std::string& place, float held,
              float computed, double tolerance) {
    if (std::bit_cast<std::uint32_t>(held) == std::bit_cast<std::uint32_t>(computed)) return std::nullopt;
    if (how_ == Comparison::bits || !close(held, computed, tolerance))
      return difference(dataset, n, place, shown(held), shown(computed));
    count_deviation(held, computed, tolerance);
    return std::nullopt;
  }

  void count_deviation(float held, float computed, double tolerance) {
    ++deviations_.other_scores;
    if (!std::isfinite(held)) return;  // both are then equal
    const double apart = std::abs(static_cast<double>(held) - static_cast<double>(computed));
    deviations_.largest = std::max(deviations_.largest, apart);
    deviations_.share = std::max(deviations_.share, apart / tolerance);
  }

  Found fused_prediction(std::int64_t n) {
    const auto at = static_cast<std::size_t>(n);
    return prediction("/fused/prediction", n, "", held_.fused_prediction[at], computed_.fused_prediction[at],
                      [&] {
                        return near_tie(held_.fused_prediction[at], computed_.fused_prediction[at],
                                        row(held_.fused_scores, n, layout_.classes),
                                        row(computed_.fused_scores, n, layout_.classes));
                      });
  }

  Found head_prediction(std::int64_t n, std::int64_t k) {
    const std::int64_t at = n * layout_.head_count() + k;
    const std::int32_t held = held_.head_prediction[static_cast<std::size_t>(at)];
    const std::int32_t computed = computed_.head_prediction[static_cast<std::size_t>(at)];
    return prediction("/heads/prediction", n, head_name(k), held, computed, [&] {
      const auto now = row(computed_.head_scores, at, layout_.classes);
      const auto then = layout_.head_scores ? row(held_.head_scores, at, layout_.classes) : now.first(0);
      return near_tie(held, computed, then, now);
    });
  }

  template <class NearTie>
  Found prediction(const char* dataset, std::int64_t n, const std::string& place, std::int32_t held,
                   std::int32_t computed, NearTie near_tie) {
    ++deviations_.predictions;
    if (held == computed) return std::nullopt;
    if (how_ == Comparison::bits || !near_tie())
      return difference(dataset, n, place, shown(held), shown(computed));
    ++deviations_.other_predictions;
    return std::nullopt;
  }

  /// Whether rounding may have turned class `computed` into class `held`. `then`: the file's own scores, in
  /// which `held` must be a highest one; or empty.
  [[nodiscard]] bool near_tie(std::int32_t held, std::int32_t computed, std::span<const float> then,
                              std::span<const float> now) const {
    const auto is_class = [&](std::int32_t c) { return c >= 0 && c < layout_.classes; };
    if (!is_class(held) || !is_class(computed)) return false;
    const float other = now[static_cast<std::size_t>(held)];
    const float top = now[static_cast<std::size_t>(computed)];
    const bool highest =
        then.empty() || then[static_cast<std::size_t>(held)] == *std::max_element(then.begin(), then.end());
    return highest && static_cast<double>(top) - static_cast<double>(other) <= 2 * tolerance_of(now);
  }

  [[nodiscard]] std::string head_name(std::int64_t k) const {
    return "head " + layout_.heads[static_cast<std::size_t>(k)];
  }

  [[nodiscard]] Difference difference(const std::string& dataset, std::int64_t n, std::string place,
                                      std::string held, std::string computed) const {
    return {dataset, held_.batch * layout_.batch + n, std::move(place), std::move(held), std::move(computed)};
  }

  const store::Layout& layout_;
  const store::Rows& held_;
  const store::Rows& computed_;
  Comparison how_;
  Deviations& deviations_;
};

}  // namespace

double tolerance_of(std::span<const float> computed) {
  double largest = 0;
  for (const float score : computed) {
    if (std::isfinite(score)) largest = std::max(largest, std::abs(static_cast<double>(score)));
  }
  return kAbsoluteTolerance + kRelativeTolerance * largest;
}

std::optional<Difference> compare_rows(const store::Layout& layout, const store::Rows& held,
                                       const store::Rows& computed, Comparison how, Deviations& deviations) {
  return RowComparison(layout, held, computed, how, deviations).first();
}

}  // namespace polyhead::run
