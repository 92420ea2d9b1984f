#pragma once

#include <string>
#include <vector>

#include "match.hpp"
#include "polyhead/model/head_spec.hpp"
#include "polyhead/resnet/spec.hpp"

namespace polyhead::model {

/// Parameters that a backbone's file must hold.
std::vector<ExpectedParameter> expected_of(const resnet::Spec& spec);

/// Parameters that a head's file must hold; `hint` explains the width of its input.
std::vector<ExpectedParameter> expected_of(const std::vector<HeadStep>& steps, const std::string& hint);

}  // namespace polyhead::model
