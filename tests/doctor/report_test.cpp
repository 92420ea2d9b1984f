#include "polyhead/doctor/report.hpp"

#include <gmock/gmock.h>

namespace polyhead::doctor {
namespace {

const std::vector<HostReport> kTwoHosts{{"a",
                                         {{"mpi", Verdict::ok, "Open MPI", "", ""},
                                          {"memory", Verdict::ok, "enough", "8 GiB", ""},
                                          {"limits", Verdict::ok, "many", "", ""}}},
                                        {"b",
                                         {{"mpi", Verdict::ok, "Open MPI", "", ""},
                                          {"memory", Verdict::ok, "enough", "9 GiB", ""},
                                          {"limits", Verdict::problem, "few", "", "raise them"}}}};

TEST(DoctorReport, TheWayToRankZero) {
  const HostReport back = unpack(pack(kTwoHosts[1]));
  EXPECT_EQ(back.host, "b");
  EXPECT_EQ(text({back}), text({kTwoHosts[1]}));
  EXPECT_EQ(back.findings[2].verdict, Verdict::problem);
}

TEST(DoctorReport, OneLineWhereHostsAgree) {
  EXPECT_EQ(text(kTwoHosts),
            "ok       mpi         Open MPI\n"
            "ok       memory      enough\n"
            "ok       limits      a: many\n"
            "problem  limits      b: few\n"
            "                     raise them\n");
  EXPECT_EQ(text({kTwoHosts[0]}),
            "ok       mpi         Open MPI\n"
            "ok       memory      enough; 8 GiB\n"
            "ok       limits      many\n");
}

TEST(DoctorReport, ProblemsAreCountedOnce) {
  EXPECT_EQ(problems({kTwoHosts[0]}), 0);
  EXPECT_EQ(problems({kTwoHosts[1], kTwoHosts[1], kTwoHosts[0]}), 1);
}

TEST(DoctorReport, Json) {
  EXPECT_THAT(json(kTwoHosts), testing::StartsWith("{\n  \"problems\": 1,"));
  EXPECT_THAT(json({kTwoHosts[0]}), testing::HasSubstr("\"detail\": \"8 GiB\""));
}

}  // namespace
}  // namespace polyhead::doctor
