#include "result_checks.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "json_diff.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/text.hpp"
#include "run/display/shown_value.hpp"

namespace polyhead::run {
namespace {

bool all_done(const store::Reader& reader) {
  return std::ranges::all_of(reader.ledger(), [](std::uint8_t byte) { return byte == 1; });
}

std::string names(const std::vector<std::string>& all) {
  constexpr std::size_t kMax = 20;
  std::vector<std::string> some(all.begin(),
                                all.begin() + static_cast<std::ptrdiff_t>(std::min(kMax, all.size())));
  return printable(join(some)) + (all.size() > kMax ? ", ..." : "");
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

}  // namespace polyhead::run
