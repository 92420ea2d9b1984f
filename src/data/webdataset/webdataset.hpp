#pragma once

#include <string>
#include <vector>

#include "data/index/sample_index_builder.hpp"

namespace polyhead::data {

/// Lists the samples of WebDataset shards in the shards' order. Throws Error (no_input, bad_data) that names
/// all unusable shards.
void scan_webdataset(const std::vector<std::string>& shards, SampleIndexBuilder& samples);

}  // namespace polyhead::data
