#pragma once

#include <string>

#include "polyhead/comm/collectives.hpp"
#include "polyhead/model/model.hpp"
#include "polyhead/run/inputs.hpp"

namespace polyhead::run {

/// Identity of a job: a JSON object with one entry per part that changes results (weights, data,
/// preprocessing, limits of an image's size, micro-batch, precision, heads, fusion). Other facts (ranks,
/// threads, output) are not in it. Resuming compares entry by entry.
std::string identity_json(Inputs& inputs);

/// Facts besides the job itself on which the job's bits depend, as JSON objects.
struct Fingerprint {
  std::string text;    ///< text in result files: backbone, heads, fusion, images, polyhead
  std::string former;  ///< text for the same machine in files of the former form
};

/// Fingerprint of a job whose data format and layers are known. Holds only facts on which the job's bits
/// depend. Processor: the facts that LibTorch's kernels look at, where LibTorch computes. C library: its
/// exp(), with mean-probabilities. Image libraries: their versions, where images are encoded.
Fingerprint fingerprint_of(const config::Config& config, const model::DeviceAssignment& assignment);

/// Entry "fusion" where bits are the same everywhere, and (`libm_text`) where they depend on exp().
inline constexpr const char* kExactFusion = "exact";
std::string libm_text(const std::string& version, bool fused_multiply_add);

/// All facts on which the backbone's features of a job depend, as JSON: its identity and its fingerprint (the
/// text of one), without the parts about heads and fusion.
std::string features_key(Inputs& inputs, const std::string& fingerprint);

/// Compares the fingerprints of the ranks. Where they differ, throws AgreedError that names the ranks and the
/// differences; with `allow_mixed` it warns. Returns whether all are equal. Collective.
bool agree_on_fingerprint(comm::Collectives& world, const std::string& mine, bool allow_mixed);

}  // namespace polyhead::run
