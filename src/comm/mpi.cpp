#include "polyhead/comm/mpi.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <numeric>
#include <utility>

#include <fmt/format.h>
#include <mpi.h>
#include <unistd.h>

#include "polyhead/base/error.hpp"
#include "polyhead/base/unique_handle.hpp"
#include "wait.hpp"

namespace polyhead::comm {
namespace {

constexpr std::size_t kLargestPiece = std::size_t{1} << 30U;  // MPI counts are int

void check(int result, std::string_view call) {
  if (result == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(result, text.data(), &length);
  throw Error(ExitCode::unavailable,
              fmt::format("{}: {}", call, std::string_view(text.data(), static_cast<std::size_t>(length))));
}

struct CommunicatorTraits {
  using type = MPI_Comm;
  static type invalid() { return MPI_COMM_NULL; }
  static void close(type communicator) noexcept { MPI_Comm_free(&communicator); }
};
using Communicator = UniqueHandle<CommunicatorTraits>;

Communicator duplicate_world() {
  MPI_Comm copy = MPI_COMM_NULL;
  check(MPI_Comm_dup(MPI_COMM_WORLD, &copy), "MPI_Comm_dup");
  Communicator owner(copy);
  check(MPI_Comm_set_errhandler(copy, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  return owner;
}

/// Waits without spinning. On a time-out the request stays open: the caller ends the job, nobody frees the
/// buffers.
void complete(MPI_Request request, std::string_view call, std::chrono::milliseconds timeout) {
  const bool done = wait_until(
      [&] {
        int flag = 0;
        check(MPI_Test(&request, &flag, MPI_STATUS_IGNORE), call);
        return flag != 0;
      },
      timeout);
  if (!done) {
    throw Error(ExitCode::unavailable,
                fmt::format("{}: other ranks did not answer within {} s", call,
                            std::chrono::duration_cast<std::chrono::seconds>(timeout).count()));
  }
}

class MpiCollectives final : public Collectives {
 public:
  MpiCollectives(Communicator communicator, std::chrono::milliseconds timeout)
      : communicator_(std::move(communicator)), timeout_(timeout) {
    check(MPI_Comm_rank(communicator_.get(), &rank_), "MPI_Comm_rank");
    check(MPI_Comm_size(communicator_.get(), &size_), "MPI_Comm_size");
  }

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return size_; }

  void broadcast(std::span<std::byte> bytes, int root) override {
    while (!bytes.empty()) {
      const auto piece = bytes.first(std::min(bytes.size(), kLargestPiece));
      MPI_Request request = MPI_REQUEST_NULL;
      check(MPI_Ibcast(piece.data(), static_cast<int>(piece.size()), MPI_BYTE, root, communicator_.get(),
                       &request),
            "MPI_Ibcast");
      complete(request, "MPI_Ibcast", timeout_);
      bytes = bytes.subspan(piece.size());
    }
  }

  void all_reduce(std::span<std::int64_t> values) override {
    while (!values.empty()) {
      const auto piece = values.first(std::min(values.size(), kLargestPiece / sizeof(std::int64_t)));
      MPI_Request request = MPI_REQUEST_NULL;
      check(MPI_Iallreduce(MPI_IN_PLACE, piece.data(), static_cast<int>(piece.size()), MPI_INT64_T, MPI_SUM,
                           communicator_.get(), &request),
            "MPI_Iallreduce");
      complete(request, "MPI_Iallreduce", timeout_);
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
                          starts.data(), MPI_BYTE, communicator_.get(), &request),
          "MPI_Iallgatherv");
    complete(request, "MPI_Iallgatherv", timeout_);

    std::vector<std::vector<std::byte>> parts;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const auto begin = all.begin() + starts[i];
      parts.emplace_back(begin, begin + sizes[i]);
    }
    return parts;
  }

  void barrier() override {
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Ibarrier(communicator_.get(), &request), "MPI_Ibarrier");
    complete(request, "MPI_Ibarrier", timeout_);
  }

