#include "polyhead/store/resume.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "format.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/sample.hpp"
#include "posix_file.hpp"

namespace polyhead::store {
namespace {

constexpr std::int64_t kStatusChunk = 1 << 20;

[[noreturn]] void fail(const Reader& reader, const std::string& what) {
  throw Error(ExitCode::bad_data,
              fmt::format("{}: is damaged: {}. It cannot be resumed; compute it again with --overwrite",
                          reader.path().string(), what));
}

void check_ledger(const Reader& reader, const std::vector<std::uint8_t>& ledger) {
  const auto odd = std::ranges::find_if(ledger, [](std::uint8_t byte) { return byte > 1; });
  if (odd != ledger.end()) {
    fail(reader, fmt::format("{} holds {} for micro-batch {}, expected 0 or 1", format::kLedger, *odd,
                             odd - ledger.begin()));
  }
}

/// A finished micro-batch has no pending sample.
void check_status(const Reader& reader, const std::vector<std::uint8_t>& ledger) {
  const Layout& layout = reader.layout();
  std::int64_t finished = 0;
  for (std::size_t batch = 0; batch < ledger.size(); ++batch) {
    const std::int64_t first = static_cast<std::int64_t>(batch) * layout.batch;
    if (ledger[batch] == 1) finished += std::min(layout.batch, layout.samples - first);
  }
  const Progress progress = reader.progress();
  if (progress.done + progress.quarantined == finished) return;
  fail(reader, fmt::format("{} samples belong to finished micro-batches, but {} says so of {}", finished,
                           format::kStatus, progress.done + progress.quarantined));
}

}  // namespace

Committed committed_of(const Reader& reader) {
  Committed committed;
  committed.ledger = reader.ledger();
  check_ledger(reader, committed.ledger);
  check_status(reader, committed.ledger);
  const std::string area = reader.area("provenance");
  const std::string_view text = std::string_view(area).substr(0, area.find('\0'));
  // Drops a line that a crash has cut; find gives npos + 1 == 0 where there is no whole line.
  committed.provenance_used = text.rfind('\n') + 1;
  committed.provenance_dirty = area.find_last_not_of('\0') + 1;
  return committed;
}

std::vector<std::int64_t> batches_with_bad_samples(const Reader& reader) {
  const std::vector<std::uint8_t> ledger = reader.ledger();
  const Layout& layout = reader.layout();
  std::vector<std::int64_t> found;
  for (std::int64_t first = 0; first < layout.samples; first += kStatusChunk) {
    const auto status = reader.status(first, std::min(kStatusChunk, layout.samples - first));
    for (std::size_t i = 0; i < status.size(); ++i) {
      if (status[i] != static_cast<std::uint8_t>(SampleStatus::quarantined)) continue;
      const std::int64_t batch = (first + static_cast<std::int64_t>(i)) / layout.batch;
      const bool seen = !found.empty() && found.back() == batch;
      if (!seen && ledger[static_cast<std::size_t>(batch)] == 1) found.push_back(batch);
    }
  }
  return found;
}

std::unique_ptr<File> open_to_resume(const std::filesystem::path& path) {
  auto file = std::make_unique<PosixFile>(path);
  file->reserve();
  return file;
}

}  // namespace polyhead::store
