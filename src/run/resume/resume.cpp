#include "polyhead/run/resume.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <sstream>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "polyhead/base/error.hpp"
#include "polyhead/base/log.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/run/identity.hpp"
#include "polyhead/store/columns.hpp"
#include "polyhead/store/resume.hpp"
#include "run/identity/fingerprint_changes.hpp"
#include "run/identity/json_diff.hpp"
#include "run/identity/result_checks.hpp"
#include "run/setup/bad_samples.hpp"

namespace polyhead::run {
namespace {

namespace fs = std::filesystem;

/// Options of the configuration by entries of the identity.
const std::map<std::string, std::string_view>& option_names() {
  static const std::map<std::string, std::string_view> kNames{
      {"backbone", "backbone.arch"},     {"precision", "backbone.precision"},
      {"engine", "backbone.engine"},     {"fusion", "fusion.rule"},
      {"samples", "number of samples"},  {"limits", "data.max_pixels, data.max_file_size"},
      {"preprocess", "data.preprocess"}, {"batch", "parallel.batch"}};
  return kNames;
}

/// Entries that are digests, whose values mean nothing to people.
const std::map<std::string, std::string_view>& digested_parts() {
  static const std::map<std::string, std::string_view> kParts{
      {"members", "members: what one of them computes is another now"},
      {"weights", "weights: those of the backbone or of a head are others now"},
      {"heads",
       "heads: their names, their order, their layers or their weights in the fusion are others now"},
      {"data", "data: the names of the samples, their order or their labels are others now"},
      {"places", "data: samples have other places or sizes in their shards now"},
      {"classes", "data.classes: the outputs that the labels stand for, or their names, are others now"}};
  return kParts;
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

/// Samples that have changed, among those whose bytes the identity knows; nothing where that is unknown.
std::optional<std::vector<std::int64_t>> changed_samples(const Change& content, std::int64_t samples) {
  const std::vector<std::string> held = words_of(content.held);
  const std::vector<std::string> now = words_of(content.now);
  const std::vector<std::int64_t> numbers = data::digested_samples(samples);
  if (held.size() != numbers.size() || now.size() != numbers.size()) return std::nullopt;
  std::vector<std::int64_t> changed;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (held[i] != now[i]) changed.push_back(numbers[i]);
  }
  return changed;
}

std::string content_in_words(const Change& change, const nlohmann::json& now) {
  const auto changed = changed_samples(change, now.value("samples", std::int64_t{0}));
  if (!changed || changed->empty()) return "data: the content of samples is another one now";
  return fmt::format(
      "data: of {} samples that were looked at, {} other bytes now, the first of them is number {}",
      words_of(change.now).size(), changed->size() == 1 ? "1 has" : fmt::format("{} have", changed->size()),
      changed->front());
}

std::string in_words(const Change& change, const nlohmann::json& now) {
  if (change.key == "content") return content_in_words(change, now);
  const auto part = digested_parts().find(change.key);
  if (part != digested_parts().end()) return std::string(part->second);
  const auto name = option_names().find(change.key);
  std::string text = describe(
      {name == option_names().end() ? change.key : std::string(name->second), change.held, change.now});
  if (change.key == "batch") text += "; without the option, or with 'auto', a run keeps that of the file";
  return text;
}

nlohmann::json identity_object(const std::string& text, const fs::path& result) {
  nlohmann::json identity = parse_object(text);
  if (identity.is_object()) return identity;
  throw Error(
      ExitCode::bad_data,
      fmt::format("{}:/job/identity: is no JSON object: the file is altered or damaged", result.string()));
}

/// Whether a change of the data keeps all finished results valid. Only open micro-batches may hold changed
/// samples, which are read again. Samples of shards may move, where damaged ones were mended.
bool is_harmless(const Change& change, const store::Layout& layout, const std::vector<std::uint8_t>& ledger,
                 bool retry_bad) {
  if (change.key == "places") return retry_bad && std::ranges::find(ledger, 0) != ledger.end();
  if (change.key != "content") return false;
  const auto changed = changed_samples(change, layout.samples);
  return changed && std::ranges::all_of(*changed, [&](std::int64_t sample) {
           return ledger.at(static_cast<std::size_t>(sample / layout.batch)) != 1;
         });
}

/// Columns that only the file or only the job has, in words.
std::vector<std::string> changed_columns(const store::Layout& held, const store::Layout& now) {
  std::vector<std::string> changed;
  for (const store::RowColumn& column : store::kRowColumns) {
    const bool has = store::has_column(held, column);
    if (has == store::has_column(now, column)) continue;
    changed.push_back(fmt::format("{}: {} in the file, {} now", column.option, has ? "stored" : "not stored",
                                  has ? "not" : "stored"));
  }
  return changed;
}

/// Change that mended samples make in the identity, as JSON. Throws Error(bad_data) where anything else
/// differs.
std::string check_same_job(const store::Reader& reader, Inputs& inputs,
                           const std::vector<std::uint8_t>& ledger, bool retry_bad) {
  const fs::path& output = reader.path();
  const nlohmann::json held = identity_object(identity_of(reader), output);
  const nlohmann::json now = parse_object(identity_json(inputs));
  std::vector<std::string> refused;
  nlohmann::json accepted;
  bool only_data = true;
  for (const Change& change : changes(held, now)) {
    if (is_harmless(change, reader.layout(), ledger, retry_bad)) {
      accepted[change.key] = now[change.key];
    } else {
      refused.push_back(in_words(change, now));
      only_data = only_data && (change.key == "places" || change.key == "content");
    }
  }
  const std::vector<std::string> columns = changed_columns(reader.layout(), inputs.layout());
  refused.insert(refused.end(), columns.begin(), columns.end());
  only_data = only_data && columns.empty();
  if (!refused.empty()) {
    throw Error(ExitCode::bad_data,
                fmt::format("{}: cannot be resumed, since this is another job than the one that began it:\n"
                            "changed: {}\nRestore what was changed, or give --overwrite to compute all anew, "
                            "or another output.path{}",
                            output.string(), join(refused, "\nchanged: "),
                            only_data && !retry_bad
                                ? ". Where quarantined samples were mended, --retry-bad computes them again"
                                : ""));
  }
  check_layout(reader.layout(), inputs.layout(), output);
  return accepted.is_object() ? accepted.dump() : "";
}

void check_bad_samples(const store::Progress& progress, const Inputs& inputs) {
  const std::int64_t most = most_bad(inputs);
  if (progress.quarantined <= most) return;
  const BadSamples bad{progress.quarantined, progress.done + progress.quarantined, inputs.shape.size};
  throw TooManyBad(
      fmt::format(
          "{}: {} quarantined by earlier runs, data.max_bad allows {} of {}. List them: polyhead info "
          "--bad {}; then mend the data and give --retry-bad, or allow more (at this rate it will be "
          "{}): {}",
          inputs.config.output.path.string(),
          bad.quarantined == 1 ? "1 sample is" : fmt::format("{} samples are", bad.quarantined), most,
          bad.samples, inputs.config.output.path.string(), expected_bad(bad), advised_option(bad)),
      bad);
}

}  // namespace

std::int64_t most_bad(const Inputs& inputs) {
  return inputs.config.data.max_bad.of(inputs.shape.size);
}

Resumption open_to_resume(Inputs& inputs, bool retry_bad) {
  const fs::path& output = inputs.config.output.path;
  Resumption file;
  file.lock = std::make_unique<store::OutputLock>(output);
  const store::Reader reader(output);
  file.offsets = reader.offsets();
  file.committed = store::committed_of(reader);
  if (retry_bad) file.reopened = store::batches_with_bad_samples(reader);
  std::vector<std::uint8_t> ledger = file.committed.ledger;
  for (const std::int64_t batch : file.reopened) ledger[static_cast<std::size_t>(batch)] = 0;
  file.data_change = check_same_job(reader, inputs, ledger, retry_bad);
  file.missing = plan::missing_in(ledger);
  file.progress = reader.progress(ledger);
  file.fingerprint = reader.text("fingerprint");
  check_bad_samples(file.progress, inputs);
  return file;
}

std::string identity_of(const store::Reader& reader) {
  std::string text = reader.text("identity");
  nlohmann::json identity = parse_object(text);
  if (!identity.is_object()) return text;
  for (const nlohmann::json& line : provenance_lines(reader.text("provenance"))) {
    if (line.contains("data") && line["data"].is_object()) identity.update(line["data"]);
  }
  return identity.dump();
}

std::vector<std::string> identity_changes(const std::string& held, const std::string& now,
                                          const fs::path& result) {
  const nlohmann::json then = identity_object(held, result);
  const nlohmann::json today = parse_object(now);
  std::vector<std::string> texts;
  for (const Change& change : changes(then, today)) texts.push_back(in_words(change, today));
  return texts;
}

std::string compare_fingerprints(const std::string& held, const Fingerprint& now, bool allow_mixed,
                                 const fs::path& result) {
  const nlohmann::json then = parse_object(held);
  if (!then.is_object()) {
    throw Error(ExitCode::bad_data, fmt::format("{}:/job/fingerprint: is no JSON object: the file is altered "
                                                "or damaged",
                                                result.string()));
  }
  std::string different = join(describe(fingerprint_changes(then, now)), "; ");
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
