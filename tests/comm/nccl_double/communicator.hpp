#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <nccl.h>

#include "meeting.hpp"

namespace nccl_double {

/// A send or a receive.
struct Letter {
  int peer = 0;
  std::byte* bytes = nullptr;  ///< sends only read them
  std::size_t size = 0;
};

/// One collective, as it was called.
struct Operation {
  Signature signature;
  const std::byte* from = nullptr;
  std::byte* to = nullptr;
  std::size_t count = 0;  ///< of elements, as called
  std::size_t width = 0;  ///< bytes of one
  cudaStream_t stream = nullptr;
  int number = 0;  ///< in its communicator
  std::vector<Letter> sends{};
  std::vector<Letter> receives{};
};

/// What a rank says when a communicator is split.
struct Split {
  std::int64_t color = 0;
  std::int64_t key = 0;
};

/// Takes it into the list of those that may be used.
ncclComm_t adopt(std::shared_ptr<ncclComm> communicator);

const char* name_of(Kind kind);
const char* name_of(ncclDataType_t type);
std::size_t width_of(ncclDataType_t type);

}  // namespace nccl_double

/// Kept alive by what is under way in its streams.
struct ncclComm : std::enable_shared_from_this<ncclComm> {
 public:
  ncclComm(const std::string& id, int ranks, int own_rank, const std::string& gpu, int own_device)
      : rank(own_rank),
        size(ranks),
        device(own_device),
        id_(id),
        gpu_(gpu),
        meeting_(id, ranks, own_rank, gpu) {}
  ~ncclComm();

  /// Those of one group: they reach their streams after some calls of `state`.
  void promise(std::vector<nccl_double::Operation> operations);
  ncclResult_t state();
  /// `made` gets the new communicator at a later call of `state`, or nullptr for a negative color.
  void split(int color, int key, int number, ncclComm_t* made);
  [[nodiscard]] bool idle() const { return running_ == 0 && promised_.empty() && !splitter_.joinable(); }
  /// Whether the last call was asked after until it was in its stream.
  [[nodiscard]] bool settled() const { return joined_ && looks_left_ == 0; }
  void abort() { aborted_ = true; }
  void finalize();
  [[nodiscard]] bool finalized() const { return finalizing_; }

  const int rank;
  const int size;
  const int device;
  int calls = 0;

 private:
  void launch(const nccl_double::Operation& operation);
  void run(const nccl_double::Operation& operation);
  nccl_double::Outcome meet(const nccl_double::Operation& operation);
  nccl_double::Outcome deliver(const nccl_double::Operation& operation);
  nccl_double::Meeting::Take taker(const nccl_double::Operation& operation) const;

  void meet_to_split(nccl_double::Split mine, int number);
  void end_split();

  const std::string id_;
  const std::string gpu_;
  nccl_double::Meeting meeting_;
  std::thread splitter_;
  std::atomic<bool> split_known_{false};
  std::vector<nccl_double::Split> split_;  ///< of each rank
  ncclComm_t* made_ = nullptr;
  int splits_ = 0;
  bool joined_ = false;
  bool finalizing_ = false;
  int looks_left_ = 0;
  std::vector<nccl_double::Operation> promised_;
  std::atomic<int> running_{0};
  std::atomic<bool> aborted_{false};
  std::atomic<ncclResult_t> error_{ncclSuccess};
};
