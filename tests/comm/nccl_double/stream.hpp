#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include <cuda_runtime_api.h>

/// A stream: a thread that does what it is given, in order.
struct CUstream_st {
 public:
  explicit CUstream_st(int gpu);
  /// Ends what it was given before.
  ~CUstream_st();
  CUstream_st(const CUstream_st&) = delete;
  CUstream_st& operator=(const CUstream_st&) = delete;

  void push(std::function<void()> work);
  void wait_idle();

  const int device;
  /// NCCL calls made on it that are not in it yet: nothing else may be given to it meanwhile.
  int promised = 0;

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;
  bool busy_ = false;
  bool ending_ = false;
  std::thread thread_;
};

namespace nccl_double {

/// As cudaFree does, before memory goes.
void wait_for_all_streams();
int current_device();

}  // namespace nccl_double
