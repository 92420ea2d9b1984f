#include <gmock/gmock.h>

#include "polyhead/base/error.hpp"
#include "polyhead/comm/group.hpp"

namespace polyhead::comm {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Seats = std::vector<Seat>;

const Seats kTwoGpus{{0, "a", "GPU-1", ""}, {0, "a", "GPU-2", ""}};
const Seats kOneGpuTwice{{0, "a", "GPU-0", ""}, {0, "b", "GPU-1", ""}, {1, "b", "GPU-1", ""}};
const Seats kOneWithout{{0, "a", "GPU-1", ""}, {0, "b", "", "no NVIDIA driver is installed"}};

TEST(ChooseBackend, AGpuEachMeansNccl) {
  for (const Backend wanted : {Backend::automatic, Backend::nccl}) {
    EXPECT_EQ(choose_backend(kTwoGpus, wanted).backend, Backend::nccl);
    EXPECT_EQ(choose_backend(kTwoGpus, wanted).reason, "each rank has a GPU of its own");
  }
}

TEST(ChooseBackend, MpiIsMpi) {
  const BackendChoice choice = choose_backend(kTwoGpus, Backend::mpi);
  EXPECT_EQ(choice.backend, Backend::mpi);
  EXPECT_EQ(choice.reason, "comm.backend is mpi");
}

TEST(ChooseBackend, ASharedGpuFallsBackAndSaysWho) {
  for (const Backend wanted : {Backend::automatic, Backend::nccl}) {
    const BackendChoice choice = choose_backend(kOneGpuTwice, wanted);
    EXPECT_EQ(choice.backend, Backend::mpi);
    EXPECT_THAT(choice.reason, HasSubstr("ranks 1 and 2 on b share the GPU GPU-1"));
  }
}

TEST(ChooseBackend, ASharedGpuIsKnownByItsUuidWhateverTheHostIsCalled) {
  const Seats seats{{0, "container-1", "GPU-1", ""}, {0, "container-2", "GPU-1", ""}};
  EXPECT_EQ(choose_backend(seats, Backend::automatic).backend, Backend::mpi);
}

TEST(ChooseBackend, ARankWithoutAGpuMeansMpiUnlessNcclIsAskedFor) {
  const BackendChoice choice = choose_backend(kOneWithout, Backend::automatic);
  EXPECT_EQ(choice.backend, Backend::mpi);
  EXPECT_THAT(choice.reason, HasSubstr("rank 1 on b: no NVIDIA driver is installed"));
  try {
    choose_backend(kOneWithout, Backend::nccl);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::config);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("comm.backend nccl cannot be used"), HasSubstr("rank 1 on b")));
  }
}

TEST(ChooseBackend, WithoutAnyGpuItIsMpi) {
  const Seats seats{{0, "a", "", "it computes on the CPU"}, {0, "a", "", "it computes on the CPU"}};
  EXPECT_EQ(choose_backend(seats, Backend::automatic).reason, "no rank computes on a GPU");
  EXPECT_THROW(choose_backend(seats, Backend::nccl), Error);
}

TEST(ChooseBackend, RanksOutsideOfAllGroupsDoNotCount) {
  Seats seats = kTwoGpus;
  seats.push_back({-1, "c", "GPU-1", "no GPU"});
  EXPECT_EQ(choose_backend(seats, Backend::nccl).backend, Backend::nccl);
}

TEST(ChooseBackend, WhereNothingIsExchangedMpiIsEnough) {
  const Seats alone{{0, "a", "GPU-1", ""}, {1, "a", "GPU-2", ""}};
  EXPECT_EQ(choose_backend(alone, Backend::automatic).backend, Backend::mpi);
  EXPECT_EQ(choose_backend(alone, Backend::automatic).reason, "no ranks share the heads");
  EXPECT_EQ(choose_backend(alone, Backend::nccl).backend, Backend::nccl);
}

TEST(BackendName, IsTheWordOfTheConfiguration) {
  EXPECT_EQ(name(Backend::automatic), "auto");
  EXPECT_EQ(name(Backend::mpi), "mpi");
  EXPECT_EQ(name(Backend::nccl), "nccl");
}

}  // namespace
}  // namespace polyhead::comm
