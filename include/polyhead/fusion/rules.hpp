#pragma once

#include <span>

#include "polyhead/config/config.hpp"

namespace polyhead::fusion {

/// Turns one head's logits for one sample [C] into the scores that are averaged. Deterministic and
/// independent of other samples. Logits arrive finite. A new rule is one such function and one line in
/// `transform_of`.
using Transform = void (*)(std::span<const float> logits, std::span<double> scores);

/// mean-logits: the logits themselves.
void identity(std::span<const float> logits, std::span<double> scores);

/// mean-probabilities: softmax, computed in double with the largest logit subtracted first.
void softmax(std::span<const float> logits, std::span<double> scores);

Transform transform_of(config::FusionRule rule);

}  // namespace polyhead::fusion
