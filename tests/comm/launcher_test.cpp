#include "polyhead/comm/launcher.hpp"

#include <map>

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace polyhead::comm {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

using Environment = std::map<std::string, std::string>;

Variables variables_of(const Environment& environment) {
  return [environment](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::nullopt : std::optional(found->second);
  };
}

/// "launcher: evidence, rank 1 of 4" of the launcher that is refused, or "".
std::string refused(const Environment& environment, int world_size = 1) {
  const auto launch = launcher_without_ranks(world_size, variables_of(environment));
  if (!launch) return "";
  return fmt::format("{}: {}, rank {} of {}{}", launch->launcher, launch->evidence, launch->rank,
                     launch->ranks, launch->counted ? "" : " or more");
}

// As the launchers really set them: mpiexec of MPICH 4.0, srun of Slurm 22.05, mpirun of Open MPI 4.1.
const Environment kHydra{{"PMI_RANK", "1"}, {"PMI_SIZE", "4"}, {"PMI_FD", "8"}, {"MPI_LOCALNRANKS", "4"}};
const Environment kSrun{{"SLURM_STEP_NUM_TASKS", "4"}, {"SLURM_PROCID", "2"}, {"SLURM_NTASKS", "4"}};
const Environment kMpirun{{"OMPI_COMM_WORLD_SIZE", "4"}, {"OMPI_COMM_WORLD_RANK", "3"}, {"PMIX_RANK", "3"}};
const Environment kBatchScript{{"SLURM_NTASKS", "4"}, {"SLURM_PROCID", "0"}, {"SLURM_NNODES", "2"}};

Environment with(Environment environment, const Environment& more) {
  environment.insert(more.begin(), more.end());
  return environment;
}

TEST(Launcher, OfAnotherMpiIsRefused) {
  EXPECT_EQ(refused(kHydra), "the mpiexec of MPICH or Intel MPI: PMI_SIZE=4, rank 1 of 4");
  EXPECT_EQ(refused({{"MV2_COMM_WORLD_SIZE", "2"}, {"MV2_COMM_WORLD_RANK", "0"}}),
            "MVAPICH's mpirun_rsh: MV2_COMM_WORLD_SIZE=2, rank 0 of 2");
  EXPECT_EQ(refused({{"JSM_NAMESPACE_SIZE", "6"}, {"JSM_NAMESPACE_RANK", "5"}}),
            "IBM's jsrun: JSM_NAMESPACE_SIZE=6, rank 5 of 6");
  EXPECT_EQ(refused({{"FLUX_JOB_SIZE", "2"}, {"FLUX_TASK_RANK", "1"}}), "Flux: FLUX_JOB_SIZE=2, rank 1 of 2");
  EXPECT_EQ(refused({{"PALS_RANKID", "3"}}),
            "the mpiexec of HPE Cray (PALS): PALS_RANKID=3, rank 3 of 4 or more");
  EXPECT_EQ(refused({{"ALPS_APP_PE", "1"}}), "Cray's aprun: ALPS_APP_PE=1, rank 1 of 2 or more");
  EXPECT_EQ(refused({{"PMI_SIZE", "2"}, {"PMI_RANK", "1"}}), "a launcher with PMI: PMI_SIZE=2, rank 1 of 2");
  EXPECT_EQ(refused({{"PMIX_RANK", "1"}}), "a launcher with PMIx: PMIX_RANK=1, rank 1 of 2 or more");
}

TEST(Launcher, SlurmWithAPluginThatDoesNotReachThisMpi) {
  EXPECT_EQ(refused(kSrun), "Slurm's srun: SLURM_STEP_NUM_TASKS=4, rank 2 of 4");
  const Environment pmi2{{"PMI_SIZE", "4"}, {"PMI_RANK", "2"}, {"PMI_JOBID", "5.0"}};
  EXPECT_EQ(refused(with(kSrun, pmi2)), "Slurm's srun: SLURM_STEP_NUM_TASKS=4, rank 2 of 4");
  // Hydra starts its proxies by srun, one a node.
  EXPECT_EQ(refused(with(kHydra, {{"SLURM_STEP_NUM_TASKS", "1"}, {"SLURM_PROCID", "0"}})),
            "the mpiexec of MPICH or Intel MPI: PMI_SIZE=4, rank 1 of 4");
}

TEST(Launcher, OfThisMpiWhoseRanksAreAllThere) {
  EXPECT_EQ(refused({}), "");
  EXPECT_EQ(refused(kMpirun, 4), "");
  EXPECT_EQ(refused(kHydra, 4), "");
  EXPECT_EQ(refused(with(kSrun, {{"PMIX_RANK", "2"}}), 4), "");
  // Open MPI's daemons are a step of Slurm's: one more of them than ranks changes nothing.
  EXPECT_EQ(refused(with(kSrun, {{"OMPI_COMM_WORLD_SIZE", "2"}, {"PMIX_RANK", "1"}}), 2), "");
}

TEST(Launcher, OneRankOnPurpose) {
  EXPECT_EQ(refused(kBatchScript), "");
  const Environment one{{"OMPI_COMM_WORLD_SIZE", "1"}, {"OMPI_COMM_WORLD_RANK", "0"}, {"PMIX_RANK", "0"}};
  EXPECT_EQ(refused(with(kBatchScript, one)), "");
  EXPECT_EQ(refused(with(kSrun, one)), "");
  EXPECT_EQ(refused({{"PMI_SIZE", "1"}, {"PMI_RANK", "0"}, {"MPI_LOCALNRANKS", "1"}}), "");
  EXPECT_EQ(refused({{"SLURM_STEP_NUM_TASKS", "1"}, {"SLURM_PROCID", "0"}}), "");
}

TEST(Launcher, FewerRanksThanItHasStarted) {
  EXPECT_EQ(refused(kMpirun), "Open MPI's mpirun: OMPI_COMM_WORLD_SIZE=4, rank 3 of 4");  // another version's
  EXPECT_EQ(refused(kMpirun, 2), "Open MPI's mpirun: OMPI_COMM_WORLD_SIZE=4, rank 3 of 4");
}

TEST(Launcher, JobsOfTheirOwnAreAllowed) {
  EXPECT_EQ(refused(with(kSrun, {{"POLYHEAD_ALLOW_SINGLETON", "1"}})), "");
  EXPECT_NE(refused(with(kSrun, {{"POLYHEAD_ALLOW_SINGLETON", "0"}})), "");
  EXPECT_NE(refused(with(kSrun, {{"POLYHEAD_ALLOW_SINGLETON", ""}})), "");
}

TEST(Launcher, VariablesThatSayNothing) {
  for (const char* text : {"", "many", "-4", "4 ranks", "99999999999"})
    EXPECT_EQ(refused({{"PMI_SIZE", text}, {"MPI_LOCALNRANKS", "4"}}), "") << text;
}

TEST(Launcher, KnowsTheRankBeforeMpiIsStarted) {
  EXPECT_EQ(launched_rank(variables_of({})), 0);
  EXPECT_EQ(launched_rank(variables_of(kMpirun)), 3);
  EXPECT_EQ(launched_rank(variables_of(kHydra)), 1);
  EXPECT_EQ(launched_rank(variables_of(kSrun)), 2);
  EXPECT_EQ(launched_rank(variables_of(kBatchScript)), 0);
}

TEST(Launcher, IsNamedWithTheMpiAndWhatToUseInstead) {
  const std::string library = "Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4";
  const auto hydra = launcher_without_ranks(1, variables_of(kHydra));
  ASSERT_TRUE(hydra);
  EXPECT_THAT(
      describe(*hydra, 1, library),
      AllOf(HasSubstr("the mpiexec of MPICH or Intel MPI has started 4 processes (PMI_SIZE=4), but MPI "
                      "knows of a job of 1 rank in each"),
            HasSubstr("polyhead uses Open MPI v4.1.4, which that launcher does not reach"),
            HasSubstr("Start it with mpirun of that MPI"), HasSubstr("POLYHEAD_ALLOW_SINGLETON=1"),
            Not(HasSubstr("package"))));
  const auto srun = launcher_without_ranks(1, variables_of(kSrun));
  ASSERT_TRUE(srun);
  EXPECT_THAT(describe(*srun, 1, library),
              AllOf(HasSubstr("Slurm's srun has started 4 processes"), HasSubstr("srun --mpi=pmix")));
  EXPECT_THAT(
      describe({"a launcher with PMIx", "PMIX_RANK=1", 2, 1, false}, 1, "MPICH Version: 4.0"),
      AllOf(HasSubstr("has started at least 2 processes"), HasSubstr("polyhead uses MPICH Version: 4.0"),
            HasSubstr("Start it with mpirun of that MPI;")));
}

TEST(Launcher, HintBeforeOpenMpiEndsTheProcessItself) {
  const std::string library = "Open MPI v4.1.4, package: Debian";
  EXPECT_EQ(
      hint_before_start(library, variables_of(with(kSrun, {{"SLURM_MPI_TYPE", "pmi2"}}))),
      "started by srun --mpi=pmi2: should Open MPI v4.1.4 not start now, use srun --mpi=pmix, or mpirun");
  EXPECT_EQ(hint_before_start(library, variables_of(with(kSrun, {{"PMIX_RANK", "2"}}))), "");
  EXPECT_EQ(hint_before_start(library, variables_of(with(kSrun, kMpirun))), "");
  EXPECT_EQ(hint_before_start(library, variables_of(kBatchScript)), "");
  EXPECT_EQ(hint_before_start("MPICH Version: 4.0", variables_of(kSrun)), "");
}

}  // namespace
}  // namespace polyhead::comm
