#pragma once

#include <string>
#include <utility>
#include <vector>

#include "polyhead/config/config.hpp"

namespace polyhead::testing {

inline config::Head head_of(std::string name, std::vector<config::Layer> layers, double weight = 1.0) {
  config::Head head;
  head.name = std::move(name);
  head.layers = std::move(layers);
  head.weights = head.name + ".pth";
  head.weight = weight;
  return head;
}

}  // namespace polyhead::testing
