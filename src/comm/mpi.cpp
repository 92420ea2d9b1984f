#include "polyhead/comm/mpi.hpp"

#include <array>
#include <exception>
#include <string_view>

#include <unistd.h>

#include "mpi_call.hpp"
#include "mpi_channel.hpp"
#include "mpi_collectives.hpp"
#include "mpi_start.hpp"
#include "polyhead/base/log.hpp"
#include "polyhead/comm/launcher.hpp"
#include "watchdog.hpp"

namespace polyhead::comm {
namespace {

constexpr std::chrono::seconds kGoodbye{
    30};  // limit for all ranks to reach MPI_Finalize, once they have agreed
constexpr std::chrono::seconds kAbort{10};      // limit for MPI_Abort, which may hang where the network does
constexpr std::chrono::seconds kPrecedence{5};  // head start of rank 0, where all ranks would say the same

/// Takes over the communicator, with errors that are returned.
Communicator adopt(MPI_Comm communicator) {
  Communicator owner(communicator);
  check(MPI_Comm_set_errhandler(communicator, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  return owner;
}

/// Ends the job when the call that follows outlasts `limit`.
Watchdog watch(MpiEnvironment& mpi, std::string_view call, std::chrono::milliseconds limit) {
  return {
      limit, [&mpi, call, limit] {
        log::error(fmt::format("{}: another rank has not joined within {} s: it, or its host, may be frozen",
                               call, std::chrono::duration<double>(limit).count()));
        mpi.abort(static_cast<int>(ExitCode::unavailable));
      }};
}

/// Ends the job when MPI does not start. Rank 0 reports first, and thus alone where its own start is overdue,
/// too.
Watchdog watch_start(MpiEnvironment& mpi, const StartProgress& progress, std::chrono::milliseconds limit) {
  const auto patience = launched_rank() == 0 ? limit : limit + kPrecedence;
  return {patience, [&mpi, &progress, limit] {
            log::error(progress.overdue(mpi.host(), limit));
            mpi.abort(static_cast<int>(ExitCode::unavailable));
          }};
}

Communicator duplicate_world(MpiEnvironment& mpi, std::chrono::milliseconds limit) {
  const Watchdog watchdog = watch(mpi, "MPI_Comm_dup", limit);
  MPI_Comm copy = MPI_COMM_NULL;
  check(MPI_Comm_dup(MPI_COMM_WORLD, &copy), "MPI_Comm_dup");
  return adopt(copy);
}

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

MpiEnvironment::MpiEnvironment(std::chrono::milliseconds timeout, std::chrono::milliseconds start)
    : timeout_(timeout), exceptions_at_start_(std::uncaught_exceptions()), host_(host_name()) {
  StartProgress progress;
  progress.enter("MPI_Init_thread");
  const Watchdog watchdog = watch_start(*this, progress, start);
  int granted = MPI_THREAD_SINGLE;
  check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_MULTIPLE, &granted), "MPI_Init_thread");
  if (granted < MPI_THREAD_MULTIPLE) {
    throw Error(ExitCode::unavailable,
                "this MPI was built without MPI_THREAD_MULTIPLE, which polyhead needs");
  }
  check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  check(MPI_Comm_rank(MPI_COMM_WORLD, &rank_), "MPI_Comm_rank");
  int size = 1;
  check(MPI_Comm_size(MPI_COMM_WORLD, &size), "MPI_Comm_size");
  size_ = size;
  meet(rank_, size_, progress);
  progress.enter("MPI_Comm_split_type");
  local_rank_ = rank_on_host();
}

MpiEnvironment::~MpiEnvironment() {
  if (std::uncaught_exceptions() != exceptions_at_start_) return;
  const Watchdog watchdog = watch(*this, "MPI_Finalize", kGoodbye);
  MPI_Finalize();
}

std::unique_ptr<Collectives> MpiEnvironment::collectives_within(std::chrono::milliseconds timeout,
                                                                std::size_t largest_piece) {
  return make_mpi_collectives(duplicate_world(*this, timeout), timeout, largest_piece);
}

std::unique_ptr<Collectives> MpiEnvironment::split(int color, std::chrono::milliseconds timeout) {
  const Watchdog watchdog = watch(*this, "MPI_Comm_split", timeout);
  MPI_Comm part = MPI_COMM_NULL;
  check(MPI_Comm_split(MPI_COMM_WORLD, color < 0 ? MPI_UNDEFINED : color, rank_, &part), "MPI_Comm_split");
  if (part == MPI_COMM_NULL) return nullptr;
  return make_mpi_collectives(adopt(part), timeout, kMaxPiece);
}

std::unique_ptr<Channel> MpiEnvironment::channel(std::chrono::milliseconds timeout,
                                                 std::chrono::milliseconds joining) {
  return make_mpi_channel(duplicate_world(*this, joining), timeout);
}

std::string mpi_library() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
  int length = 0;
  check(MPI_Get_library_version(text.data(), &length), "MPI_Get_library_version");
  return text.data();
}

void MpiEnvironment::abort(int code) {
  before_abort_(code);
  int there = 0;
  int gone = 0;
  MPI_Initialized(&there);
  MPI_Finalized(&gone);
  if (there != 0 && gone == 0 && size_ > 1) {
    const Watchdog watchdog(kAbort, [code] { _exit(code); });
    MPI_Abort(MPI_COMM_WORLD, code);
  }
  _exit(code);  // mpirun ends the others after such an exit; for a single rank, MPI_Abort would only print
}

}  // namespace polyhead::comm
