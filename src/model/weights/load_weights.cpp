#include "polyhead/model/load_weights.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "expected.hpp"
#include "fold.hpp"
#include "head_match.hpp"
#include "naming.hpp"
#include "pack.hpp"
#include "part_notes.hpp"
#include "part_problems.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/checkpoint/fail.hpp"
#include "polyhead/config/names.hpp"
#include "polyhead/model/head_spec.hpp"
#include "polyhead/model/layout.hpp"
#include "polyhead/resnet/spec.hpp"
#include "problems.hpp"
#include "reading.hpp"
#include "trunk.hpp"

namespace polyhead::model {
namespace {

Lookup lookup_of(const Naming& naming, const std::optional<std::string>& prefix) {
  return {prefix, [&naming](const std::string& ours) { return std::vector{naming.in_file(ours)}; },
          naming.in_trunk, nullptr};
}

/// All readings that fit, in any naming; where none fits, the nearest.
std::vector<Match> match_in_namings(const checkpoint::Checkpoint& file,
                                    const std::vector<ExpectedParameter>& expected,
                                    const std::optional<std::string>& prefix) {
  std::vector<Match> fitting;
  std::vector<Match> nearest;
  for (const Naming& naming : namings()) {
    std::vector<Match> matches = match_parameters(file, expected, lookup_of(naming, prefix));
    for (Match& match : matches) match.naming = naming.said;
    if (matches.front().fits()) {
      std::ranges::move(matches, std::back_inserter(fitting));
    } else if (nearest.empty() || matches.front().right > nearest.front().right) {
      nearest = std::move(matches);
    }
  }
  if (fitting.empty()) return nearest;
  return fitting;
}

std::vector<Match> match_backbone(const checkpoint::Checkpoint& file,
                                  const std::vector<ExpectedParameter>& expected,
                                  const config::Backbone& backbone) {
  const auto prefix = prefix_in(file, backbone.prefix);
  if (backbone.rename.empty()) return match_in_namings(file, expected, prefix);
  Lookup lookup = lookup_of(namings().front(), prefix);
  lookup.in_file = [&](const std::string& ours) { return renamed_in_file(backbone.rename, ours); };
  return match_parameters(file, expected, lookup);
}

/// Replaces the problems where the user's prefix does not fit, but another one does.
std::vector<Match> with_other_prefix(std::vector<Match> matches, const std::optional<std::string>& given,
                                     const std::function<std::vector<Match>()>& without_prefix) {
  if (!given || matches.front().fits()) return matches;
  const std::vector<Match> others = without_prefix();
  if (others.front().fits())
    matches.front().problems = {
        fmt::format("does not fit with prefix: '{}', but with prefix: '{}'", *given, others.front().prefix)};
  return matches;
}

/// Reads file after file and collects the errors of all. Nothing is packed after the first error.
class Loader {
 public:
  explicit Loader(const config::Config& config)
      : config_(config),
        spec_(resnet::spec_of(config.backbone.arch)),
        trunk_(expected_of(spec_)),
        layout_(make_layout(config)) {
    weights_.feature_width = layout_.feature_width;
    weights_.classes = layout_.classes;
  }

  Weights load(Findings& findings) {
    Packer packer(layout_, weights_.values);
    load_backbone(packer);
    for (const config::Head& head : config_.heads) load_head(head, packer);
    file_problems_.count_the_rest();
    trunk_problems_.count_the_rest();
    problems_.throw_if_any();
    check_folded();
    note_twins(config_.heads, layout_, weights_, part_notes_);
    findings = part_notes_.take();
    weights_.parameters = std::move(layout_.parameters);
    return std::move(weights_);
  }

 private:
  /// Reads a part. `what` names it in messages; `use` is called when the file fits.
  void load_file(const std::filesystem::path& file, const std::string& key, Part part,
                 const std::string& what, const std::vector<ExpectedParameter>& expected, const Fit& fit,
                 const std::function<void(const Reading&)>& use) {
    try {
      Reading reading = choose_reading(files_, file, key, part, fit);
      std::vector<std::string>& found = reading.match.problems;
      const auto values = value_problems(reading.match, expected);
      found.insert(found.end(), values.begin(), values.end());
      if (!found.empty()) return file_problems_.add(what, file, found);
      use(reading);
    } catch (const Error& error) {
      problems_.add(error.code(), fmt::format("{}: {}", what, error.what()));
    }
  }

  void load_backbone(Packer& packer) {
    const config::Backbone& backbone = config_.backbone;
    const std::string arch(config::name(backbone.arch));
    const Fit fit = [&](const checkpoint::Checkpoint& file) {
      return with_other_prefix(match_backbone(file, trunk_, backbone), backbone.prefix, [&] {
        config::Backbone any = backbone;
        any.prefix.reset();
        return match_backbone(file, trunk_, any);
      });
    };
    load_file(backbone.weights, backbone.key, Part::backbone, "backbone " + arch, trunk_, fit,
              [&](const Reading& reading) {
                for (const resnet::ConvSpec& conv : convolutions(spec_))
                  pack_conv(reading.match, conv, backbone.batchnorm_eps, packer);
                part_notes_.backbone(backbone, reading);
                backbone_ = reading;
              });
    if (!backbone_) suggest_arch();
  }

  void suggest_arch() {
    const config::Backbone& backbone = config_.backbone;
    for (const auto arch : {config::Arch::resnet18, config::Arch::resnet34, config::Arch::resnet50}) {
      if (arch != backbone.arch && file_fits(resnet::spec_of(arch)))
        problems_.add(ExitCode::bad_data, fmt::format("{} fits backbone.arch: {}", backbone.weights.string(),
                                                      config::name(arch)));
    }
  }

