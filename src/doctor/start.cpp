#include <algorithm>

#include <fmt/format.h>

#include "checks.hpp"
#include "polyhead/base/text.hpp"

namespace polyhead::doctor {

std::string name(Verdict verdict) {
  switch (verdict) {
    case Verdict::ok:
      return "ok";
    case Verdict::note:
      return "note";
    case Verdict::problem:
      return "problem";
  }
  return "?";
}

Finding check_mpi(const StartFacts& facts) {
  Finding found{
      "mpi", Verdict::ok,
      fmt::format("{}, thread level multiple; {} on {}", facts.library.substr(0, facts.library.find(',')),
                  counted(facts.ranks, "rank"), counted(facts.hosts, "host")),
      "", ""};
  if (!facts.wrong_launcher.empty()) {
    found.verdict = Verdict::problem;
    found.advice = facts.wrong_launcher;
  } else if (!facts.mpirun_found) {
    found.verdict = Verdict::note;
    found.advice = "mpirun is not in PATH: run launch/setup.sh, or load the cluster's MPI module";
  } else if (facts.root_refused) {
    found.verdict = Verdict::note;
    found.advice =
        "mpirun refuses root: start with launch/mpirun.sh, or set OMPI_ALLOW_RUN_AS_ROOT=1 and "
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1";
  }
  return found;
}

Finding check_silent(const std::string& host, std::chrono::milliseconds limit) {
  return {
      "host", Verdict::problem,
      fmt::format("{} has not answered within {} s", host, std::chrono::duration<double>(limit).count()), "",
      "something hangs there: a mounted file system whose server is gone (df), a GPU's driver (nvidia-smi), "
      "the host itself; or it is slow, and needs POLYHEAD_MPI_START_TIMEOUT=5min"};
}

Finding check_clock(const std::vector<double>& seconds) {
  constexpr double kTolerated = 2;
  double lowest = 0;
  double highest = 0;
  for (const double value : seconds) {
    lowest = std::min(lowest, value);
    highest = std::max(highest, value);
  }
  Finding found{"clock", Verdict::ok, "the hosts' clocks agree", "", ""};
  if (seconds.size() < 2) found.text = "one host";
  if (highest - lowest > kTolerated) {
    found.verdict = Verdict::note;
    found.text = fmt::format("the hosts' clocks differ by {:.1f} s", highest - lowest);
    found.advice =
        "log lines of different hosts cannot be compared, and a list of samples may be made anew: run an NTP "
        "service such as chrony on each host";
  }
  return found;
}

}  // namespace polyhead::doctor
