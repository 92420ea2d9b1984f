#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "polyhead/config/config.hpp"
#include "polyhead/config/location.hpp"

namespace polyhead::config {

/// A configuration and the locations of its values. Paths are absolute.
struct Loaded {
  Config config;
  Locations where;
  std::string members = "heads";  ///< key of the list of members: "members", or the old "heads"
};

/// Meaning of ~/, $NAME and ${NAME} in paths: plain letters, or, in a user's text, the home folder and
/// environment variables. Configurations that polyhead keeps and sends hold whole paths.
enum class Paths { as_written, expanded };

/// Reads a YAML file and applies `--set key.sub=value` overrides, in order. Relative paths of the file are
/// relative to its folder, those of overrides to the working directory; paths are expanded. Looks at the file
/// only, not at the files that it names. Throws ConfigError with every issue: malformed YAML, duplicate and
/// unknown keys, wrong types, values out of range, missing required options, contradictions.
Loaded load(const std::filesystem::path& file, const std::vector<std::string>& overrides = {});

/// Like `load`, from a text. `name` stands for the file in messages; relative paths are relative to `base`.
/// Paths of overrides are expanded in any case.
Loaded parse(const std::string& text, const std::string& name, const std::filesystem::path& base,
             const std::vector<std::string>& overrides = {}, Paths paths = Paths::as_written);

/// Replaces every `glob:` by one head per matching file (sorted by path, named by the file's stem). Checks
/// that each file the configuration names exists and may be read, and that head names differ. Rank 0 only.
/// Throws ConfigError.
void resolve_files(Loaded& loaded);

/// The configuration with every option written out, as YAML that `parse` reads back to the same Config. Sent
/// to the other ranks and kept in the result file.
std::string to_yaml(const Config& config);

/// Every option with type, unit, default, allowed values and meaning, as text for a terminal.
std::string reference();

}  // namespace polyhead::config
