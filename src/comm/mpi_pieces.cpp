#include "mpi_pieces.hpp"

#include <algorithm>

#include "copy_bytes.hpp"

namespace polyhead::comm {
namespace {

/// Type of `bytes` bytes, the next of which follows at a distance of `stride`.
Datatype strided(std::size_t bytes, std::size_t stride) {
  MPI_Datatype plain = MPI_DATATYPE_NULL;
  check(MPI_Type_contiguous(static_cast<int>(bytes), MPI_BYTE, &plain), "MPI_Type_contiguous");
  const Datatype owner(plain);
  MPI_Datatype spaced = MPI_DATATYPE_NULL;
  check(MPI_Type_create_resized(plain, 0, static_cast<MPI_Aint>(stride), &spaced), "MPI_Type_create_resized");
  Datatype result(spaced);
  check(MPI_Type_commit(&spaced), "MPI_Type_commit");
  return result;
}

}  // namespace

std::vector<MPI_Request> start_gather_pieces(MPI_Comm communicator, std::span<const std::byte> mine,
                                             std::span<std::byte> all, std::size_t largest) {
  std::vector<MPI_Request> requests;
  for (std::size_t begin = 0; begin < mine.size(); begin += largest) {
    const auto piece = mine.subspan(begin, std::min(largest, mine.size() - begin));
    // Each rank's piece has its place inside that rank's block. MPI keeps the type until the request ends.
    const Datatype place = strided(piece.size(), mine.size());
    check(MPI_Iallgather(piece.data(), static_cast<int>(piece.size()), MPI_BYTE, all.data() + begin, 1,
                         place.get(), communicator, &requests.emplace_back(MPI_REQUEST_NULL)),
          "MPI_Iallgather");
  }
  return requests;
}

std::vector<MPI_Request> start_scatter_pieces(MPI_Comm communicator, std::span<const std::int64_t> all,
                                              std::span<std::int64_t> mine, std::size_t largest) {
  std::vector<MPI_Request> requests;
  if (all.size_bytes() <= largest) {
    if (mine.empty()) return requests;
    check(MPI_Ireduce_scatter_block(all.data(), mine.data(), static_cast<int>(mine.size()), MPI_INT64_T,
                                    MPI_SUM, communicator, &requests.emplace_back(MPI_REQUEST_NULL)),
          "MPI_Ireduce_scatter_block");
    return requests;
  }
  // Pieces of a block lie apart in `all`, and MPI_SUM takes no derived types: one reduction per piece.
  const std::size_t step = std::max<std::size_t>(1, largest / sizeof(std::int64_t));
  const std::size_t ranks = all.size() / mine.size();
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    for (std::size_t begin = 0; begin < mine.size(); begin += step) {
      const std::size_t count = std::min(step, mine.size() - begin);
      check(MPI_Ireduce(all.data() + rank * mine.size() + begin, mine.data() + begin, static_cast<int>(count),
                        MPI_INT64_T, MPI_SUM, static_cast<int>(rank), communicator,
                        &requests.emplace_back(MPI_REQUEST_NULL)),
            "MPI_Ireduce");
    }
  }
  return requests;
}

std::vector<MPI_Request> start_all_to_all_pieces(MPI_Comm communicator, int rank,
                                                 std::span<const std::byte> blocks,
                                                 std::span<std::byte> received,
                                                 std::span<const std::size_t> sizes, std::size_t largest) {
  // Single messages: MPI_Ialltoallv counts in int. Messages between two ranks keep their order, so those of
  // one call cannot be mistaken for those of the next.
  constexpr int kTag = 1;
  std::vector<MPI_Request> requests;
  const auto in_pieces = [&](auto bytes, const auto& start) {
    for (; !bytes.empty(); bytes = bytes.subspan(std::min(largest, bytes.size()))) {
      start(bytes.first(std::min(largest, bytes.size())), &requests.emplace_back(MPI_REQUEST_NULL));
    }
  };
  const std::size_t own = sizes[static_cast<std::size_t>(rank)];
  for (int other = 0; other < static_cast<int>(sizes.size()); ++other) {
    const std::size_t size = sizes[static_cast<std::size_t>(other)];
    const auto to = received.first(size);
    received = received.subspan(size);
    const auto from = blocks.subspan(static_cast<std::size_t>(other) * own, own);
    if (other == rank) {
      copy_bytes(from, to);
      continue;
    }
    in_pieces(to, [&](std::span<std::byte> piece, MPI_Request* request) {
      check(MPI_Irecv(piece.data(), static_cast<int>(piece.size()), MPI_BYTE, other, kTag, communicator,
                      request),
            "MPI_Irecv");
    });
    in_pieces(from, [&](std::span<const std::byte> piece, MPI_Request* request) {
      check(MPI_Isend(piece.data(), static_cast<int>(piece.size()), MPI_BYTE, other, kTag, communicator,
                      request),
            "MPI_Isend");
    });
  }
  return requests;
}

}  // namespace polyhead::comm
