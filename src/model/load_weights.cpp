#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/format.h>

#include "expected.hpp"
#include "fold.hpp"
#include "pack.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/config/names.hpp"
#include "polyhead/model/checkpoint.hpp"
#include "polyhead/model/head_spec.hpp"
#include "polyhead/model/layout.hpp"
#include "polyhead/model/weights.hpp"
#include "polyhead/resnet/spec.hpp"
#include "problems.hpp"

namespace polyhead::model {
namespace {

const std::vector<std::string_view> kClassifier{"fc.weight", "fc.bias"};

/// Reads file after file. Errors of all files are collected; nothing more is packed after the first.
class Loader {
 public:
  explicit Loader(const config::Config& config)
      : config_(config), spec_(resnet::spec_of(config.backbone.arch)), layout_(make_layout(config)) {
    weights_.feature_width = layout_.feature_width;
    weights_.classes = layout_.classes;
  }

  Weights load(Notes& notes) {
    Packer packer(layout_, weights_.values);
    load_backbone(packer, notes);
    for (const config::Head& head : config_.heads) load_head(head, packer);
    problems_.throw_if_any();
    check_folded();
    add_head_notes(notes);
    weights_.parameters = std::move(layout_.parameters);
    return std::move(weights_);
  }

 private:
  /// `what` names the part in messages; `pack` is called when the file fits.
  void load_file(const std::filesystem::path& file, const std::string& what,
                 const std::vector<ExpectedParameter>& expected,
                 const std::vector<std::string_view>& leave_out,
                 const std::function<void(const Checkpoint&, const Match&)>& pack) {
    try {
      const Checkpoint checkpoint = read_checkpoint(file);
      Match match = match_parameters(checkpoint, expected, leave_out);
      const auto values = value_problems(match, expected);
      match.problems.insert(match.problems.end(), values.begin(), values.end());
      for (const std::string& problem : match.problems) {
        problems_.add(ExitCode::bad_data, fmt::format("{} ({}): {}", what, file.string(), problem));
      }
      pack(checkpoint, match);
    } catch (const Error& error) {
      problems_.add(error.code(), fmt::format("{}: {}", what, error.what()));
    }
  }

  void load_backbone(Packer& packer, Notes& notes) {
    const std::string arch(config::name(config_.backbone.arch));
    const std::filesystem::path& file = config_.backbone.weights;
    load_file(file, "backbone " + arch, expected_of(spec_), kClassifier,
              [&](const Checkpoint& checkpoint, const Match& match) {
                if (!match.problems.empty()) return suggest_arch(checkpoint);
                for (const resnet::ConvSpec& conv : convolutions(spec_)) pack_conv(match, conv, packer);
                if (!match.unused.empty()) {
                  notes.push_back(fmt::format("{}: {} are not used: polyhead takes the features before them",
                                              file.string(), join(match.unused)));
                }
                if (!match.outside.empty()) notes.push_back(outside_note(file, match));
              });
  }

  void suggest_arch(const Checkpoint& checkpoint) {
    for (const auto arch : {config::Arch::resnet18, config::Arch::resnet34, config::Arch::resnet50}) {
      if (!match_parameters(checkpoint, expected_of(resnet::spec_of(arch)), kClassifier).problems.empty())
        continue;
      problems_.add(ExitCode::bad_data, fmt::format("{} fits backbone.arch: {}",
                                                    config_.backbone.weights.string(), config::name(arch)));
    }
  }

  void load_head(const config::Head& head, Packer& packer) {
    const auto steps = head_steps(head, spec_.feature_width);
    const std::string hint = fmt::format("the backbone {} gives {} features",
                                         config::name(config_.backbone.arch), spec_.feature_width);
    load_file(head.weights, fmt::format("head '{}'", head.name), expected_of(steps, hint), {},
              [&](const Checkpoint&, const Match& match) {
                if (problems_.any()) return;
                for (const HeadStep& step : steps) pack_step(match, step, packer);
                if (!match.outside.empty()) head_notes_.push_back(outside_note(head.weights, match));
              });
  }

  static std::string outside_note(const std::filesystem::path& file, const Match& match) {
    return fmt::format("{}: {} parameters outside '{}' are not used, '{}' for one", file.string(),
                       match.outside.size(), match.prefix, match.outside.front());
  }

  void add_head_notes(Notes& notes) const {
    if (head_notes_.empty()) return;
    const std::size_t more = head_notes_.size() - 1;
    notes.push_back(more == 0 ? head_notes_.front()
                              : fmt::format("{}; so it is in {} more heads", head_notes_.front(), more));
  }

  /// A tiny variance or a huge factor can overflow fp32 although every parameter is finite.
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
  Layout layout_;
  Weights weights_;
  Problems problems_;
  Notes head_notes_;
};

}  // namespace

Weights load_weights(const config::Config& config, Notes& notes) {
  return Loader(config).load(notes);
}

}  // namespace polyhead::model
