#include "match.hpp"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

#include "polyhead/base/text.hpp"
#include "polyhead/checkpoint/fail.hpp"
#include "polyhead/checkpoint/shape.hpp"

namespace polyhead::model {
namespace {

/// Counters of batch norms, of thop and ptflops, of AveragedModel.
constexpr std::array<std::string_view, 4> kCounters{"num_batches_tracked", "total_ops", "total_params",
                                                    "n_averaged"};
constexpr std::array<std::string_view, 4> kTrainingWords{"criterion", "loss", "metric", "queue"};
constexpr std::size_t kExamples = 3;  // most examples per kind and file

/// Collects lines of one kind; lines after the examples are only counted.
class Lines {
 public:
  void add(std::string line) {
    if (++count_ <= kExamples) lines_.push_back(std::move(line));
  }
  void append_to(std::vector<std::string>& all, std::string_view kind) const {
    all.insert(all.end(), lines_.begin(), lines_.end());
    if (count_ > kExamples) all.push_back(fmt::format("and {} more {}", count_ - kExamples, kind));
  }

 private:
  std::vector<std::string> lines_;
  std::size_t count_ = 0;
};

/// Text about a wrong shape. The hint explains the last dimension, so it is omitted when that one is right.
std::string describe_shape(const ExpectedParameter& parameter, const std::vector<std::int64_t>& found) {
  const bool explain = !parameter.hint.empty() && (found.empty() || found.back() != parameter.shape.back());
  return fmt::format("{} has shape {}, expected {}{}{}", parameter.name, checkpoint::shape_text(found),
                     checkpoint::shape_text(parameter.shape), explain ? ": " : "",
                     explain ? parameter.hint : "");
}

std::string describe_tensor(const checkpoint::CheckpointTensor& tensor) {
  return fmt::format("{} {}", checkpoint::printable(tensor.name), checkpoint::shape_text(tensor.shape));
}

class Search {
 public:
  Search(const checkpoint::Checkpoint& file, const std::vector<ExpectedParameter>& expected,
         const Lookup& lookup)
      : file_(file), expected_(expected), lookup_(lookup) {
    for (const ExpectedParameter& parameter : expected) {
      if (!lookup.in_file) {
        names_.emplace(parameter.name, &parameter);
        continue;
      }
      for (std::string& name : lookup.in_file(parameter.name)) names_.emplace(std::move(name), &parameter);
    }
  }

  [[nodiscard]] std::vector<Match> matches() const {
    if (lookup_.prefix) return {read_under(*lookup_.prefix)};
    std::vector<Match> fitting;
    Match nearest;
    bool any = false;
    for (const std::string& prefix : likely_prefixes()) {
      Match match = read_under(prefix);
      if (match.fits()) {
        fitting.push_back(std::move(match));
      } else if (!any || match.right > nearest.right) {
        nearest = std::move(match);
        any = true;
      }
    }
    if (!fitting.empty()) return fitting;
    return {any ? std::move(nearest) : read_under("")};
  }

 private:
  [[nodiscard]] bool passed_over(const checkpoint::CheckpointTensor& tensor) const {
    return lookup_.without != nullptr && lookup_.without->count(&tensor) > 0;
  }

