#include "mpi_collectives.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "blocks.hpp"
#include "mpi_pieces.hpp"
#include "mpi_progress.hpp"
#include "polyhead/base/trace.hpp"

namespace polyhead::comm {
namespace {

/// State that outlives the collectives while one of them is under way. The communicator is freed last.
struct Shared {
  Communicator communicator;
  std::chrono::milliseconds timeout;
  MpiProgress progress;
};

class MpiPending final : public Pending {
 public:
  MpiPending(std::shared_ptr<Shared> shared, std::vector<MPI_Request> requests, const char* call)
      : shared_(std::move(shared)),
        open_(std::make_shared<OpenRequests>(std::move(requests), call)),
        call_(call) {
    if (!shared_->progress.test(*open_)) shared_->progress.add(open_);
  }
  MpiPending(const MpiPending&) = delete;
  MpiPending& operator=(const MpiPending&) = delete;
  ~MpiPending() override {
    try {
      wait();
    } catch (const Error&) {  // callers that need the error call `wait`
    }
  }

  void wait() override {
    const std::shared_ptr<OpenRequests> open = std::exchange(open_, nullptr);
    if (open == nullptr) return;
    const trace::Span span("wait for the exchange");
    const bool done = wait_until([&] { return shared_->progress.test(*open); }, shared_->timeout);
    shared_->progress.remove(open);
    if (!done) no_answer(call_, shared_->timeout);
  }

 private:
  std::shared_ptr<Shared> shared_;
  std::shared_ptr<OpenRequests> open_;
  std::string_view call_;
};

class MpiCollectives final : public Collectives {
 public:
  MpiCollectives(Communicator communicator, std::chrono::milliseconds timeout, std::size_t largest_piece)
      : shared_(std::make_shared<Shared>()), largest_piece_(largest_piece) {
    shared_->communicator = std::move(communicator);
    shared_->timeout = timeout;
    check(MPI_Comm_rank(comm(), &rank_), "MPI_Comm_rank");
    check(MPI_Comm_size(comm(), &size_), "MPI_Comm_size");
  }

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return size_; }

  void broadcast(std::span<std::byte> bytes, int root) override {
    while (!bytes.empty()) {
      const auto piece = bytes.first(std::min(bytes.size(), largest_piece_));
      MPI_Request request = MPI_REQUEST_NULL;
      check(MPI_Ibcast(piece.data(), static_cast<int>(piece.size()), MPI_BYTE, root, comm(), &request),
            "MPI_Ibcast");
      complete(request, "MPI_Ibcast", shared_->timeout);
      bytes = bytes.subspan(piece.size());
    }
  }

  void all_reduce(std::span<std::int64_t> values) override {
    while (!values.empty()) {
      const std::size_t step = std::max<std::size_t>(1, largest_piece_ / sizeof(std::int64_t));
      const auto piece = values.first(std::min(values.size(), step));
      MPI_Request request = MPI_REQUEST_NULL;
      check(MPI_Iallreduce(MPI_IN_PLACE, piece.data(), static_cast<int>(piece.size()), MPI_INT64_T, MPI_SUM,
                           comm(), &request),
            "MPI_Iallreduce");
      complete(request, "MPI_Iallreduce", shared_->timeout);
      values = values.subspan(piece.size());
    }
  }

  std::vector<std::vector<std::byte>> all_gather(std::span<const std::byte> bytes) override {
    const std::vector<int> sizes = gather_sizes(bytes.size());
    std::vector<int> starts(sizes.size());
    std::exclusive_scan(sizes.begin(), sizes.end(), starts.begin(), 0);
    std::vector<std::byte> all(static_cast<std::size_t>(starts.back()) +
                               static_cast<std::size_t>(sizes.back()));
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Iallgatherv(bytes.data(), static_cast<int>(bytes.size()), MPI_BYTE, all.data(), sizes.data(),
                          starts.data(), MPI_BYTE, comm(), &request),
          "MPI_Iallgatherv");
    complete(request, "MPI_Iallgatherv", shared_->timeout);

    std::vector<std::vector<std::byte>> parts;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const auto begin = all.begin() + starts[i];
      parts.emplace_back(begin, begin + sizes[i]);
    }
    return parts;
  }

  void barrier() override {
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Ibarrier(comm(), &request), "MPI_Ibarrier");
    complete(request, "MPI_Ibarrier", shared_->timeout);
  }

  std::unique_ptr<Pending> start_all_gather(std::span<const std::byte> mine,
                                            std::span<std::byte> all) override {
    check_blocks("all-gather", mine.size(), all.size(), size_);
    return std::make_unique<MpiPending>(shared_, start_gather_pieces(comm(), mine, all, largest_piece_),
                                        "MPI_Iallgather");
  }

  std::unique_ptr<Pending> start_reduce_scatter(std::span<const std::int64_t> all,
                                                std::span<std::int64_t> mine) override {
    check_blocks("reduce-scatter", mine.size(), all.size(), size_);
    return std::make_unique<MpiPending>(shared_, start_scatter_pieces(comm(), all, mine, largest_piece_),
                                        "MPI_Ireduce_scatter_block");
  }

  std::unique_ptr<Pending> start_all_to_all(std::span<const std::byte> blocks, std::span<std::byte> received,
                                            std::span<const std::size_t> sizes) override {
    check_all_to_all(blocks.size(), received.size(), sizes, rank_, size_);
    return std::make_unique<MpiPending>(
        shared_, start_all_to_all_pieces(comm(), rank_, blocks, received, sizes, largest_piece_),
        "MPI_Isend");
  }

 private:
  [[nodiscard]] MPI_Comm comm() const { return shared_->communicator.get(); }

  std::vector<int> gather_sizes(std::size_t mine) {
    const auto size = static_cast<std::int64_t>(mine);
    std::vector<std::int64_t> wide(static_cast<std::size_t>(size_));
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Iallgather(&size, 1, MPI_INT64_T, wide.data(), 1, MPI_INT64_T, comm(), &request),
          "MPI_Iallgather");
    complete(request, "MPI_Iallgather", shared_->timeout);
    if (std::accumulate(wide.begin(), wide.end(), std::int64_t{0}) > std::int64_t{1} << 30U) {
      throw Error(ExitCode::internal, "all-gather: more than 1 GiB in all");
    }
    return {wide.begin(), wide.end()};
  }

  std::shared_ptr<Shared> shared_;
  std::size_t largest_piece_;
  int rank_ = 0;
  int size_ = 1;
};

}  // namespace

std::unique_ptr<Collectives> make_mpi_collectives(Communicator communicator,
                                                  std::chrono::milliseconds timeout,
                                                  std::size_t largest_piece) {
  return std::make_unique<MpiCollectives>(std::move(communicator), timeout, largest_piece);
}

}  // namespace polyhead::comm
