#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "polyhead/fusion/rule.hpp"

/// Weighted means over the heads of a function of each head's logits, as exact sums.
namespace polyhead::fusion {

/// Turns one head's logits for one sample [C], which are finite, into the scores that are averaged.
using Transform = void (*)(std::span<const float> logits, std::span<double> scores);

/// mean-logits: the logits themselves.
void identity(std::span<const float> logits, std::span<double> scores);

/// mean-probabilities: softmax, computed in double with the largest logit subtracted first.
void softmax(std::span<const float> logits, std::span<double> scores);

/// The rule mean-logits. `weights`: one per head, positive and finite.
std::unique_ptr<Rule> make_mean_logits(const std::vector<double>& weights, std::int64_t classes);

/// The rule mean-probabilities, with the same weights.
std::unique_ptr<Rule> make_mean_probabilities(const std::vector<double>& weights, std::int64_t classes);

}  // namespace polyhead::fusion
