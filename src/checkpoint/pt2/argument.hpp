#pragma once

#include "checkpoint/pt2/schema.hpp"
#include "polyhead/checkpoint/exported_program.hpp"

namespace polyhead::checkpoint::exported {

/// Reads a value of the schema's union `Argument`. Fails for kinds that polyhead does not read, with the
/// kind's name.
Argument read_argument(const Fields& argument);

/// Names of the values that an output of a call has.
std::vector<std::string> read_output(const Fields& output);

/// Name of a tensor: {"name": "conv2d"}.
std::string tensor_name(const Fields& fields, const Json& value);

/// Dimension of a tensor: {"as_int": 3} or {"as_expr": {"expr_str": "..."}}.
Dimension read_dimension(const Fields& dimension);

}  // namespace polyhead::checkpoint::exported
