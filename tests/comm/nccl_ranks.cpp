/// Groups on NCCL, here its double: started by mpirun, on every rank at once, each with a pretended GPU of
/// its own. A rank that fails makes mpirun fail.

#include <cstdlib>

#include <gmock/gmock.h>

#include "nccl_double/double.hpp"
#include "pending_conformance.hpp"
#include "polyhead/comm/agreement.hpp"
#include "polyhead/comm/group.hpp"

namespace polyhead::comm {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

MpiEnvironment* environment = nullptr;

TEST(Groups, OfTheWholeWorld) {
  {
    const Group group = make_group(*environment, 0, Backend::nccl, environment->local_rank(), 30s);
    EXPECT_EQ(group.choice.backend, Backend::nccl);
    EXPECT_EQ(group.choice.reason, "each rank has a GPU of its own");
    ASSERT_EQ(static_cast<int>(group.gpus.size()), environment->size());
    for (const std::string& gpu : group.gpus) EXPECT_THAT(gpu, ::testing::StartsWith("GPU-"));
    EXPECT_EQ(group.collectives->rank(), environment->rank());
    conformance::run_all_cases(*group.collectives);
  }
  EXPECT_THAT(nccl_double::breaches(), ::testing::IsEmpty());
  EXPECT_EQ(nccl_double::handles_left(), 0U);
}

TEST(Groups, SeveralAtATimeAndRanksWithout) {
  const int rank = environment->rank();
  const bool spare = environment->size() % 2 == 1 && rank == environment->size() - 1;
  const Group group =
      make_group(*environment, spare ? -1 : rank / 2, Backend::nccl, environment->local_rank(), 30s);
  EXPECT_EQ(group.choice.backend, Backend::nccl);
  ASSERT_EQ(group.collectives == nullptr, spare);
  if (spare) return;
  EXPECT_EQ(group.collectives->size(), 2);
  EXPECT_EQ(group.collectives->rank(), rank % 2);
  conformance::run_all_cases(*group.collectives);
}

TEST(Groups, WithoutGpusAreOnMpi) {
  const Group group = make_group(*environment, 0, Backend::automatic, {}, 30s);
  EXPECT_EQ(group.choice.backend, Backend::mpi);
  EXPECT_EQ(group.choice.reason, "no rank computes on a GPU");
  EXPECT_THAT(group.gpus, ::testing::Each(""));
  conformance::run_all_cases(*group.collectives);
  try {
    make_group(*environment, 0, Backend::nccl, {}, 30s);
    ADD_FAILURE() << "no error";
  } catch (const AgreedError& error) {
    EXPECT_EQ(error.code(), ExitCode::config);
    EXPECT_THAT(error.what(), HasSubstr("comm.backend nccl cannot be used: rank 0"));
  }
}

TEST(Groups, AGpuForTwoRanksFallsBackToMpi) {
  if (environment->size() == 1) return;
  for (const Backend wanted : {Backend::automatic, Backend::nccl}) {
    const Group group = make_group(*environment, 0, wanted, environment->local_rank() / 2, 30s);
    EXPECT_EQ(group.choice.backend, Backend::mpi);
    EXPECT_THAT(group.choice.reason,
                HasSubstr("ranks 0 and 1 on " + environment->host() + " share the GPU GPU-"));
    conformance::run_all_cases(*group.collectives);
  }
}

TEST(Groups, WhereNcclCannotBeSetUpAutomaticMeansMpi) {
  if (environment->size() == 1) return;
  // Rank 1 never joins in the fourth of the collectives that connect the ranks.
  const auto plant = [] {
    if (environment->rank() == 1) nccl_double::plant({nccl_double::FaultKind::never_arrives, 1, 3});
  };
  plant();
  const Group group = make_group(*environment, 0, Backend::automatic, environment->local_rank(), 1s);
  EXPECT_EQ(group.choice.backend, Backend::mpi);
  EXPECT_THAT(group.choice.reason, HasSubstr("NCCL cannot be set up: NCCL: connecting the ranks"));
  group.collectives->barrier();
  plant();
  EXPECT_THROW(make_group(*environment, 0, Backend::nccl, environment->local_rank(), 1s), AgreedError);
}

}  // namespace
}  // namespace polyhead::comm

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  setenv("POLYHEAD_NCCL_DOUBLE_GPUS", "8", 1);
  polyhead::comm::MpiEnvironment mpi(std::chrono::seconds(30));
  polyhead::comm::environment = &mpi;
  return RUN_ALL_TESTS();
}
