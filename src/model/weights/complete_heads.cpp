#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "expected.hpp"
#include "head_match.hpp"
#include "naming.hpp"
#include "part_notes.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/checkpoint/fail.hpp"
#include "polyhead/config/head_name.hpp"
#include "polyhead/config/names.hpp"
#include "polyhead/model/load_weights.hpp"
#include "polyhead/resnet/spec.hpp"
#include "problems.hpp"
#include "reading.hpp"
#include "trunk.hpp"

namespace polyhead::model {
namespace {

/// Pattern of a prefix, cut at its star.
struct StarPattern {
  std::string before;
  std::string after;
};

std::optional<StarPattern> pattern_of(const config::Head& head) {
  const std::size_t star = head.prefix ? head.prefix->find('*') : std::string::npos;
  if (star == std::string::npos) return std::nullopt;
  return StarPattern{without_wrappers(head.prefix->substr(0, star)),
                     without_wrappers(head.prefix->substr(star + 1))};
}

/// Word that the star stands for in a name: a part without dots. Empty where the name does not match.
std::string word_at_star(const std::string& name, const StarPattern& pattern) {
  if (!name.starts_with(pattern.before)) return "";
  const std::size_t begin = pattern.before.size();
  std::string word = name.substr(begin, name.find('.', begin) - begin);
  const std::string rest = pattern.after.starts_with('.') ? pattern.after : "." + pattern.after;
  return name.compare(begin + word.size(), rest.size(), rest) == 0 ? word : "";
}

std::vector<std::string> words_at_star(const checkpoint::Checkpoint& file, const StarPattern& pattern) {
  std::vector<std::string> words;
  std::set<std::string> seen;
  for (const checkpoint::CheckpointTensor& tensor : file) {
    std::string word = word_at_star(tensor.name, pattern);
    if (!word.empty() && seen.insert(word).second) words.push_back(std::move(word));
  }
  return words;
}

/// Name of the head for a word: it replaces a star in the name, or follows the name.
std::string name_for(const std::string& name, const std::string& word) {
  const std::size_t star = name.find('*');
  if (star == std::string::npos) return name + "." + word;
  return name.substr(0, star) + word + name.substr(star + 1);
}

class HeadCompletion {
 public:
  explicit HeadCompletion(config::Config& config)
      : config_(config), spec_(resnet::spec_of(config.backbone.arch)), backbone_(expected_of(spec_)) {}

  void complete() {
    std::vector<config::Head> heads;
    for (const config::Head& head : config_.heads) {
      for (config::Head& one : expand(head)) heads.push_back(std::move(one));
    }
    for (config::Head& head : heads) {
      if (head.layers.empty()) collect(head, [&] { find_layers(head); });
    }
    problems_.throw_if_any();
    config_.heads = std::move(heads);
    check_names();
  }

 private:
  template <class Work>
  void collect(const config::Head& head, Work work) {
    try {
      work();
    } catch (const Error& error) {
      problems_.add(error.code(), fmt::format("head '{}': {}", head.name, error.what()));
    }
  }

  std::vector<config::Head> expand(const config::Head& head) {
    const auto pattern = pattern_of(head);
    if (!pattern) return {head};
    std::vector<config::Head> heads;
    collect(head, [&] {
      for (const std::string& word : words_of(head, *pattern)) {
        config::Head& one = heads.emplace_back(head);
        one.name = name_for(head.name, word);
        one.prefix = pattern->before + word + pattern->after;
      }
    });
    return heads;
  }

  std::vector<std::string> words_of(const config::Head& head, const StarPattern& pattern) {
    std::vector<std::string> words;
    for (const ListedEntry& entry : list_entries(files_, head.weights, head.key)) {
      std::vector<std::string> found = words_at_star(*entry.tensors, pattern);
      if (!words.empty() && !found.empty() && words != found)
        checkpoint::bad_data(head.weights,
                             fmt::format("prefix '{}' matches names under several keys, '{}' for one: say "
                                         "which is meant with key:",
                                         *head.prefix, entry.key));
      if (words.empty()) words = std::move(found);
    }
    if (words.empty())
      checkpoint::bad_data(head.weights,
                           fmt::format("no name starts with prefix '{}', in which * stands for one part of a "
                                       "name without dots",
                                       *head.prefix));
    return words;
  }

  void find_layers(config::Head& head) {
    GuessedHead guess;
    for (const ListedEntry& entry : list_entries(files_, head.weights, head.key)) {
      GuessedHead one = guess_of(*entry.tensors, head);
      const bool better = guess.layers.empty() && (!one.layers.empty() || guess.problem.empty());
      const bool contradicts = !guess.layers.empty() && !one.layers.empty() && guess.layers != one.layers;
      if (contradicts)
        checkpoint::bad_data(head.weights,
                             "holds linear layers of other widths under several keys: say which with key:");
      if (better) guess = std::move(one);
    }
    if (guess.layers.empty())
      checkpoint::bad_data(head.weights, fmt::format("{} (layers is left out)", guess.problem));
    head.layers = std::move(guess.layers);
  }

  [[nodiscard]] GuessedHead guess_of(const checkpoint::Checkpoint& file, const config::Head& head) const {
    TakenTensors taken;
    for (const Trunk& trunk : find_trunks(file, backbone_, config_.backbone.rename))
      taken.insert(trunk.tensors.begin(), trunk.tensors.end());
    return guess_head(file, {prefix_in(file, head.prefix), {}, &taken}, spec_.feature_width);
  }

  void check_names() const {
    std::set<std::string> seen;
    for (const config::Head& head : config_.heads) {
      if (const auto problem = config::problem_of_head_name(head.name))
        throw Error(ExitCode::config,
                    fmt::format("{}: its name {}; give it a shorter one", described(head), *problem));
      if (!seen.insert(head.name).second)
        throw Error(ExitCode::config, fmt::format("{}: another head has that name, too: give the one whose "
                                                  "prefix has a * another name",
                                                  described(head)));
    }
  }

  config::Config& config_;
  resnet::Spec spec_;
  std::vector<ExpectedParameter> backbone_;
  WeightsFiles files_;
  Problems problems_;
};

}  // namespace

void complete_heads(config::Config& config) {
  const bool complete = std::ranges::all_of(
      config.heads, [](const config::Head& head) { return !head.layers.empty() && !pattern_of(head); });
  if (!complete) HeadCompletion(config).complete();
}

}  // namespace polyhead::model
