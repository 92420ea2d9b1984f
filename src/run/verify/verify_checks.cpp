#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "polyhead/base/error.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/run/resume.hpp"
#include "polyhead/run/verify.hpp"
#include "run/display/shown_value.hpp"
#include "run/identity/fingerprint_changes.hpp"
#include "run/identity/json_diff.hpp"

namespace polyhead::run {
void check_identity(const std::string& held, const std::string& now, const std::filesystem::path& result) {
  const std::vector<std::string> changed = identity_changes(held, now, result);
  if (changed.empty()) return;
  throw Error(ExitCode::bad_data,
              fmt::format("{}: the inputs are not those that the file was computed from:\nchanged: {}\nGive "
                          "the run's own inputs; where they have moved, name them with --data or --set",
                          result.string(), join(changed, "\nchanged: ")));
}

std::string why_other_bits(const std::string& held, const Fingerprint& now, const std::string& provenance) {
  const nlohmann::json then = parse_object(held);
  if (!then.is_object()) return "/job/fingerprint cannot be read";
  const std::vector<std::string> other = describe(fingerprint_changes(then, now));
  if (!other.empty()) return join(other, "; ");
  return was_mixed(provenance) ? "its ranks or its resumes had different ones (--allow-mixed)" : "";
}

std::vector<std::int64_t> spread(const std::vector<std::int64_t>& batches, std::int64_t count) {
  const auto all = static_cast<std::int64_t>(batches.size());
  if (count >= all) return batches;
  std::vector<std::int64_t> chosen;
  const std::int64_t gaps = std::max<std::int64_t>(1, count - 1);
  for (std::int64_t i = 0; i < count; ++i) {
    // Quotient first: the product may not fit.
    const std::int64_t at = (all - 1) / gaps * i + (all - 1) % gaps * i / gaps;
    chosen.push_back(batches[static_cast<std::size_t>(at)]);
  }
  return chosen;
}

std::optional<Difference> compare_batches(const store::Reader& reader,
                                          const std::vector<std::int64_t>& batches,
                                          const std::function<store::Rows()>& next, Comparison how,
                                          Deviations& deviations,
                                          const std::function<void(std::int64_t)>& progress) {
  std::int64_t samples = 0;
  for (const std::int64_t batch : batches) {
    const store::Rows computed = next();
    const store::Rows held = reader.rows(batch);
    if (auto difference = compare_rows(reader.layout(), held, computed, how, deviations)) return difference;
    samples += held.count;
    progress(samples);
  }
  return std::nullopt;
}

}  // namespace polyhead::run
