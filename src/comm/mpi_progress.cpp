#include "mpi_progress.hpp"

#include <algorithm>
#include <chrono>

namespace polyhead::comm {
namespace {

constexpr auto kPause = std::chrono::microseconds(500);

}  // namespace

bool OpenRequests::test() {
  int flag = 0;
  check(MPI_Testall(static_cast<int>(requests_.size()), requests_.data(), &flag, MPI_STATUSES_IGNORE),
        "a collective under way");
  if (flag != 0) flight_.end();
  return flag != 0;
}

MpiProgress::~MpiProgress() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void MpiProgress::add(const std::shared_ptr<OpenRequests>& requests) {
  const std::lock_guard lock(mutex_);
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  open_.push_back(requests);
  changed_.notify_all();
}

void MpiProgress::remove(const std::shared_ptr<OpenRequests>& requests) {
  const std::lock_guard lock(mutex_);
  std::erase(open_, requests);
}

bool MpiProgress::test(OpenRequests& requests) {
  const std::lock_guard lock(mutex_);
  return requests.test();
}

void MpiProgress::run() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    if (open_.empty()) {
      changed_.wait(lock, [&] { return ending_ || !open_.empty(); });
      continue;
    }
    std::erase_if(open_, [](const auto& requests) {
      try {
        return requests->test();
      } catch (const Error&) {
        return true;  // the waiting caller tests it again and learns of the failure
      }
    });
    changed_.wait_for(lock, kPause, [&] { return ending_; });
  }
}

}  // namespace polyhead::comm
