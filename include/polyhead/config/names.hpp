#pragma once

#include <string>
#include <string_view>

#include "polyhead/config/config.hpp"

/// Words of the enumerators in the YAML file, used in messages and in the job's identity as well.
namespace polyhead::config {

std::string_view name(DataFormat value);
std::string_view name(Interpolation value);
std::string_view name(PreprocessMode value);
std::string_view name(Arch value);
std::string_view name(Precision value);
std::string_view name(Engine value);
std::string_view name(FusionRule value);
std::string_view name(Uncertainty value);
std::string_view name(Strategy value);
std::string_view name(Features value);
std::string_view name(CommBackend value);
std::string_view name(Writers value);
std::string_view name(Cache value);
std::string_view name(Device value);
std::string_view name(Trunk value);
std::string_view name(LayerKind value);

/// "linear 256", "dropout 0.2", "relu"
std::string describe(const Layer& layer);

}  // namespace polyhead::config
