#include "polyhead/run/resume.hpp"

#include <cmath>
#include <map>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "changes.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/log.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/run/identity.hpp"
#include "polyhead/run/verify.hpp"
#include "polyhead/store/resume.hpp"

namespace polyhead::run {
namespace {

namespace fs = std::filesystem;

/// What an entry of the identity is called in the configuration.
const std::map<std::string, std::string_view>& option_names() {
  static const std::map<std::string, std::string_view> kNames{
      {"backbone", "backbone.arch"},     {"precision", "backbone.precision"},
      {"engine", "backbone.engine"},     {"fusion", "fusion.rule"},
      {"samples", "number of samples"},  {"limits", "data.max_pixels, data.max_file_size"},
      {"preprocess", "data.preprocess"}, {"batch", "parallel.batch"}};
  return kNames;
}

/// Entries that are digests: their values say nothing to anybody.
const std::map<std::string, std::string_view>& digested_parts() {
  static const std::map<std::string, std::string_view> kParts{
      {"weights", "weights: those of the backbone or of a head are others now"},
      {"heads",
       "heads: their names, their order, their layers or their weights in the fusion are others now"},
      {"data", "data: the samples, their order, their labels or their content are others now"},
      {"classes", "data.classes: the outputs that the labels stand for, or their names, are others now"}};
  return kParts;
}

std::string in_words(const Change& change) {
  const auto part = digested_parts().find(change.key);
  if (part != digested_parts().end()) return std::string(part->second);
  const auto name = option_names().find(change.key);
  std::string text = describe(
      {name == option_names().end() ? change.key : std::string(name->second), change.held, change.now});
  if (change.key == "batch") text += "; without the option, or with 'auto', a run keeps that of the file";
  return text;
}

void check_same_job(const store::Reader& reader, Inputs& inputs) {
  const fs::path& output = reader.path();
  std::vector<std::string> changed = identity_changes(reader.text("identity"), identity_json(inputs), output);
  const bool held = reader.layout().head_scores;
  if (held != inputs.config.output.head_scores)
    changed.push_back(fmt::format("output.head_scores: {} in the file, {} now", held, !held));
  if (changed.empty()) return check_layout(reader.layout(), inputs.layout(), output);
  throw Error(
      ExitCode::bad_data,
      fmt::format("{}: cannot be resumed, since this is another job than the one that began it:\n"
                  "changed: {}\nRestore what was changed, or give --overwrite to compute all anew, or "
                  "another output.path",
                  output.string(), join(changed, "\nchanged: ")));
}

void check_bad_samples(const store::Progress& progress, const Inputs& inputs) {
  const std::int64_t most = most_bad(inputs);
  if (progress.quarantined <= most) return;
  throw Error(ExitCode::bad_data,
              fmt::format("{}: {} quarantined by earlier runs, data.max_bad allows {} of {}. List them: "
                          "polyhead info --bad; then mend the data, or allow more: --set data.max_bad=5%",
                          inputs.config.output.path.string(),
                          progress.quarantined == 1 ? "1 sample is"
                                                    : fmt::format("{} samples are", progress.quarantined),
                          most, inputs.shape.size));
}

}  // namespace

std::int64_t most_bad(const Inputs& inputs) {
  return static_cast<std::int64_t>(
      std::floor(inputs.config.data.max_bad * static_cast<double>(inputs.shape.size)));
}

Resumption open_to_resume(Inputs& inputs) {
  const fs::path& output = inputs.config.output.path;
  Resumption file;
  file.lock = std::make_unique<store::OutputLock>(output);
  const store::Reader reader(output);
  check_same_job(reader, inputs);
  file.offsets = reader.offsets();
  file.committed = store::committed_of(reader);
  file.progress = reader.progress();
  file.fingerprint = reader.text("fingerprint");
  check_bad_samples(file.progress, inputs);
  return file;
}

std::vector<std::string> identity_changes(const std::string& held, const std::string& now,
                                          const fs::path& result) {
  const nlohmann::json then = parse_object(held);
  if (!then.is_object()) {
    throw Error(
        ExitCode::bad_data,
        fmt::format("{}:/job/identity: is no JSON object: the file is altered or damaged", result.string()));
  }
  std::vector<std::string> texts;
  for (const Change& change : changes(then, parse_object(now))) texts.push_back(in_words(change));
  return texts;
}

std::string compare_fingerprints(const std::string& held, const std::string& now, bool allow_mixed,
                                 const fs::path& result) {
  const nlohmann::json then = parse_object(held);
  if (!then.is_object()) {
    throw Error(ExitCode::bad_data, fmt::format("{}:/job/fingerprint: is no JSON object: the file is altered "
                                                "or damaged",
                                                result.string()));
  }
  std::string different = join(describe(changes(then, parse_object(now))), "; ");
  if (different.empty()) return "";
  const std::string message =
      fmt::format("{}: this machine would not compute the same bits as the one that began the file: {}",
                  result.string(), different);
  if (!allow_mixed) {
    throw Error(ExitCode::config,
                message +
                    "\nResume on a machine of that kind, or accept last-digit differences with "
                    "--allow-mixed, which marks the file");
  }
  log::warning(message);
  return different;
}

void certify(store::Writer& writer, const fs::path& output, const Summarise& summarise,
             const std::optional<metrics::RunFigures>& figures) {
  const store::Reader reader(output);
  const nlohmann::ordered_json certificate{{"digest", "xxh128:" + reader.results_digest().hex()}};
  writer.write_certificate(certificate.dump());
  writer.write_summary(summarise(reader, figures));
  writer.finish();
}

void complete(const Resumption& file, Inputs& inputs, const Summarise& summarise) {
  const fs::path& output = inputs.config.output.path;
  log::info(fmt::format("{}: is complete already: nothing is left to compute", output.string()));
  const store::Reader reader(output);
  const CertificateCheck certificate = check_certificate(reader);
  if (!certificate.digest.empty() && !certificate.breach.empty()) {
    throw Error(ExitCode::bad_data, fmt::format("{}: altered or damaged: {}. See what: polyhead verify; "
                                                "compute it again with --overwrite",
                                                output.string(), certificate.breach));
  }
  if (!certificate.digest.empty() && parse_object(reader.text("summary")).is_object()) return;
  log::info(
      "the certificate or the summary is missing, as after a crash at the very end: both are written now");
  store::Writer writer(store::open_to_resume(output), reader.layout(), file.offsets, file.committed);
  certify(writer, output, summarise, std::nullopt);
}

}  // namespace polyhead::run
