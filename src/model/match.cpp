#include "polyhead/model/match.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <unordered_set>

#include <fmt/format.h>

#include "fail.hpp"
#include "shape.hpp"

namespace polyhead::model {
namespace {

/// Attributes that people keep a backbone or a head under, and what wrappers (DataParallel, torch.compile)
/// add.
constexpr std::array<std::string_view, 9> kPrefixWords{
    "module.", "_orig_mod.", "model.", "backbone.", "encoder.", "head.", "classifier.", "fc.", "net."};
constexpr std::string_view kCounter = "num_batches_tracked";
constexpr std::size_t kMostLines = 20;  // of one kind, a file

using Names = std::unordered_set<std::string_view>;

/// Splits off known words until the rest is expected; empty when it never is.
std::optional<std::string_view> prefix_of(std::string_view name, const Names& expected) {
  std::string_view rest = name;
  for (;;) {
    if (expected.count(rest) > 0) return name.substr(0, name.size() - rest.size());
    const auto* word = std::find_if(kPrefixWords.begin(), kPrefixWords.end(),
                                    [&](std::string_view known) { return rest.starts_with(known); });
    if (word == kPrefixWords.end()) return std::nullopt;
    rest.remove_prefix(word->size());
  }
}

/// The prefix under which most of the expected names stand; the shortest of equals.
std::string common_prefix(const Checkpoint& checkpoint, const Names& expected) {
  std::map<std::string_view, std::size_t> votes;
  for (const CheckpointTensor& tensor : checkpoint) {
    if (const auto prefix = prefix_of(tensor.name, expected)) ++votes[*prefix];
  }
  const auto best = std::max_element(votes.begin(), votes.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second < b.second : a.first.size() > b.first.size();
  });
  return best == votes.end() ? std::string() : std::string(best->first);
}

/// Something that is no tensor, and where none is needed.
bool is_bookkeeping(const CheckpointTensor& tensor, const std::string& prefix, const Names& expected) {
  if (tensor.problem.empty()) return false;
  const std::string_view name = tensor.name;
  return !name.starts_with(prefix) || expected.count(name.substr(prefix.size())) == 0;
}

/// Collects lines of one kind, and only counts those beyond `kMostLines`.
class Lines {
 public:
  void add(std::string line) {
    if (++count_ <= kMostLines) lines_.push_back(std::move(line));
  }
  void append_to(std::vector<std::string>& all, std::string_view kind) const {
    all.insert(all.end(), lines_.begin(), lines_.end());
    if (count_ > kMostLines) all.push_back(fmt::format("and {} more {}", count_ - kMostLines, kind));
  }

 private:
  std::vector<std::string> lines_;
  std::size_t count_ = 0;
};

/// The hint explains the last dimension, so it stays away when that one is right.
std::string describe_shape(const ExpectedParameter& parameter, const std::vector<std::int64_t>& found) {
  const bool explain = !parameter.hint.empty() && (found.empty() || found.back() != parameter.shape.back());
  return fmt::format("{} has shape {}, expected {}{}{}", parameter.name, shape_text(found),
                     shape_text(parameter.shape), explain ? ": " : "", explain ? parameter.hint : "");
}

void check_expected(const std::vector<ExpectedParameter>& expected, Match& match) {
  Lines missing;
  Lines unreadable;
  Lines misshaped;
  for (const ExpectedParameter& parameter : expected) {
    const auto found = match.found.find(parameter.name);
    if (found == match.found.end()) {
      const bool optional = !parameter.pair.empty() && match.found.count(parameter.pair) == 0;
      if (!optional) {
        missing.add(
            fmt::format("{} is missing, expected shape {}", parameter.name, shape_text(parameter.shape)));
      }
    } else if (!found->second->problem.empty()) {
      unreadable.add(fmt::format("{} {}", parameter.name, found->second->problem));
    } else if (found->second->shape != parameter.shape) {
      misshaped.add(describe_shape(parameter, found->second->shape));
    }
  }
  missing.append_to(match.problems, "missing parameters");
  unreadable.append_to(match.problems, "parameters that are no tensors");
  misshaped.append_to(match.problems, "parameters of the wrong shape");
}

}  // namespace

Match match_parameters(const Checkpoint& checkpoint, const std::vector<ExpectedParameter>& expected,
                       const std::vector<std::string_view>& leave_out) {
  Names names;
  for (const ExpectedParameter& parameter : expected) names.insert(parameter.name);
  Match match;
  match.prefix = common_prefix(checkpoint, names);
  Lines unexpected;
  for (const CheckpointTensor& tensor : checkpoint) {
    if (is_bookkeeping(tensor, match.prefix, names)) continue;
    if (!tensor.name.starts_with(match.prefix)) {
      match.outside.push_back(tensor.name);
      continue;
    }
    const std::string name = tensor.name.substr(match.prefix.size());
    if (names.count(name) > 0) {
      match.found.emplace(name, &tensor);
    } else if (std::find(leave_out.begin(), leave_out.end(), name) != leave_out.end()) {
      match.unused.push_back(tensor.name);
    } else if (!name.ends_with(kCounter)) {
      unexpected.add(fmt::format("{} {} is unexpected", printable(tensor.name), shape_text(tensor.shape)));
    }
  }
  check_expected(expected, match);
  unexpected.append_to(match.problems, "unexpected parameters");
  return match;
}

}  // namespace polyhead::model
