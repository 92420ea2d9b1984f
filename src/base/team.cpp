#include "polyhead/base/team.hpp"

#include <chrono>
#include <functional>

namespace polyhead {
namespace {

using Clock = std::chrono::steady_clock;

/// Time that an idle thread stays awake, yielding its core: longer than layers make one thread wait for
/// another. Waking a sleeping thread takes 50 us, and more on virtual machines.
constexpr std::chrono::microseconds kAwake{500};

/// Returns when `value` is no longer `old`.
template <class T>
void await_change(const std::atomic<T>& value, T old) {
  for (const auto end = Clock::now() + kAwake; Clock::now() < end; std::this_thread::yield()) {
    if (value.load(std::memory_order_acquire) != old) return;
  }
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

Team::Team(int threads) {
  for (int thread = 1; thread < threads; ++thread) others_.emplace_back([this, thread] { serve(thread); });
}

Team::~Team() {
  ending_ = true;
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  for (std::thread& other : others_) other.join();
}

void Team::start(const Task& task) {
  task_ = task;
  next_.store(0, std::memory_order_relaxed);
  if (!others_.empty()) {
    busy_.store(static_cast<int>(others_.size()), std::memory_order_relaxed);
    round_.fetch_add(1, std::memory_order_release);
    round_.notify_all();
  }
  take_items(0);
  for (int left = busy_.load(std::memory_order_acquire); left > 0;) {
    await_change(busy_, left);
    left = busy_.load(std::memory_order_acquire);
  }
}

void Team::take_items(int thread) {
  const auto take = [this] { return next_.fetch_add(1, std::memory_order_relaxed); };
  for (int item = take(); item < task_.items; item = take()) task_.call(task_.body, item, thread);
}

void Team::serve(int thread) {
  for (std::uint32_t round = 0;;) {
    await_change(round_, round);
    ++round;
    if (ending_) return;
    take_items(thread);
    busy_.fetch_sub(1, std::memory_order_acq_rel);
    busy_.notify_all();
  }
}

}  // namespace polyhead
