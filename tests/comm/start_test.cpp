#include "comm/start.hpp"

#include <algorithm>
#include <numeric>

#include <gmock/gmock.h>

namespace polyhead::comm {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

bool knows(int rank, int other, int size) {
  return std::ranges::count(first_contacts(rank, size), other) == 1;
}

TEST(FirstContacts, AreFew) {
  EXPECT_THAT(first_contacts(0, 1), IsEmpty());
  EXPECT_THAT(first_contacts(0, 2), ElementsAre(1));
  EXPECT_THAT(first_contacts(1, 2), ElementsAre(0));
  EXPECT_THAT(first_contacts(5, 16), ElementsAre(0, 1, 3, 4, 6, 7, 9, 13));
  EXPECT_LE(first_contacts(1234, 4096).size(), 24U);
  EXPECT_EQ(first_contacts(0, 4096).size(), 4095U);  // all talk with the coordinator
}

TEST(FirstContacts, BothSidesKnowOfEachOther) {
  for (const int size : {2, 3, 4, 5, 7, 8, 33}) {
    for (int rank = 0; rank < size; ++rank) {
      for (const int other : first_contacts(rank, size)) {
        ASSERT_TRUE(other >= 0 && other < size && other != rank) << rank << " " << other << " " << size;
        ASSERT_TRUE(knows(other, rank, size)) << rank << " " << other << " " << size;
      }
    }
  }
}

/// Ranks are dealt out to hosts in runs or in turns: each two hosts have to meet.
TEST(FirstContacts, EachTwoOfAFewHostsMeet) {
  for (const int hosts : {2, 3, 4}) {
    for (const int slots : {1, 2, 4, 8}) {
      const int size = hosts * slots;
      for (const bool in_turns : {false, true}) {
        const auto host = [&](int rank) { return in_turns ? rank % hosts : rank / slots; };
        std::vector<int> met(static_cast<std::size_t>(hosts * hosts));
        for (int rank = 0; rank < size; ++rank) {
          for (const int other : first_contacts(rank, size))
            met.at(static_cast<std::size_t>(host(rank) * hosts + host(other))) = 1;
        }
        for (int a = 0; a < hosts; ++a) {
          for (int b = 0; b < hosts; ++b)
            EXPECT_TRUE(a == b || met[static_cast<std::size_t>(a * hosts + b)] == 1) << hosts << " " << slots;
        }
      }
    }
  }
}

TEST(StartProgress, SaysWhatHangsAndWhatToDo) {
  StartProgress progress;
  progress.enter("MPI_Init_thread");
  EXPECT_THAT(progress.overdue("node7", 120s),
              AllOf(HasSubstr("node7: MPI has not started within 120 s: MPI_Init_thread has not returned."),
                    HasSubstr("--mca btl_tcp_if_include"), HasSubstr("docker0"), HasSubstr("Firewalls"),
                    HasSubstr("POLYHEAD_MPI_START_TIMEOUT=10min"), Not(HasSubstr("rank -1"))));
}

TEST(StartProgress, NamesTheRanksThatAreSilent) {
  StartProgress progress;
  progress.wait_for({1, 3}, 0, 8);
  EXPECT_THAT(progress.overdue("a", 2500ms),
              HasSubstr("rank 0 on a: MPI has not started within 2.5 s: no word from ranks 1, 3 of 8."));
  progress.wait_for({2}, 0, 8);
  EXPECT_THAT(progress.overdue("a", 1s), HasSubstr("no word from rank 2 of 8."));
  std::vector<int> many(99);
  std::iota(many.begin(), many.end(), 1);
  progress.wait_for(many, 0, 100);
  EXPECT_THAT(progress.overdue("a", 1s),
              HasSubstr("no word from ranks 1, 2, 3, 4, 5, 6, 7, 8 and 91 more of 100."));
  progress.wait_for({}, 0, 100);
  progress.enter("MPI_Comm_split_type");
  EXPECT_THAT(progress.overdue("a", 1s),
              HasSubstr("rank 0 on a: MPI has not started within 1 s: MPI_Comm_split_type"));
}

}  // namespace
}  // namespace polyhead::comm
