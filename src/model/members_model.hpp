#pragma once

#include <memory>

#include "polyhead/model/model.hpp"

namespace polyhead::model {

/// Members that are whole models, on the CPU: `features` computes the trunk and passes on its cut, `scores`
/// the branches of this rank's members. `weights`: with `members`. Throws Error.
std::unique_ptr<Model> make_members_model(Weights weights, std::int64_t batch, ImageShape image, int threads);

}  // namespace polyhead::model
