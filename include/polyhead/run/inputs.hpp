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
#include "polyhead/model/weights.hpp"
#include "polyhead/plan/micro_batches.hpp"
#include "polyhead/run/label_map.hpp"
#include "polyhead/store/writer.hpp"

namespace polyhead::run {

/// All that a job computes from, checked.
struct Inputs {
  config::Config config;                   ///< globs expanded, data.format decided
  std::unique_ptr<data::Dataset> dataset;  ///< on rank 0 only
  LabelMap labels;                         ///< on rank 0 only
  data::DatasetShape shape;
  model::Weights weights;  ///< of all heads, on rank 0; on the others `share_weights` gives what they need
  Digest weights_digest;   ///< of backbone and heads, on rank 0
  Digest backbone_digest;  ///< of the backbone's weights alone, on rank 0, where features are cached
  bool resumes = false;    ///< the output is there, and the run goes on with it; on rank 0

  [[nodiscard]] plan::MicroBatches micro_batches() const;
  /// Of the result file.
  [[nodiscard]] store::Layout layout() const;
  /// Of the data set, read at the first call and kept: it takes the bytes of 64 samples. Rank 0 only.
  const data::DatasetDigest& data_digest();
  /// Of samples [first, first + labels.size()): the output that is right, -1 where unknown. Rank 0 only.
  void read_labels(std::int64_t first, std::span<std::int32_t> outputs);

 private:
  std::optional<data::DatasetDigest> data_digest_;
};

/// Reads and checks configuration, output path, data set and weights, as rank 0 does before a run. The list
/// of samples goes to a file beside the output. Where the run goes on with an output and `parallel.batch` is
/// `auto`, it is that of the file. What is worth telling goes to the log. Throws Error.
Inputs load_inputs(const std::filesystem::path& config, const std::vector<std::string>& overrides,
                   store::Existing existing);

/// The same for `polyhead check`, which leaves nothing behind: no folder is made, and the list of samples is
/// that of an earlier run, or a temporary one. An output that is there already is no error.
Inputs check_inputs(const std::filesystem::path& config, const std::vector<std::string>& overrides);

/// The part of `load_inputs` that follows the look at configuration and output: data set, weights and labels
/// of a configuration whose files are resolved. `index`: where the list of samples is kept. Throws Error.
Inputs open_inputs(config::Config config, const std::filesystem::path& index);

/// Configuration, number and size of the images: what a plan is made from. Reads only weights that say
/// how many heads there are, and what layers they have (see `model::complete_heads`); wants no
/// output; the list of samples is made as `load_inputs` makes it. Throws Error.
struct Survey {
  config::Config config;  ///< globs expanded, data.format decided
  data::DatasetShape shape;
  image::ReadingMemory reading;
};
Survey survey_inputs(const std::filesystem::path& config, const std::vector<std::string>& overrides);

/// Gives rank 0's inputs but for the weights to all ranks by broadcast: configuration, the data set's size
/// and shape. Collective; on other ranks `inputs` is filled. Throws AgreedError on all ranks when one of them
/// cannot follow.
void share_inputs(comm::Collectives& world, Inputs& inputs);

}  // namespace polyhead::run
