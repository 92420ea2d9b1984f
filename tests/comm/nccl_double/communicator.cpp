#include "communicator.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <numeric>
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

const char* name_of(Kind kind) {
  static constexpr std::array kNames{"ncclBroadcast", "ncclAllReduce", "ncclReduceScatter", "ncclAllGather",
                                     "ncclSend",      "ncclRecv",      "ncclCommSplit"};
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
  if (splitter_.joinable()) {
    if (!split_known_) return ncclInProgress;
    end_split();
  }
  if (finalizing_ && (running_ > 0 || !meeting_.all_left())) return ncclInProgress;
  return ncclSuccess;
}

ncclComm::~ncclComm() {
  aborted_ = true;
  if (splitter_.joinable()) splitter_.join();
}

void ncclComm::split(int color, int key, int number, ncclComm_t* made) {
  made_ = made;
  split_known_ = false;
  splitter_ = std::thread([this, color, key, number] { meet_to_split({color, key}, number); });
}

void ncclComm::meet_to_split(Split mine, int number) {
  const bool arrives = !take_fault(FaultKind::never_arrives, rank, number);
  while (!arrives && !aborted_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  if (!arrives) return;
  std::vector<Split> all(static_cast<std::size_t>(size));
  const auto take = [&](std::size_t, auto parts, std::size_t bytes) {
    for (std::size_t from = 0; from < all.size(); ++from) std::memcpy(&all[from], parts[from], bytes);
  };
  const Signature signature{Kind::split, 0, 0, 0, 0};
  const Outcome outcome = meeting_.exchange(signature, std::as_bytes(std::span(&mine, 1)), take, aborted_);
  if (outcome == Outcome::differs) {
    breach("rank " + std::to_string(rank) + " splits a communicator, another rank does not");
    error_ = ncclInvalidUsage;
  }
  if (outcome != Outcome::done) return;
  split_ = std::move(all);
  split_known_ = true;
}

/// The ranks of one color, in the order of their keys.
void ncclComm::end_split() {
  splitter_.join();
  splitter_ = {};
  const Split mine = split_[static_cast<std::size_t>(rank)];
  ++splits_;
  int before = 0;
  int count = 0;
  for (int other = 0; other < size; ++other) {
    const Split& theirs = split_[static_cast<std::size_t>(other)];
    if (theirs.color != mine.color) continue;
    ++count;
    before += theirs.key < mine.key || (theirs.key == mine.key && other < rank) ? 1 : 0;
  }
  const std::string id = id_ + "-" + std::to_string(splits_) + "-" + std::to_string(mine.color);
  *made_ = mine.color < 0 ? nullptr : adopt(std::make_shared<ncclComm>(id, count, before, gpu_, device));
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
  const Outcome outcome = operation.signature.kind == Kind::send ? deliver(operation) : meet(operation);
  const char* name = name_of(operation.signature.kind);
  if (outcome == Outcome::differs) {
    breach(std::string("rank ") + std::to_string(rank) + ", call " + std::to_string(operation.number) + ", " +
           name + ": another rank calls something else, or with another count, type or root");
    error_ = ncclInvalidUsage;
  }
  if (outcome == Outcome::done) note({rank, std::string(name) + " done", operation.count});
}

Outcome ncclComm::meet(const Operation& operation) {
  const std::size_t blocks =
      operation.signature.kind == Kind::reduce_scatter ? static_cast<std::size_t>(size) : 1;
  const std::span bytes(operation.from, operation.count * operation.width * blocks);
  return meeting_.exchange(operation.signature, bytes, taker(operation), aborted_);
}

/// Sizes first: what a rank sends to another must be what that one waits for. Then the bytes, each rank's one
/// after the other, filled up to the longest.
Outcome ncclComm::deliver(const Operation& operation) {
  const auto ranks = static_cast<std::size_t>(size);
  std::vector<std::int64_t> mine(2 * ranks);  // sent to each rank, wanted from each
  std::vector<std::byte> bytes;
  for (std::size_t to = 0; to < ranks; ++to) {
    for (const Letter& letter : operation.sends) {
      if (letter.peer != static_cast<int>(to)) continue;
      mine[to] += static_cast<std::int64_t>(letter.size);
      bytes.insert(bytes.end(), letter.bytes, letter.bytes + letter.size);
    }
  }
  for (const Letter& letter : operation.receives) {
    mine[ranks + static_cast<std::size_t>(letter.peer)] += static_cast<std::int64_t>(letter.size);
  }
  if (operation.signature.count != 0) ++mine[0];  // planted
  Signature signature = operation.signature;
  signature.count = 0;
  std::vector<std::vector<std::int64_t>> all(ranks, std::vector<std::int64_t>(2 * ranks));
  const Outcome known = meeting_.exchange(
      signature, std::as_bytes(std::span(mine)),
      [&](std::size_t offset, auto parts, std::size_t size_of_chunk) {
        for (std::size_t from = 0; from < ranks; ++from) {
          std::memcpy(reinterpret_cast<std::byte*>(all[from].data()) + offset, parts[from], size_of_chunk);
        }
      },
      aborted_);
  if (known != Outcome::done) return known;
  std::size_t longest = 0;
  for (std::size_t from = 0; from < ranks; ++from) {
    longest = std::max(longest, static_cast<std::size_t>(std::reduce(
                                    all[from].begin(), all[from].begin() + size, std::int64_t{0})));
    for (std::size_t to = 0; to < ranks; ++to) {
      if (all[from][to] != all[to][ranks + from]) return Outcome::differs;
    }
  }
  bytes.resize(longest);
  const auto take = [&](std::size_t offset, auto parts, std::size_t size_of_chunk) {
    for (const Letter& letter : operation.receives) {  // one from each rank
      const auto& sent = all[static_cast<std::size_t>(letter.peer)];
      const auto begin =
          static_cast<std::size_t>(std::reduce(sent.begin(), sent.begin() + rank, std::int64_t{0}));
      const std::size_t first = std::max(begin, offset);
      const std::size_t end = std::min(begin + letter.size, offset + size_of_chunk);
      if (first >= end) continue;
      std::memcpy(letter.bytes + (first - begin),
                  parts[static_cast<std::size_t>(letter.peer)] + (first - offset), end - first);
    }
  };
  return meeting_.exchange(signature, bytes, take, aborted_);
}

Meeting::Take ncclComm::taker(const Operation& operation) const {
  const std::size_t block = operation.count * operation.width;
  std::byte* to = operation.to;
  switch (operation.signature.kind) {
    case Kind::broadcast:
      return [to, root = static_cast<std::size_t>(operation.signature.root)](std::size_t offset, auto parts,
                                                                             std::size_t bytes) {
        std::memcpy(to + offset, parts[root], bytes);
      };
    case Kind::all_gather:
      return [to, block](std::size_t offset, auto parts, std::size_t bytes) {
        for (std::size_t i = 0; i < parts.size(); ++i) std::memcpy(to + i * block + offset, parts[i], bytes);
      };
    case Kind::all_reduce:
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
