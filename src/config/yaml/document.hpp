#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "node.hpp"
#include "source.hpp"

namespace polyhead::config {

/// Limits that keep a hostile or mistaken file from taking all memory.
inline constexpr std::size_t kMaxDocumentNodes = 1'000'000;
inline constexpr std::size_t kMaxDocumentDepth = 64;

/// Reads one YAML document; a null node when there is none. Duplicate keys are added to `issues` (the first
/// value stays). Throws ConfigError for malformed YAML, and for YAML that a configuration does not need:
/// anchors, tags, keys that are not plain words, several documents.
Node parse_document(const std::string& text, const Source& source, std::vector<Issue>& issues);

}  // namespace polyhead::config
