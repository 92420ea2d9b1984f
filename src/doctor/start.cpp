#include <algorithm>

#include <fmt/format.h>

#include "polyhead/base/text.hpp"
#include "polyhead/doctor/checks.hpp"

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
  if (facts.slurm_tasks > 1 && facts.ranks == 1) {
    found.verdict = Verdict::problem;
    found.advice = fmt::format(
        "Slurm started {} tasks, but MPI knows of one: start them with srun --mpi=pmix, or with mpirun",
        facts.slurm_tasks);
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
