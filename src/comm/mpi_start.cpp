#include "mpi_start.hpp"

#include <utility>

#include "mpi_call.hpp"

namespace polyhead::comm {
namespace {

constexpr int kTag = 0;

/// One byte to and one from a rank.
struct Contact {
  int rank = 0;
  char in = 0;
  char out = 0;
  MPI_Request received = MPI_REQUEST_NULL;
  MPI_Request sent = MPI_REQUEST_NULL;
};

bool is_done(MPI_Request& request) {
  int flag = 0;
  check(MPI_Test(&request, &flag, MPI_STATUS_IGNORE), "MPI_Test");
  return flag != 0;
}

}  // namespace

void meet(int rank, int size, StartProgress& progress) {
  std::vector<Contact> contacts;
  for (const int other : first_contacts(rank, size)) contacts.push_back({other});
  for (Contact& contact : contacts) {  // addresses must not change any more
    check(MPI_Irecv(&contact.in, 1, MPI_BYTE, contact.rank, kTag, MPI_COMM_WORLD, &contact.received),
          "MPI_Irecv");
    check(MPI_Isend(&contact.out, 1, MPI_BYTE, contact.rank, kTag, MPI_COMM_WORLD, &contact.sent),
          "MPI_Isend");
  }
  wait_until(
      [&] {
        std::vector<int> waiting;
        for (Contact& contact : contacts) {
          const bool heard = is_done(contact.received);
          if (!is_done(contact.sent) || !heard) waiting.push_back(contact.rank);
        }
        const bool done = waiting.empty();
        progress.wait_for(std::move(waiting), rank, size);
        return done;
      },
      std::chrono::hours(24 * 365));
}

}  // namespace polyhead::comm
