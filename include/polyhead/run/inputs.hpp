#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "polyhead/comm/collectives.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/data/dataset.hpp"
#include "polyhead/data/reader.hpp"
#include "polyhead/graph/sharing.hpp"
#include "polyhead/model/load_members.hpp"
#include "polyhead/model/weights.hpp"
#include "polyhead/plan/micro_batches.hpp"
#include "polyhead/run/label_map.hpp"
#include "polyhead/store/writer.hpp"

namespace polyhead::run {

/// All inputs of a job, checked.
struct Inputs {
  config::Config config;                   ///< globs expanded, data.format decided
  std::unique_ptr<data::Dataset> dataset;  ///< on rank 0 only
  LabelMap labels;                         ///< on rank 0 only
  data::DatasetShape shape;
  model::Weights
      weights;  ///< weights of all heads on rank 0; on other ranks `share_weights` fills in the needed ones
  graph::Sharing sharing;  ///< what whole models have in common; on rank 0
  Digest weights_digest;   ///< digest of backbone and heads, on rank 0
  Digest backbone_digest;  ///< digest of the backbone's weights alone, on rank 0, where features are cached
  bool resumes = false;    ///< whether the output exists and the run continues it; on rank 0

  [[nodiscard]] plan::MicroBatches micro_batches() const;
  /// Layout of the result file.
  [[nodiscard]] store::Layout layout() const;
  /// Digest of the data set, read at the first call and kept: it takes the bytes of 64 samples. Rank 0 only.
  const data::DatasetDigest& data_digest();
  /// Correct outputs of samples [first, first + labels.size()), -1 where unknown. Rank 0 only.
  void read_labels(std::int64_t first, std::span<std::int32_t> outputs);

 private:
  std::optional<data::DatasetDigest> data_digest_;
};

/// Reads and checks configuration, output path, data set and weights, as rank 0 does before a run. The list
/// of samples goes to a file beside the output. Where the run continues an output and `parallel.batch` is
/// `auto`, the file's micro-batch is taken. Messages go to the log. Throws Error.
Inputs load_inputs(const std::filesystem::path& config, const std::vector<std::string>& overrides,
                   store::Existing existing);

/// Inputs for `polyhead check`, which leaves no files behind: no folder is made, and the list of samples is
/// that of an earlier run, or a temporary one. An existing output is no error.
Inputs check_inputs(const std::filesystem::path& config, const std::vector<std::string>& overrides);

/// Part of `load_inputs` after the check of configuration and output: data set, weights and labels of a
/// configuration whose files are resolved. `index`: file for the list of samples. Throws Error.
Inputs open_inputs(config::Config config, const std::filesystem::path& index);

/// Configuration, number and size of the images, from which a plan is made. Reads weights only for the number
/// of heads and their layers (see `model::complete_heads`) and needs no output. The list of samples is made
/// as in `load_inputs`. Throws Error.
struct Survey {
  config::Config config;  ///< globs expanded, data.format decided
  data::DatasetShape shape;
  image::ReadingMemory reading;
  model::Members members;  ///< of whole models
};
Survey survey_inputs(const std::filesystem::path& config, const std::vector<std::string>& overrides);

/// Broadcasts rank 0's inputs, without the weights, to all ranks: configuration, the data set's size and
/// shape, the graph of members that are whole models. Collective; on other ranks `inputs` is filled. Throws
/// AgreedError on all ranks when one of them fails.
void share_inputs(comm::Collectives& world, Inputs& inputs);

}  // namespace polyhead::run
