#include "polyhead/data/loader.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include "polyhead/base/error.hpp"

namespace polyhead::data {
namespace {

/// Requested micro-batches that no thread has begun to read.
struct Request {
  std::int64_t next = 0;
  std::int64_t count = 0;
  std::vector<Location> locations;  ///< locations of all samples, or none
  std::size_t used = 0;             ///< number of locations already given to batches
};

/// A micro-batch that is being read or waits for delivery.
struct Slot {
  explicit Slot(Batch&& buffer) : batch(std::move(buffer)) {}
  Batch batch;
  std::vector<Location> locations;
  std::int64_t begun = 0;     ///< number of samples that threads have taken on
  std::int64_t finished = 0;  ///< number of samples that are read
};

/// Some samples of a micro-batch, for one call of a reader.
struct Piece {
  Slot* slot = nullptr;
  std::int64_t first = 0;  ///< first sample within the micro-batch
  std::int64_t count = 0;
};

/// Lowers the priority of this thread alone, which Linux allows. Decoding uses every core: the thread that
/// feeds the GPU must not wait for one.
void give_way() {
  constexpr int kNice = 10;
  static_cast<void>(::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNice));
}

}  // namespace

struct Loader::State {
  State(Readers sources, const DatasetShape& what, std::int64_t size, std::int64_t limit,
        std::pmr::memory_resource* memory, LoaderClock time)
      : shape(what),
        batch_size(size),
        depth(limit),
        bytes(memory),
        clock(std::move(time)),
        readers(std::move(sources)) {
    threads.reserve(readers.size());
    for (const auto& reader : readers) {
      threads.emplace_back([this, &source = *reader](const std::stop_token& stop) { run(source, stop); });
    }
  }

  void run(SampleReader& reader, const std::stop_token& stop);
  std::optional<Piece> wait_for_piece(std::int64_t grain, const std::stop_token& stop);
  [[nodiscard]] bool has_work() const;
  void open_slot();
  Batch take_buffer();
  [[nodiscard]] Batch new_buffer() const;
  void read(SampleReader& reader, const Piece& piece) const;
  void finish(const Piece& piece, double seconds);
  void fail(std::exception_ptr reason);
  [[nodiscard]] std::int64_t batches() const { return (shape.size + batch_size - 1) / batch_size; }
  [[nodiscard]] std::int64_t samples_of(std::int64_t index) const {
    return std::min(batch_size, shape.size - index * batch_size);
  }
  [[nodiscard]] std::size_t image_values() const { return static_cast<std::size_t>(shape.image.values()); }
  [[nodiscard]] bool front_is_ready() const {
    return !slots.empty() && slots.front()->finished == slots.front()->batch.samples;
  }

  const DatasetShape shape;
  const std::int64_t batch_size;
  const std::int64_t depth;
  std::pmr::memory_resource* const bytes;
  const LoaderClock clock;
  const Readers readers;

  mutable std::mutex mutex;            // guards all members but `threads`
  std::condition_variable_any work;    // there may be something to read
  std::condition_variable_any change;  // the first batch is whole, or there is an error
  std::deque<Request> requests;
  std::deque<std::unique_ptr<Slot>> slots;  // slots in the order of delivery
  std::vector<Batch> spare;                 // returned batches, for reuse
  std::int64_t undelivered = 0;             // number of samples requested and not yet delivered
  std::exception_ptr error;
  LoaderFigures figures;

  std::vector<std::jthread> threads;  // the last member: they must end before the others go
};

void Loader::State::run(SampleReader& reader, const std::stop_token& stop) {
  if (bytes != nullptr) give_way();
  try {
    while (const auto piece = wait_for_piece(reader.grain(), stop)) {
      const double start = clock();
      read(reader, *piece);
      finish(*piece, clock() - start);
    }
  } catch (...) {
    fail(std::current_exception());
  }
}

