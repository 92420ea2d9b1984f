#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "polyhead/checkpoint/checkpoint.hpp"
#include "polyhead/config/config.hpp"

namespace polyhead::model {

/// Another library's names for the parameters of these ResNets.
struct Naming {
  std::string_view said;  ///< origin of the names, in words; empty: torchvision
  /// Name in the file for torchvision's: "4.0.bn1.bias" for "layer1.0.bn1.bias".
  std::string (*in_file)(const std::string& ours);
  /// Whether a name after the prefix is inside the network. An unknown one there means that the network is
  /// another one.
  bool (*in_trunk)(std::string_view name);
};

/// Namings, torchvision's own first.
std::span<const Naming> namings();

/// Names that a parameter may have in a file whose names start otherwise. `rename` maps a start in the file
/// to the start that it stands for here.
std::vector<std::string> renamed_in_file(const config::Renames& rename, const std::string& ours);

/// Removes what wrappers put into the middle of names: "layer1._orig_mod.0.conv1.weight" of torch.compile,
/// FSDP's "_fsdp_wrapped_module". Leaves all names where two would become one.
void take_wrappers_off(checkpoint::Checkpoint& checkpoint);
std::string without_wrappers(std::string name);

/// The user's prefix in the form of this file's names: without wrappers, and with the dot.
std::optional<std::string> prefix_in(const checkpoint::Checkpoint& checkpoint,
                                     const std::optional<std::string>& prefix);

/// Whether a prefix consists of usual words ("module.backbone.") and need not be reported.
bool is_usual_prefix(std::string_view prefix);

}  // namespace polyhead::model
