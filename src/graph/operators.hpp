#pragma once

#include <string>
#include <string_view>

#include "polyhead/graph/graph.hpp"

/// What is known of operators by their names.
namespace polyhead::graph {

/// "conv2d" of "aten.conv2d.default".
std::string_view base_name(std::string_view op);

/// Whether the operator writes into its first argument: `relu_`.
bool writes(const Node& node);

/// "aten.relu.default" of "aten.relu_.default"; empty where there is none, as for `__ior__`.
std::string functional_name(const std::string& op);

/// Whether what the operator returns may lie in the memory of its first argument: `view`.
bool may_alias(const Node& node);

/// Whether the operator returns its first argument as it is: `alias`, and `dropout` outside training.
bool does_nothing(const Node& node);

/// Whether the operator only checks what the exporter knew already, and returns nothing.
bool is_check(const Node& node);

/// Reason why the node cannot be a part of inference, with the remedy; empty where it can.
std::string unfit(const Node& node);

/// Whether results depend on an argument of this name.
bool matters(const Node& node, std::string_view argument);

/// Removes arguments that say what holds without them, so that archives of all versions of PyTorch agree.
void drop_defaults(Node& node);

/// The node's first argument where it is a tensor; else nothing.
std::optional<Value> first_input(const Node& node);

}  // namespace polyhead::graph
