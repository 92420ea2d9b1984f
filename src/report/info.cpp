#include <algorithm>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "chunks.hpp"
#include "polyhead/base/sample.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/report/summary.hpp"
#include "polyhead/store/columns.hpp"
#include "text.hpp"

namespace polyhead::report {
namespace {

constexpr std::size_t kNames = 20;         // limit of listed heads and classes
constexpr std::size_t kRanges = 10;        // limit of listed ranges of missing samples
constexpr std::size_t kTextBytes = 16384;  // limit of the bytes shown of one text of /job

std::string shortened(std::vector<std::string> names) {
  const std::size_t all = names.size();
  if (all <= kNames) return join(names);
  names.resize(kNames);
  return fmt::format("{}, ... and {} more", join(names), all - kNames);
}

std::string heads_line(const store::Layout& layout) {
  std::vector<std::string> heads;
  for (std::size_t k = 0; k < layout.heads.size(); ++k) {
    heads.push_back(fmt::format("{} (weight {})", one_line(layout.heads[k]), layout.head_weights[k]));
  }
  return fmt::format("{}: {}", layout.heads.size(), shortened(std::move(heads)));
}

/// Line about the stored uncertainty; nothing where none is stored.
std::string uncertainty_line(const store::Layout& layout) {
  constexpr std::string_view kGroup = "/uncertainty/";
  std::vector<std::string> measures;
  for (const store::RowColumn& column : store::kRowColumns) {
    const std::string_view name = column.name;
    if (name.starts_with(kGroup) && store::has_column(layout, column))
      measures.emplace_back(name.substr(kGroup.size()));
  }
  return measures.empty() ? "" : fmt::format("uncertainty  {}\n", join(measures));
}

std::string layout_lines(const store::Layout& layout) {
  std::string text = fmt::format("samples      {} in {} micro-batch{} of {}\n", layout.samples,
                                 layout.batches(), layout.batches() == 1 ? "" : "es", layout.batch);
  text += fmt::format("classes      {}{}\n", layout.classes,
                      layout.class_names.empty() ? "" : ": " + shortened(layout.class_names));
  text += fmt::format("heads        {}\n", heads_line(layout));
  text += fmt::format("fusion       {}\n", layout.fusion_rule);
  text += fmt::format("head scores  {}\n", layout.head_scores ? "kept" : "not kept");
  return text + uncertainty_line(layout);
}

/// "640-799, 900-959": the first samples whose micro-batches are not done.
std::string missing(const std::vector<std::uint8_t>& ledger, const store::Layout& layout) {
  std::vector<std::string> ranges;
  for (auto open = std::find(ledger.begin(), ledger.end(), 0); open != ledger.end();) {
    if (ranges.size() == kRanges) return join(ranges) + ", ...";
    const auto done = std::find(open, ledger.end(), 1);
    const std::int64_t first = (open - ledger.begin()) * layout.batch;
    const std::int64_t end = std::min(layout.samples, (done - ledger.begin()) * layout.batch);
    ranges.push_back(fmt::format("{}-{}", first, end - 1));
    open = std::find(done, ledger.end(), 0);
  }
  return join(ranges);
}

std::string progress_lines(const store::Reader& reader) {
  const store::Layout& layout = reader.layout();
  const store::Progress progress = reader.progress();
  const std::string counts = fmt::format("{} done, {} quarantined", progress.done, progress.quarantined);
  std::string text =
      fmt::format("ledger       {}/{} micro-batches\n", progress.batches_done, layout.batches());
  if (progress.pending == 0) return text + fmt::format("progress     complete: {}\n", counts);
  text += fmt::format("progress     incomplete: {}, {} missing\n", counts, progress.pending);
  return text + fmt::format("missing      samples {}\n", missing(reader.ledger(), layout));
}

/// Line about mixed machines, which a start or a resume records. A command, a text in the same provenance
/// line, has its quotes escaped.
std::string mixed_line(const store::Reader& reader) {
  if (reader.text("provenance").find(R"("mixed_fingerprints":true)") == std::string::npos) return "";
  return "numerics     mixed: parts may differ in the last digits from those of one machine "
         "(--allow-mixed)\n";
}

std::string indented(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t end = std::min(text.size(), text.find('\n'));
    result += fmt::format("  {}\n", text.substr(0, end));
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  return result;
}

std::string section(const store::Reader& reader, const std::string& name) {
  std::string text = reader.text(name);
  if (text.empty()) return fmt::format("\n{}\n  (none)\n", name);
  const std::size_t all = text.size();
  if (all <= kTextBytes) return fmt::format("\n{}\n{}", name, indented(text));
  text.resize(kTextBytes);
  return fmt::format("\n{}\n{}  ... ({} in all: see /job/{})\n", name, indented(text), human_bytes(all),
                     name);
}

std::string bad_lines(const store::Reader& reader) {
  std::string lines;
  for_each_chunk(reader, [&](std::int64_t first, const store::Columns& rows) {
    for (std::size_t i = 0; i < rows.status.size(); ++i) {
      if (static_cast<SampleStatus>(rows.status[i]) != SampleStatus::quarantined) continue;
      const std::int64_t sample = first + static_cast<std::int64_t>(i);
      lines += fmt::format("  {}  {}  {}\n", sample, one_line(reader.sample_id(sample)),
                           describe(static_cast<Reason>(rows.reason[i])));
    }
  });
  return fmt::format("\nquarantined samples: number, id, reason\n{}", lines.empty() ? "  (none)\n" : lines);
}

}  // namespace

std::string info_text(const store::Reader& reader, const std::filesystem::path& path, bool bad) {
  std::string text =
      fmt::format("{}: result of polyhead, format version {}\n\n", path.string(), reader.format_version());
  text += layout_lines(reader.layout()) + progress_lines(reader) + mixed_line(reader);
  for (const auto* name : {"summary", "certificate", "provenance", "identity", "fingerprint", "config"}) {
    text += section(reader, name);
  }
  if (bad) text += bad_lines(reader);
  return printable(text);
}

}  // namespace polyhead::report
