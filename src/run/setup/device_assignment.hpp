#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "polyhead/comm/collectives.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/model/model.hpp"
#include "polyhead/plan/threads.hpp"

namespace polyhead::run {

/// Host of every rank and the cores it may use, in rank order. Collective.
std::vector<plan::RankCores> gather_cores(comm::Collectives& world, const std::string& host);

/// Device on which rank `rank` computes: a GPU by its number on the host, or CPU threads. The threads come
/// from the cores that it may really use, shared with the other ranks of its host. Throws Error(config) when
/// a GPU is asked for and none can be used, or when LibTorch has no kernels for the one that is there.
model::DeviceAssignment assign_device(const std::vector<plan::RankCores>& ranks, int rank, int local_rank,
                                      const config::Parallel& parallel);

/// Reason why this rank uses the CPU although the driver or the system shows a GPU and nobody asked for the
/// CPU; else empty. `root`: the folder that holds /proc and /dev.
std::string why_gpu_unused(const config::Parallel& parallel, const model::DeviceAssignment& assignment,
                           const std::filesystem::path& root = "/");

/// Reasons of all ranks in one text, with their hosts: "a, b: polyhead was built without CUDA". Empty where
/// no rank has one. Collective.
std::string gather_unused_gpus(comm::Collectives& world, const std::string& host, const std::string& why);

/// Warning about idle cores, or an empty text. Unless told otherwise, mpirun binds each of two ranks to one
/// core: on a large machine most cores would stay idle.
std::string idle_cores_warning(const std::vector<plan::RankCores>& ranks, int threads, int online);

}  // namespace polyhead::run
