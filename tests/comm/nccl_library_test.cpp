/// The real libnccl, as far as it goes without a GPU: it is found and opened, and has the functions.

#include <gtest/gtest.h>
#include <nccl.h>

namespace {

TEST(NcclLibrary, IsFoundAndAnswers) {
  EXPECT_STREQ(ncclGetErrorString(ncclSuccess), "no error") << ncclGetLastError(nullptr);
  EXPECT_STREQ(ncclGetErrorString(ncclInProgress), "NCCL operation in progress");
}

TEST(NcclLibrary, HasTheFunctionsThatAreHandedOn) {
  ncclResult_t state = ncclSuccess;
  ncclUniqueId id{};
  int version = 0;
  EXPECT_EQ(ncclGetVersion(&version), ncclSuccess);
  EXPECT_GT(version, 20000);
  EXPECT_NE(ncclCommGetAsyncError(nullptr, &state), ncclSystemError);
  EXPECT_NE(ncclCommInitRankConfig(nullptr, 1, id, 0, nullptr), ncclSystemError);
  EXPECT_NE(ncclCommFinalize(nullptr), ncclSystemError);
  EXPECT_NE(ncclCommDestroy(nullptr), ncclSystemError);
  EXPECT_NE(ncclCommAbort(nullptr), ncclSystemError);
  EXPECT_NE(ncclGroupStart(), ncclSystemError);
  EXPECT_NE(ncclGroupEnd(), ncclSystemError);
  EXPECT_NE(ncclAllGather(nullptr, nullptr, 0, ncclInt8, nullptr, nullptr), ncclSystemError);
  EXPECT_NE(ncclAllReduce(nullptr, nullptr, 0, ncclInt64, ncclSum, nullptr, nullptr), ncclSystemError);
  EXPECT_NE(ncclReduceScatter(nullptr, nullptr, 0, ncclInt64, ncclSum, nullptr, nullptr), ncclSystemError);
  EXPECT_NE(ncclBroadcast(nullptr, nullptr, 0, ncclInt8, 0, nullptr, nullptr), ncclSystemError);
}

}  // namespace