  [[nodiscard]] std::size_t required() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        expected_, [](const ExpectedParameter& p) { return p.pair.empty() && !p.optional; }));
  }

  /// Prefixes of enough names. If there is none, the prefix of most names; of equals, the shortest.
  [[nodiscard]] std::vector<std::string> likely_prefixes() const {
    std::map<std::string, std::size_t> votes;
    for (const checkpoint::CheckpointTensor& tensor : file_) {
      if (!passed_over(tensor)) vote(tensor.name, votes);
    }
    std::vector<std::string> likely;
    for (const auto& [prefix, count] : votes) {
      if (count >= required()) likely.push_back(prefix);
    }
    const auto best = std::ranges::max_element(votes, [](const auto& a, const auto& b) {
      return a.second != b.second ? a.second < b.second : a.first.size() > b.first.size();
    });
    if (likely.empty() && best != votes.end()) likely.push_back(best->first);
    return likely;
  }

  /// Counts every prefix after which the rest of the name is an expected one.
  void vote(const std::string& name, std::map<std::string, std::size_t>& votes) const {
    for (std::size_t begin = 0;;) {
      if (names_.count(name.substr(begin)) > 0) ++votes[name.substr(0, begin)];
      const std::size_t dot = name.find('.', begin);
      if (dot == std::string::npos) return;
      begin = dot + 1;
    }
  }

  [[nodiscard]] Match read_under(const std::string& prefix) const {
    Match match;
    match.prefix = prefix;
    Lines unexpected;
    for (const checkpoint::CheckpointTensor& tensor : file_) {
      if (!passed_over(tensor)) place(tensor, match, unexpected);
    }
    if (match.found.empty() && !file_.empty() && required() > 0) {
      match.problems.push_back(nothing_found());
    } else {
      check_expected(match);
      unexpected.append_to(match.problems, "unexpected parameters");
    }
    return match;
  }

  void place(const checkpoint::CheckpointTensor& tensor, Match& match, Lines& unexpected) const {
    if (!tensor.name.starts_with(match.prefix)) {
      if (tensor.problem.empty()) match.outside.push_back(&tensor);
      return;
    }
    const std::string name = tensor.name.substr(match.prefix.size());
    const auto found = names_.find(name);
    if (found != names_.end() && match.found.emplace(found->second->name, &tensor).second) return;
    if (!tensor.problem.empty()) return;  // not a tensor, and none is needed
    match.beside.push_back(&tensor);
    if (is_counter(name)) return;
    if (lookup_.stranger && !lookup_.stranger(name)) return;
    unexpected.add(describe_tensor(tensor) + " is unexpected");
  }

  [[nodiscard]] std::string nothing_found() const {
    std::vector<std::string> wanted;
    for (const ExpectedParameter& parameter : expected_) {
      if (wanted.size() < kExamples)
        wanted.push_back(fmt::format("{} {}", parameter.name, checkpoint::shape_text(parameter.shape)));
    }
    std::vector<const checkpoint::CheckpointTensor*> held;
    for (const checkpoint::CheckpointTensor& tensor : file_) {
      const bool counts = tensor.problem.empty() && !is_counter(tensor.name) && !passed_over(tensor);
      if (counts) held.push_back(&tensor);
    }
    const std::string under = lookup_.prefix ? fmt::format(" under the prefix '{}'", *lookup_.prefix) : "";
    return fmt::format("holds none of the {} expected parameters{} ({}{}); it holds {}", expected_.size(),
                       under, join(wanted), expected_.size() > kExamples ? ", ..." : "",
                       describe_tensors(held));
  }

  void check_expected(Match& match) const {
    Lines missing;
    Lines unreadable;
    Lines misshaped;
    for (const ExpectedParameter& parameter : expected_) {
      const auto found = match.found.find(parameter.name);
      if (found == match.found.end()) {
        const bool may =
            parameter.optional || (!parameter.pair.empty() && !match.found.count(parameter.pair));
        if (!may)
          missing.add(fmt::format("{} is missing, expected shape {}", parameter.name,
                                  checkpoint::shape_text(parameter.shape)));
      } else if (!found->second->problem.empty()) {
        unreadable.add(fmt::format("{} {}", parameter.name, found->second->problem));
      } else if (!fits_shape(parameter.shape, found->second->shape)) {
        misshaped.add(describe_shape(parameter, found->second->shape));
      } else {
        ++match.right;
      }
    }
    missing.append_to(match.problems, "missing parameters");
    unreadable.append_to(match.problems, "parameters that are no tensors");
    misshaped.append_to(match.problems, "parameters of the wrong shape");
  }

  const checkpoint::Checkpoint& file_;
  const std::vector<ExpectedParameter>& expected_;
  const Lookup& lookup_;
  std::unordered_map<std::string, const ExpectedParameter*> names_;  // parameters by their name in the file
};

}  // namespace

std::vector<Match> match_parameters(const checkpoint::Checkpoint& checkpoint,
                                    const std::vector<ExpectedParameter>& expected, const Lookup& lookup) {
  std::vector<Match> matches = Search(checkpoint, expected, lookup).matches();
  std::size_t most = 0;
  for (const Match& match : matches) most = std::max(most, match.right);
  std::erase_if(matches, [&](const Match& match) { return match.right < most; });
  return matches;
}

bool same_values(const Match& a, const Match& b) {
  if (a.found.size() != b.found.size()) return false;
  return std::ranges::all_of(a.found, [&](const auto& item) {
    const auto other = b.found.find(item.first);
    return other != b.found.end() &&
           (item.second == other->second || item.second->values == other->second->values);
  });
}

bool is_counter(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  const std::string_view leaf = dot == std::string_view::npos ? name : name.substr(dot + 1);
  return std::ranges::find(kCounters, leaf) != kCounters.end();
}

bool is_of_training(const checkpoint::CheckpointTensor* tensor) {
  return is_counter(tensor->name) || std::ranges::any_of(kTrainingWords, [&](std::string_view word) {
           return tensor->name.find(word) != std::string::npos;
         });
}

bool fits_shape(const std::vector<std::int64_t>& expected, const std::vector<std::int64_t>& found) {
  if (expected == found) return true;
  const bool linear = expected.size() == 2 && found.size() > 2;
  return linear && std::equal(expected.begin(), expected.end(), found.begin()) &&
         std::all_of(found.begin() + 2, found.end(), [](std::int64_t side) { return side == 1; });
}

std::string describe_tensors(const std::vector<const checkpoint::CheckpointTensor*>& tensors) {
  std::vector<std::string> texts;
  for (const checkpoint::CheckpointTensor* tensor : tensors) {
    if (texts.size() < kExamples) texts.push_back(describe_tensor(*tensor));
  }
  const std::string more =
      tensors.size() > kExamples ? fmt::format(" and {} more", tensors.size() - kExamples) : "";
  return texts.empty() ? "nothing" : join(texts) + more;
}

}  // namespace polyhead::model
