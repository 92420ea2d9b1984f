#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "polyhead/comm/collectives.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/run/inputs.hpp"
#include "polyhead/store/page_writer.hpp"

namespace polyhead::run {

/// Opens the output, which rank 0 has created and synced, on each rank that `works`; null on others.
/// `offsets` and `inputs.weights`: rank 0's. `host`: this rank's. Collective; throws AgreedError(cant_create)
/// on all ranks when one of them does not see rank 0's file under its path.
std::unique_ptr<store::PageWriter> open_page_writing(comm::Collectives& world, const Inputs& inputs,
                                                     const store::Offsets& offsets, bool works,
                                                     const std::string& host);

/// Logs on rank 0 how much the ranks have written themselves. Collective; `pages`: null on ranks that did not
/// work.
void tell_what_was_written(comm::Collectives& world, const store::PageWriter* pages);

/// Longest time for which finished rows may wait at each process that brings them to the disk.
std::chrono::milliseconds commit_interval_of(const config::Output& output);

}  // namespace polyhead::run
