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
#include "run/identity/fingerprint_changes.hpp"
#include "run/identity/json_diff.hpp"
#include "run/identity/shown_value.hpp"

namespace polyhead::run {
namespace {

bool all_done(const store::Reader& reader) {
  return std::ranges::all_of(reader.ledger(), [](std::uint8_t byte) { return byte == 1; });
}

std::string names(const std::vector<std::string>& all) {
  constexpr std::size_t kMost = 20;
  std::vector<std::string> some(all.begin(),
                                all.begin() + static_cast<std::ptrdiff_t>(std::min(kMost, all.size())));
  return printable(join(some)) + (all.size() > kMost ? ", ..." : "");
}

}  // namespace

CertificateCheck check_certificate(const store::Reader& reader) {
  const std::string text = reader.text("certificate");
  if (text.empty()) return {};
  const nlohmann::json certificate = parse_object(text);
  if (!certificate.is_object() || !certificate.contains("digest") || !certificate["digest"].is_string()) {
    return {"", fmt::format("the certificate cannot be read: {}", printable(text.substr(0, 200)))};
  }
  const auto digest = printable(certificate["digest"].get<std::string>());
  const std::string now = "xxh128:" + reader.results_digest().hex();
  if (digest != now) {
    return {digest, fmt::format("the certificate says {}, the result datasets have {}", digest, now)};
  }
  if (!all_done(reader)) {
    return {digest,
            "there is a certificate, which only a finished run gets, but the ledger has open micro-batches"};
  }
  return {digest, ""};
}

void check_identity(const std::string& held, const std::string& now, const std::filesystem::path& result) {
  const std::vector<std::string> changed = identity_changes(held, now, result);
  if (changed.empty()) return;
  throw Error(ExitCode::bad_data,
              fmt::format("{}: the inputs are not those that the file was computed from:\nchanged: {}\nGive "
                          "the run's own inputs; where they have moved, name them with --data or --set",
                          result.string(), join(changed, "\nchanged: ")));
}

void check_layout(const store::Layout& held, const store::Layout& now, const std::filesystem::path& result) {
  std::vector<std::string> found;
  const auto compare = [&](bool same, const char* what, const std::string& then, const std::string& today) {
    if (!same)
      found.push_back(fmt::format("{}: the file holds {}, the configuration gives {}", what, then, today));
  };
  const auto number = [&](const char* what, std::int64_t then, std::int64_t today) {
    compare(then == today, what, fmt::to_string(then), fmt::to_string(today));
  };
  number("samples", held.samples, now.samples);
  number("classes", held.classes, now.classes);
  number("batch", held.batch, now.batch);
  compare(held.fusion_rule == now.fusion_rule, "fusion_rule", printable(held.fusion_rule), now.fusion_rule);
  compare(held.heads == now.heads, "/heads/name", names(held.heads), names(now.heads));
  compare(held.head_weights == now.head_weights, "/heads/weight",
          fmt::format("{}", fmt::join(held.head_weights, ", ")),
          fmt::format("{}", fmt::join(now.head_weights, ", ")));
  compare(held.class_names == now.class_names, "/classes/name", names(held.class_names),
          names(now.class_names));
  if (found.empty()) return;
  throw Error(ExitCode::bad_data, fmt::format("{}: is altered or damaged, or not of this job:\n{}",
                                              result.string(), join(found, "\n")));
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
    // The quotient first, since the product may not fit.
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
