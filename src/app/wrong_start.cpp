#include "wrong_start.hpp"

#include <chrono>
#include <string>
#include <thread>

#include "polyhead/base/error.hpp"
#include "polyhead/base/log.hpp"

namespace polyhead::app {
namespace {

/// Waits for the first process: a launcher may end all processes as soon as one of them fails.
constexpr std::chrono::seconds kForTheFirst{1};

}  // namespace

void warn_before_start() {
  const std::string hint = comm::hint_before_start(comm::mpi_library());
  if (!hint.empty() && comm::launched_rank() == 0) log::warning(hint);
}

bool speaks_for_all(const comm::Launch& launch) {
  return launch.rank == 0 || !launch.counted;  // a rank number alone tells the first process nothing
}

std::optional<int> refuse_wrong_launcher(const comm::MpiEnvironment& mpi) {
  const auto launch = comm::launcher_without_ranks(mpi.size());
  if (!launch) return std::nullopt;
  if (speaks_for_all(*launch)) {
    log::error(comm::describe(*launch, mpi.size(), comm::mpi_library()));
  } else {
    std::this_thread::sleep_for(kForTheFirst);
  }
  return static_cast<int>(ExitCode::usage);
}

}  // namespace polyhead::app