 private:
  std::vector<int> gather_sizes(std::size_t mine) {
    const auto size = static_cast<std::int64_t>(mine);
    std::vector<std::int64_t> wide(static_cast<std::size_t>(size_));
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Iallgather(&size, 1, MPI_INT64_T, wide.data(), 1, MPI_INT64_T, communicator_.get(), &request),
          "MPI_Iallgather");
    complete(request, "MPI_Iallgather", timeout_);
    if (std::accumulate(wide.begin(), wide.end(), std::int64_t{0}) >
        static_cast<std::int64_t>(kLargestPiece)) {
      throw Error(ExitCode::internal, "all-gather: more than 1 GiB in all");
    }
    return {wide.begin(), wide.end()};
  }

  Communicator communicator_;
  std::chrono::milliseconds timeout_;
  int rank_ = 0;
  int size_ = 1;
};

class MpiChannel final : public Channel {
 public:
  MpiChannel(Communicator communicator, std::chrono::milliseconds timeout)
      : communicator_(std::move(communicator)), timeout_(timeout) {}

  void send(int destination, int tag, std::span<const std::byte> bytes) override {
    if (bytes.size() > kLargestPiece)
      throw Error(ExitCode::internal, "a message between ranks is beyond 1 GiB");
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Isend(bytes.data(), static_cast<int>(bytes.size()), MPI_BYTE, destination, tag,
                    communicator_.get(), &request),
          "MPI_Isend");
    complete(request, fmt::format("MPI_Isend to rank {}", destination), timeout_);
  }

  std::optional<Message> poll() override {
    // Matched probe: no other thread can take the message between probe and receive.
    int found = 0;
    MPI_Message handle = MPI_MESSAGE_NULL;
    MPI_Status status{};
    check(MPI_Improbe(MPI_ANY_SOURCE, MPI_ANY_TAG, communicator_.get(), &found, &handle, &status),
          "MPI_Improbe");
    if (found == 0) return std::nullopt;
    int size = 0;
    check(MPI_Get_count(&status, MPI_BYTE, &size), "MPI_Get_count");
    Message message{status.MPI_SOURCE, status.MPI_TAG,
                    std::vector<std::byte>(static_cast<std::size_t>(size))};
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Imrecv(message.bytes.data(), size, MPI_BYTE, &handle, &request), "MPI_Imrecv");
    complete(request, fmt::format("MPI_Imrecv from rank {}", message.source), timeout_);
    return message;
  }

 private:
  Communicator communicator_;
  std::chrono::milliseconds timeout_;
};

int rank_on_host() {
  MPI_Comm host = MPI_COMM_NULL;
  check(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &host),
        "MPI_Comm_split_type");
  const Communicator owner(host);
  int rank = 0;
  check(MPI_Comm_rank(host, &rank), "MPI_Comm_rank");
  return rank;
}

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown-host";
}

}  // namespace

MpiEnvironment::MpiEnvironment(std::chrono::milliseconds timeout)
    : timeout_(timeout), exceptions_at_start_(std::uncaught_exceptions()), host_(host_name()) {
  int granted = MPI_THREAD_SINGLE;
  check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_MULTIPLE, &granted), "MPI_Init_thread");
  if (granted < MPI_THREAD_MULTIPLE) {
    throw Error(ExitCode::unavailable,
                "this MPI was built without MPI_THREAD_MULTIPLE, which polyhead needs");
  }
  check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  check(MPI_Comm_rank(MPI_COMM_WORLD, &rank_), "MPI_Comm_rank");
  check(MPI_Comm_size(MPI_COMM_WORLD, &size_), "MPI_Comm_size");
  local_rank_ = rank_on_host();
}

MpiEnvironment::~MpiEnvironment() {
  if (std::uncaught_exceptions() == exceptions_at_start_) MPI_Finalize();
}

std::unique_ptr<Collectives> MpiEnvironment::collectives_within(std::chrono::milliseconds timeout) {
  return std::make_unique<MpiCollectives>(duplicate_world(), timeout);
}

std::unique_ptr<Channel> MpiEnvironment::channel(std::chrono::milliseconds timeout) {
  return std::make_unique<MpiChannel>(duplicate_world(), timeout);
}

void MpiEnvironment::abort(int code) {
  MPI_Abort(MPI_COMM_WORLD, code);
  _exit(code);  // MPI_Abort does not return; the compiler cannot know
}

}  // namespace polyhead::comm