bool Loader::State::has_work() const {
  if (error) return false;
  const bool begun = !slots.empty() && slots.back()->begun < slots.back()->batch.samples;
  return begun || (!requests.empty() && static_cast<std::int64_t>(slots.size()) < depth);
}

/// Next samples to read, once there is room for them; empty when the loader stops.
std::optional<Piece> Loader::State::wait_for_piece(std::int64_t grain, const std::stop_token& stop) {
  std::unique_lock lock(mutex);
  if (!work.wait(lock, stop, [&] { return has_work(); }) || stop.stop_requested()) return std::nullopt;
  if (slots.empty() || slots.back()->begun == slots.back()->batch.samples) open_slot();
  Slot& slot = *slots.back();
  const Piece piece{&slot, slot.begun, std::min(grain, slot.batch.samples - slot.begun)};
  slot.begun += piece.count;
  if (has_work()) work.notify_one();
  return piece;
}

/// Begins the next requested micro-batch.
void Loader::State::open_slot() {
  Request& request = requests.front();
  auto slot = std::make_unique<Slot>(take_buffer());  // construction, since an assignment would leave its
                                                      // memory
  Batch& batch = slot->batch;
  batch.index = request.next++;
  batch.first_sample = batch.index * batch_size;
  batch.samples = samples_of(batch.index);
  const auto samples = static_cast<std::size_t>(batch.samples);
  batch.reasons.assign(samples, Reason::none);
  const std::size_t real = samples * image_values();
  if (bytes != nullptr) {
    std::ranges::fill(std::span(batch.bytes).subspan(real), std::uint8_t{0});
  } else {
    std::ranges::fill(std::span(batch.pixels).subspan(real), 0.0F);
  }
  if (!request.locations.empty()) {
    const auto from = request.locations.begin() + static_cast<std::ptrdiff_t>(request.used);
    slot->locations.assign(std::make_move_iterator(from),
                           std::make_move_iterator(from + static_cast<std::ptrdiff_t>(samples)));
    request.used += samples;
  }
  if (--request.count == 0) requests.pop_front();
  slots.push_back(std::move(slot));
}

Batch Loader::State::take_buffer() {
  if (spare.empty()) return new_buffer();
  Batch batch = std::move(spare.back());
  spare.pop_back();
  return batch;
}

Batch Loader::State::new_buffer() const {
  const std::size_t size = static_cast<std::size_t>(batch_size) * image_values();
  Batch batch;
  try {
    if (bytes == nullptr) {
      batch.pixels.resize(size);
    } else {
      return {0, 0, 0, {}, std::pmr::vector<std::uint8_t>(size, bytes), {}, {}};
    }
  } catch (const Error&) {  // the GPU that this memory is for does not answer
    throw;
  } catch (const std::exception&) {  // bad_alloc or length_error
    throw Error(
        ExitCode::config,
        fmt::format("a micro-batch of {} images of {} values does not fit into memory; choose a smaller "
                    "parallel.batch",
                    batch_size, shape.image.values()));
  }
  return batch;
}

void Loader::State::read(SampleReader& reader, const Piece& piece) const {
  Batch& batch = piece.slot->batch;
  const auto first = static_cast<std::size_t>(piece.first);
  const auto count = static_cast<std::size_t>(piece.count);
  const std::size_t values = image_values();
  std::span<const Location> locations(piece.slot->locations);
  if (!locations.empty()) locations = locations.subspan(first, count);
  const std::span<Reason> reasons = std::span(batch.reasons).subspan(first, count);
  const std::int64_t sample = batch.first_sample + piece.first;
  if (bytes != nullptr) {
    reader.read_bytes(sample, locations, std::span(batch.bytes).subspan(first * values, count * values),
                      reasons);
  } else {
    reader.read(sample, locations, std::span(batch.pixels).subspan(first * values, count * values), reasons);
  }
}

