#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "polyhead/checkpoint/checkpoint.hpp"
#include "polyhead/config/config.hpp"

namespace polyhead::model {

/// How another library names the parameters of the very same ResNets.
struct Naming {
  std::string_view said;  ///< whose names, in words; empty: torchvision's
  /// From torchvision's name to the file's: "layer1.0.bn1.bias" to "4.0.bn1.bias".
  std::string (*in_file)(const std::string& ours);
  /// Whether a name that follows the prefix stands inside the network, so that an unknown one there means
  /// that the network is another one.
  bool (*in_trunk)(std::string_view name);
};

/// Torchvision's own first.
std::span<const Naming> namings();

/// The names that a parameter may have in a file whose names start otherwise: `rename` gives the start in the
/// file and what stands for it here.
std::vector<std::string> renamed_in_file(const config::Renames& rename, const std::string& ours);

/// Takes what wrappers put into the middle of names out of them: "layer1._orig_mod.0.conv1.weight" of
/// torch.compile, FSDP's "_fsdp_wrapped_module". Leaves all as they are where two would become one.
void take_wrappers_off(checkpoint::Checkpoint& checkpoint);
std::string without_wrappers(std::string name);

/// A prefix that the user gave as names of this file have it: without wrappers, and with the dot.
std::optional<std::string> prefix_in(const checkpoint::Checkpoint& checkpoint,
                                     const std::optional<std::string>& prefix);

/// Whether a prefix is made of words that everybody uses ("module.backbone.") and need not be told.
bool is_usual_prefix(std::string_view prefix);

}  // namespace polyhead::model
