#include "polyhead/data/loader.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "polyhead/base/error.hpp"
#include "polyhead/data/dataset.hpp"

namespace polyhead::data {
namespace {

using Clock = std::chrono::steady_clock;

/// Micro-batches asked for that nobody has read yet.
struct Request {
  std::int64_t next = 0;
  std::int64_t count = 0;
};

}  // namespace

struct Loader::State {
  State(Dataset& source, std::int64_t size, std::int64_t limit)
      : dataset(source),
        batch_size(size),
        depth(limit),
        thread([this](const std::stop_token& stop) { run(stop); }) {}

  void run(const std::stop_token& stop);
  std::optional<std::int64_t> wait_for_work(const std::stop_token& stop);
  Batch take_buffer();
  [[nodiscard]] Batch new_buffer() const;
  Batch read(std::int64_t index);
  void deliver(Batch&& batch);
  void fail(std::exception_ptr reason);
  [[nodiscard]] std::int64_t batches() const { return (dataset.size() + batch_size - 1) / batch_size; }
  [[nodiscard]] std::int64_t values() const { return dataset.image_shape().values(); }

  Dataset& dataset;
  const std::int64_t batch_size;
  const std::int64_t depth;

  std::mutex mutex;                    // guards all below but the thread
  std::condition_variable_any work;    // there may be something to read
  std::condition_variable_any change;  // there is a batch, or an error
  std::deque<Request> requests;
  std::deque<Batch> ready;
  std::vector<Batch> spare;      // given back, for reuse
  std::int64_t undelivered = 0;  // asked for and not yet taken
  std::exception_ptr error;
  double seconds_waited = 0;

  std::jthread thread;  // the last member: it must end before the others go
};

void Loader::State::run(const std::stop_token& stop) {
  try {
    while (const auto index = wait_for_work(stop)) deliver(read(*index));
  } catch (...) {
    fail(std::current_exception());
  }
}

/// Takes the number of the next micro-batch once there is room for it; empty when the loader goes.
std::optional<std::int64_t> Loader::State::wait_for_work(const std::stop_token& stop) {
  std::unique_lock lock(mutex);
  const auto due = [&] { return !requests.empty() && static_cast<std::int64_t>(ready.size()) < depth; };
  if (!work.wait(lock, stop, due) || stop.stop_requested()) return std::nullopt;
  Request& request = requests.front();
  const std::int64_t index = request.next++;
  if (--request.count == 0) requests.pop_front();
  return index;
}

Batch Loader::State::take_buffer() {
  {
    const std::lock_guard lock(mutex);
    if (!spare.empty()) {
      Batch batch = std::move(spare.back());
      spare.pop_back();
      return batch;
    }
  }
  return new_buffer();
}

Batch Loader::State::new_buffer() const {
  const auto size = static_cast<std::size_t>(batch_size) * static_cast<std::size_t>(values());
  Batch batch;
  try {
    batch.pixels.resize(size);
  } catch (const std::exception&) {  // bad_alloc or length_error
    throw Error(
        ExitCode::config,
        fmt::format("a micro-batch of {} images of {} values does not fit into memory; choose a smaller "
                    "parallel.batch",
                    batch_size, values()));
  }
  return batch;
}

Batch Loader::State::read(std::int64_t index) {
  Batch batch = take_buffer();
  batch.index = index;
  batch.first_sample = index * batch_size;
  batch.samples = std::min(batch_size, dataset.size() - batch.first_sample);
  batch.reasons.assign(static_cast<std::size_t>(batch.samples), Reason::none);
  const auto real = static_cast<std::size_t>(batch.samples * values());
  const std::span pixels(batch.pixels);
  dataset.read(batch.first_sample, pixels.first(real), batch.reasons);
  std::ranges::fill(pixels.subspan(real), 0.0F);
  return batch;
}

void Loader::State::deliver(Batch&& batch) {
  {
    const std::lock_guard lock(mutex);
    ready.push_back(std::move(batch));
  }
  change.notify_one();
}

void Loader::State::fail(std::exception_ptr reason) {
  {
    const std::lock_guard lock(mutex);
    error = std::move(reason);
  }
  change.notify_one();
}

Loader::Loader(Dataset& dataset, std::int64_t batch_size, std::int64_t depth) {
  if (batch_size < 1 || depth < 1) {
    throw Error(
        ExitCode::internal,
        fmt::format("loader: a micro-batch of {} samples and a depth of {} asked for; both are at least 1",
                    batch_size, depth));
  }
  state_ = std::make_unique<State>(dataset, batch_size, depth);
}

Loader::~Loader() = default;

void Loader::request(std::int64_t first, std::int64_t count) {
  const std::int64_t batches = state_->batches();
  if (first < 0 || count < 0 || first > batches || count > batches - first) {
    throw Error(ExitCode::internal, fmt::format("loader: {} micro-batches from {} asked for, there are {}",
                                                count, first, batches));
  }
  if (count == 0) return;
  {
    const std::lock_guard lock(state_->mutex);
    state_->requests.push_back({first, count});
    state_->undelivered += count;
  }
  state_->work.notify_one();
}

Batch Loader::next() {
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  if (state.undelivered == 0) {
    throw Error(ExitCode::internal, "loader: a micro-batch is taken, but none is asked for");
  }
  const auto start = Clock::now();
  state.change.wait(lock, [&] { return !state.ready.empty() || state.error; });
  state.seconds_waited += std::chrono::duration<double>(Clock::now() - start).count();
  if (state.ready.empty()) std::rethrow_exception(state.error);
  Batch batch = std::move(state.ready.front());
  state.ready.pop_front();
  --state.undelivered;
  lock.unlock();
  state.work.notify_one();
  return batch;
}

void Loader::recycle(Batch&& batch) {
  const auto size = static_cast<std::size_t>(state_->batch_size * state_->values());
  const std::lock_guard lock(state_->mutex);
  const bool useful =
      batch.pixels.size() == size && static_cast<std::int64_t>(state_->spare.size()) <= state_->depth;
  if (useful) state_->spare.push_back(std::move(batch));
}

double Loader::seconds_waited() const {
  const std::lock_guard lock(state_->mutex);
  return state_->seconds_waited;
}

std::int64_t read_ahead_depth(std::uint64_t read_ahead, std::int64_t batch_size,
                              std::int64_t values_per_image) {
  const auto positive = [](std::int64_t number) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(1, number));
  };
  // Divided step by step: the product may not fit.
  const std::uint64_t batches =
      read_ahead / sizeof(float) / positive(batch_size) / positive(values_per_image);
  return std::max<std::int64_t>(2, static_cast<std::int64_t>(batches));
}

}  // namespace polyhead::data
