#pragma once

#include <vector>

#include "config/yaml/node.hpp"
#include "context.hpp"
#include "polyhead/config/config.hpp"

/// Contradictions between options that are each valid by themselves.
namespace polyhead::config {

void check_preprocess(Preprocess& preprocess, const Node& node, Context& context);

void check_parallel(Parallel& parallel, const Node& node, Context& context);

/// Checks a head. A head without a name gets that of its weights file.
void check_head(Head& head, const Node& node, Context& context);

/// Checks that there is one list of members, of one kind, and a backbone for heads alone.
void check_members(Config& config, const Node& node, Context& context);

/// An issue for each member that has the name of an earlier one.
std::vector<Issue> repeated_names(const Loaded& loaded);

/// An issue for each member with a weight of its own, where the fusion rule weighs all equally.
std::vector<Issue> unused_weights(const Loaded& loaded);

}  // namespace polyhead::config
