#include "communicator.hpp"

#include <array>
#include <chrono>
#include <cstring>
#include <thread>

#include "state.hpp"
#include "stream.hpp"

namespace nccl_double {
namespace {

/// Adds up one chunk of int64 of all ranks; the places outside of `own` are somebody else's.
void add_up(std::byte* to, std::size_t offset, std::span<const std::byte* const> parts, std::size_t size,
            std::size_t own_begin, std::size_t own_end) {
  for (std::size_t i = 0; i < size; i += sizeof(std::uint64_t)) {
    const std::size_t place = offset + i;
    if (place < own_begin || place >= own_end) continue;
    std::uint64_t sum = 0;  // wraps as the real one does
    for (const std::byte* part : parts) {
      std::uint64_t value = 0;
      std::memcpy(&value, part + i, sizeof(value));
      sum += value;
    }
    std::memcpy(to + place - own_begin, &sum, sizeof(sum));
  }
}

}  // namespace

const char* name_of(std::int64_t kind) {
  static constexpr std::array kNames{"ncclBroadcast", "ncclAllReduce", "ncclReduceScatter", "ncclAllGather"};
  return kNames.at(static_cast<std::size_t>(kind));
}

const char* name_of(ncclDataType_t type) {
  return type == ncclInt64 ? "int64" : type == ncclInt8 ? "int8" : "another";
}

std::size_t width_of(ncclDataType_t type) {
  return type == ncclInt64 ? 8 : 1;
}

}  // namespace nccl_double

using namespace nccl_double;

void ncclComm::promise(std::vector<Operation> operations) {
  promised_ = std::move(operations);
  looks_left_ = 2;
}

ncclResult_t ncclComm::state() {
  if (error_ != ncclSuccess) return error_;
  if (!joined_) {
    if (!meeting_.all_here()) return ncclInProgress;
    joined_ = true;
    if (meeting_.gpu_is_shared()) {
      breach("two ranks of a communicator have the same GPU");
      error_ = ncclInvalidUsage;
      return error_;
    }
  }
  if (looks_left_ > 0 && --looks_left_ == 0) {
    for (const Operation& operation : std::exchange(promised_, {})) launch(operation);
  }
  if (looks_left_ > 0) return ncclInProgress;
  if (finalizing_ && (running_ > 0 || !meeting_.all_left())) return ncclInProgress;
  return ncclSuccess;
}

void ncclComm::finalize() {
  finalizing_ = true;
  meeting_.leave();
}

void ncclComm::launch(const Operation& operation) {
  --operation.stream->promised;
  ++running_;
  if (take_fault(FaultKind::async_error, rank, operation.number)) error_ = ncclRemoteError;
  operation.stream->push([self = shared_from_this(), operation] {
    self->run(operation);
    --self->running_;
  });
}

void ncclComm::run(const Operation& operation) {
  if (error_ != ncclSuccess || take_fault(FaultKind::never_arrives, rank, operation.number)) {
    while (!aborted_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return;
  }
  const std::size_t blocks = operation.signature.kind == kReduceScatter ? static_cast<std::size_t>(size) : 1;
  const std::span bytes(operation.from, operation.count * operation.width * blocks);
  const Outcome outcome = meeting_.exchange(operation.signature, bytes, taker(operation), aborted_);
  const char* name = name_of(operation.signature.kind);
  if (outcome == Outcome::differs) {
    breach(std::string("rank ") + std::to_string(rank) + ", call " + std::to_string(operation.number) + ", " +
           name + ": another rank calls something else, or with another count, type or root");
    error_ = ncclInvalidUsage;
  }
  if (outcome == Outcome::done) note({rank, std::string(name) + " done", operation.count});
}

Meeting::Take ncclComm::taker(const Operation& operation) const {
  const std::size_t block = operation.count * operation.width;
  std::byte* to = operation.to;
  switch (operation.signature.kind) {
    case kBroadcast:
      return [to, root = static_cast<std::size_t>(operation.signature.root)](std::size_t offset, auto parts,
                                                                             std::size_t bytes) {
        std::memcpy(to + offset, parts[root], bytes);
      };
    case kAllGather:
      return [to, block](std::size_t offset, auto parts, std::size_t bytes) {
        for (std::size_t i = 0; i < parts.size(); ++i) std::memcpy(to + i * block + offset, parts[i], bytes);
      };
    case kAllReduce:
      return [to, block](std::size_t offset, auto parts, std::size_t bytes) {
        add_up(to, offset, parts, bytes, 0, block);
      };
    default:
      return [to, block, begin = static_cast<std::size_t>(rank) * block](std::size_t offset, auto parts,
                                                                         std::size_t bytes) {
        add_up(to, offset, parts, bytes, begin, begin + block);
      };
  }
}
