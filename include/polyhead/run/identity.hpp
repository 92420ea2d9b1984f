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

/// What the bits depend on beside the job: a JSON object with processor and vector instruction sets, engine
/// and its version, decoders of images and theirs, C library.
std::string fingerprint_json(const config::Backbone& backbone, const model::Placement& placement);

/// All that the backbone's features of a job depend on, as JSON: its identity without what concerns heads and
/// fusion, and the fingerprint.
std::string features_key(Inputs& inputs, const std::string& fingerprint);

/// Lets the ranks compare their fingerprints. Where they differ, throws AgreedError that names the ranks and
/// what differs; with `allow_mixed` it warns. Returns whether all are equal. Collective.
bool agree_on_fingerprint(comm::Collectives& world, const std::string& mine, bool allow_mixed);

}  // namespace polyhead::run