void Loader::State::finish(const Piece& piece, double seconds) {
  {
    const std::lock_guard lock(mutex);
    figures.seconds_reading += seconds;
    piece.slot->finished += piece.count;
    if (!front_is_ready()) return;
  }
  change.notify_one();
}

void Loader::State::fail(std::exception_ptr reason) {
  {
    const std::lock_guard lock(mutex);
    if (!error) error = std::move(reason);
  }
  change.notify_one();
}

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Loader::Loader(Readers readers, const DatasetShape& shape, std::int64_t batch_size, std::int64_t depth,
               std::pmr::memory_resource* bytes, LoaderClock clock) {
  if (readers.empty() || batch_size < 1 || depth < 1) {
    throw Error(
        ExitCode::internal,
        fmt::format("loader: {} readers, a micro-batch of {} samples and a depth of {} asked for; all "
                    "are at least 1",
                    readers.size(), batch_size, depth));
  }
  state_ = std::make_unique<State>(std::move(readers), shape, batch_size, depth, bytes, std::move(clock));
}

Loader::~Loader() {
  for (std::jthread& thread : state_->threads)
    thread.request_stop();  // stops all threads first, then joins
                            // each
}

void Loader::request(std::int64_t first, std::int64_t count, std::vector<Location> locations) {
  State& state = *state_;
  const std::int64_t batches = state.batches();
  if (first < 0 || count < 0 || first > batches || count > batches - first) {
    throw Error(ExitCode::internal, fmt::format("loader: {} micro-batches from {} asked for, there are {}",
                                                count, first, batches));
  }
  const std::int64_t begin = first * state.batch_size;
  const std::int64_t samples = std::min(state.shape.size, begin + count * state.batch_size) - begin;
  if (!locations.empty() && static_cast<std::int64_t>(locations.size()) != samples) {
    throw Error(ExitCode::internal,
                fmt::format("loader: {} locations given for {} samples", locations.size(), samples));
  }
  if (count == 0) return;
  {
    const std::lock_guard lock(state.mutex);
    state.requests.push_back({first, count, std::move(locations), 0});
    state.undelivered += count;
  }
  state.work.notify_one();
}

Batch Loader::next() {
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  if (state.undelivered == 0) {
    throw Error(ExitCode::internal, "loader: a micro-batch is taken, but none is asked for");
  }
  const double start = state.clock();
  state.change.wait(lock, [&] { return state.front_is_ready() || state.error; });
  state.figures.seconds_waited += state.clock() - start;
  if (!state.front_is_ready()) std::rethrow_exception(state.error);
  Batch batch = std::move(state.slots.front()->batch);
  state.slots.pop_front();
  --state.undelivered;
  lock.unlock();
  state.work.notify_one();
  return batch;
}

void Loader::recycle(Batch&& batch) {
  State& state = *state_;
  const auto size = static_cast<std::size_t>(state.batch_size * state.shape.image.values());
  const std::lock_guard lock(state.mutex);
  const bool useful = batch.pixels.size() + batch.bytes.size() == size &&
                      static_cast<std::int64_t>(state.spare.size()) <= state.depth;
  if (useful) state.spare.push_back(std::move(batch));
}

std::int64_t Loader::depth() const {
  return state_->depth;
}

std::int64_t Loader::samples_of(std::int64_t index) const {
  return state_->samples_of(index);
}

LoaderFigures Loader::figures() const {
  const std::lock_guard lock(state_->mutex);
  return state_->figures;
}

std::int64_t read_ahead_depth(std::uint64_t read_ahead, std::int64_t batch_size,
                              std::int64_t bytes_per_image) {
  const auto positive = [](std::int64_t number) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(1, number));
  };
  // Divided step by step, since the product may not fit.
  const std::uint64_t batches = read_ahead / positive(batch_size) / positive(bytes_per_image);
  return std::max<std::int64_t>(2, static_cast<std::int64_t>(batches));
}

}  // namespace polyhead::data
