#include "mpi_pieces.hpp"

#include <algorithm>

namespace polyhead::comm {
namespace {

/// `bytes` bytes that are followed by the next of their kind at a distance of `stride`.
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
  // Pieces of a block lie apart in `all`, and MPI_SUM takes no types of one's own: a reduction for each.
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

}  // namespace polyhead::comm
