#pragma once

#include <string>

#include "polyhead/comm/collectives.hpp"
#include "polyhead/model/model.hpp"
#include "polyhead/run/inputs.hpp"

namespace polyhead::run {

/// What makes two jobs the same job: a JSON object with one entry for each part that changes results
/// (weights, data, preprocessing, limits of an image's size, micro-batch, precision, heads, fusion), and
/// nothing that does not (ranks, threads, output). Resuming compares entry by entry.
std::string identity_json(Inputs& inputs);

/// What the bits of a job depend on beside the job itself, as JSON objects.
struct Fingerprint {
  std::string text;    ///< as result files hold it: backbone, heads, fusion, images, polyhead
  std::string former;  ///< of the same machine, as files of the former form hold it
};

/// Of a job whose data format and layers are known. Holds nothing that the job's bits do not depend on: of
/// the processor only what LibTorch's kernels look at, where LibTorch computes; of the C library its exp(),
/// with mean-probabilities; of image libraries their versions, where images are encoded.
Fingerprint fingerprint_of(const config::Config& config, const model::DeviceAssignment& assignment);

/// The entry "fusion" where bits are the same everywhere, and where exp() comes before.
inline constexpr const char* kExactFusion = "exact";
std::string libm_text(const std::string& version, bool fused_multiply_add);

/// All that the backbone's features of a job depend on, as JSON: its identity and its fingerprint (the text
/// of one) without what concerns heads and fusion.
std::string features_key(Inputs& inputs, const std::string& fingerprint);

/// Lets the ranks compare their fingerprints. Where they differ, throws AgreedError that names the ranks and
/// what differs; with `allow_mixed` it warns. Returns whether all are equal. Collective.
bool agree_on_fingerprint(comm::Collectives& world, const std::string& mine, bool allow_mixed);

}  // namespace polyhead::run
