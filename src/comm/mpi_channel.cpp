#include "mpi_channel.hpp"

#include <utility>

namespace polyhead::comm {
namespace {

constexpr std::size_t kMaxMessage = std::size_t{1} << 30U;  // MPI counts are int

class MpiChannel final : public Channel {
 public:
  MpiChannel(Communicator communicator, std::chrono::milliseconds timeout)
      : communicator_(std::move(communicator)), timeout_(timeout) {}

  void send(int destination, int tag, std::span<const std::byte> bytes) override {
    if (bytes.size() > kMaxMessage)
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

}  // namespace

std::unique_ptr<Channel> make_mpi_channel(Communicator communicator, std::chrono::milliseconds timeout) {
  return std::make_unique<MpiChannel>(std::move(communicator), timeout);
}

}  // namespace polyhead::comm
