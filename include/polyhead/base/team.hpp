#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace polyhead {

/// Threads that share the items of one task after the other: the caller and `threads` - 1 others. These stay
/// awake for half a millisecond after a task and then sleep. One caller at a time.
class Team {
 public:
  explicit Team(int threads);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  [[nodiscard]] int threads() const { return static_cast<int>(others_.size()) + 1; }

  /// Calls work(item, thread) for each item in [0, items), thread in [0, threads()), and returns when all are
  /// done. Items are assigned to threads in no fixed order. `work` must not throw.
  template <class Work>
  void run(int items, const Work& work) {
    start({items, &work,
           [](const void* body, int item, int thread) { (*static_cast<const Work*>(body))(item, thread); }});
  }

 private:
  struct Task {
    int items = 0;
    const void* body = nullptr;
    void (*call)(const void* body, int item, int thread) = nullptr;
  };

  void start(const Task& task);
  void take_items(int thread);
  void serve(int thread);

  Task task_;
  std::atomic<int> next_{0};             ///< next item
  std::atomic<std::uint32_t> round_{0};  ///< number of tasks started; counts up once more to end the threads
  std::atomic<int> busy_{0};             ///< number of threads that have not finished this round
  bool ending_ = false;
  std::vector<std::thread> others_;
};

}  // namespace polyhead