  bool file_fits(const resnet::Spec& spec) {
    const config::Backbone& backbone = config_.backbone;
    const auto expected = expected_of(spec);
    try {
      const auto entries = list_entries(files_, backbone.weights, backbone.key);
      return std::ranges::any_of(entries, [&](const ListedEntry& entry) {
        return match_backbone(*entry.tensors, expected, backbone).front().fits();
      });
    } catch (const Error&) {
      return false;  // already reported
    }
  }

  void load_head(const config::Head& head, Packer& packer) {
    const auto steps = head_steps(head, spec_.feature_width);
    const std::string hint = fmt::format("the backbone {} gives {} features",
                                         config::name(config_.backbone.arch), spec_.feature_width);
    const auto expected = expected_of(steps, hint);
    const Fit fit = [&](const checkpoint::Checkpoint& file) {
      return match_beside_trunk(file, expected, head);
    };
    load_file(head.weights, head.key, Part::head, fmt::format("head '{}'", head.name), expected, fit,
              [&](const Reading& reading) {
                check_trunk(head, reading);
                if (problems_.any()) return;
                for (const HeadStep& step : steps) pack_step(reading.match, step, head.batchnorm_eps, packer);
              });
  }

  [[nodiscard]] TakenTensors tensors_of_trunks(const checkpoint::Checkpoint& file) const {
    TakenTensors taken;
    for (const Trunk& trunk : find_trunks(file, trunk_, config_.backbone.rename))
      taken.insert(trunk.tensors.begin(), trunk.tensors.end());
    return taken;
  }

  [[nodiscard]] std::vector<Match> match_beside_trunk(const checkpoint::Checkpoint& file,
                                                      const std::vector<ExpectedParameter>& expected,
                                                      const config::Head& head) const {
    const TakenTensors taken = tensors_of_trunks(file);
    const auto prefix = prefix_in(file, head.prefix);
    return with_other_prefix(match_head(file, expected, {prefix, head.rename, &taken}), head.prefix, [&] {
      return match_head(file, expected, {{}, head.rename, &taken});
    });
  }

  /// Backbones in a head's file, and their tensors.
  struct Beside {
    std::vector<std::shared_ptr<const checkpoint::Checkpoint>> files;
    std::vector<Trunk> trunks;
  };

  /// Trunks in the head's own dict or, where that has none, in the file's others: {"backbone": ..., "head":
  /// ...}.
  [[nodiscard]] Beside trunks_beside(const config::Head& head, const Reading& reading) {
    Beside beside{{reading.file}, find_trunks(*reading.file, trunk_, config_.backbone.rename)};
    if (!beside.trunks.empty()) return beside;
    const std::vector<ListedEntry> entries = list_entries(files_, head.weights, "");
    if (entries.size() == 1) return beside;
    for (const ListedEntry& entry : entries) {
      if (find_trunks(*entry.tensors, trunk_, config_.backbone.rename).empty()) continue;
      beside.files.push_back(files_.read(head.weights, entry.key));
      for (Trunk& trunk : find_trunks(*beside.files.back(), trunk_, config_.backbone.rename))
        beside.trunks.push_back(std::move(trunk));
    }
    return beside;
  }

  void check_trunk(const config::Head& head, const Reading& reading) {
    const Beside beside = trunks_beside(head, reading);
    const std::vector<Trunk>& trunks = beside.trunks;
    part_notes_.head(head, reading, tensors_of_trunks(*reading.file));
    if (trunks.empty() || !backbone_ || head.trunk == config::Trunk::ignore) return;
    const auto difference = [&](const Trunk& trunk) {
      return compare_trunk(trunk, backbone_->match, trunk_);
    };
    const Trunk* trunk =
        trunk_of_head(trunks, reading.match.prefix, [&](const Trunk& one) { return !difference(one).any(); });
    const TrunkDifference found = difference(*trunk);
    if (found.any()) trunk_problems_.add(head, config_.backbone.weights, found);
  }

  /// Checks the folded values. A tiny variance or a huge factor can overflow fp32 although every parameter is
  /// finite.
  void check_folded() const {
    for (const Parameter& parameter : layout_.parameters) {
      const auto values = std::span(weights_.values)
                              .subspan(static_cast<std::size_t>(parameter.offset),
                                       static_cast<std::size_t>(parameter.elements()));
      const bool finite = std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
      if (finite) continue;
      throw Error(ExitCode::bad_data,
                  fmt::format("{}: folding the batch norm into it overflows fp32", parameter.name));
    }
  }

  const config::Config& config_;
  resnet::Spec spec_;
  std::vector<ExpectedParameter> trunk_;
  Layout layout_;
  Weights weights_;
  WeightsFiles files_;
  std::optional<Reading> backbone_;  // reference for the heads' own trunks
  Problems problems_;
  FileProblems file_problems_{problems_};
  TrunkProblems trunk_problems_{problems_};
  PartNotes part_notes_;
};

}  // namespace

Weights load_weights(const config::Config& config, Findings& findings) {
  return Loader(config).load(findings);
}

Weights load_weights(const config::Config& config, Notes& notes) {
  Findings findings;
  Weights weights = load_weights(config, findings);
  notes = std::move(findings.notes);
  notes.insert(notes.end(), findings.warnings.begin(), findings.warnings.end());
  return weights;
}

}  // namespace polyhead::model
