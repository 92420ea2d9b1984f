#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <map>

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../store/example.hpp"
#include "polyhead/store/resume.hpp"
#include "shim.hpp"

/// Every call on a file that the store makes, from the lock to the last sync, fails once with every error.
namespace polyhead::store {
namespace {

namespace fs = std::filesystem;
using polyhead::testing::TemporaryFolder;

constexpr int kShort = 0;
constexpr std::int64_t kCommits = 4;  // micro-batches between two

void write_rest(Writer& writer, const Layout& layout, const std::vector<std::uint8_t>& ledger) {
  for (std::int64_t batch = 0; batch < layout.batches(); ++batch) {
    if (!ledger.empty() && ledger[static_cast<std::size_t>(batch)] == 1) continue;
    writer.write(example::rows(layout, batch));
    if (batch % kCommits == 0) writer.commit();
  }
  writer.finish();
  writer.write_summary("{}");
  writer.finish();
}

/// What a run does with its output.
void run(const fs::path& path) {
  OutputLock lock(path);
  const Layout layout = example::layout();
  const Offsets offsets = create(path, layout, example::samples(), example::header(), Existing::refuse);
  lock.hold_file();
  Writer writer(open_for_writing(path), layout, offsets);
  writer.append_provenance("start");
  write_rest(writer, layout, {});
}

void go_on(const fs::path& path) {
  const OutputLock lock(path);
  Committed committed;
  Layout layout;
  Offsets offsets;
  {
    const Reader reader(path);
    layout = reader.layout();
    offsets = reader.offsets();
    committed = committed_of(reader);
  }
  Writer writer(open_to_resume(path), layout, offsets, committed);
  write_rest(writer, layout, committed.ledger);
}

struct End {
  int code = 0;  ///< 0, an ExitCode, or 1000 + the signal that ended the process
  std::int64_t calls = 0;
  std::int64_t faults = 0;
};

/// In a process of its own: HDF5 need not survive a failed write, but the process has to.
End with_faults(const faults::Plan& plan, const std::function<void()>& body) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) throw Error(ExitCode::internal, "no pipe");
  const pid_t child = ::fork();
  if (child == 0) {
    End end;
    faults::set_plan(plan);
    try {
      body();
    } catch (const Error& error) {
      end.code = static_cast<int>(error.code());
    }
    end.calls = faults::calls();
    end.faults = faults::faults();
    faults::set_plan({});
    static_cast<void>(::write(ends[1], &end, sizeof(end)) + 1);
    std::exit(0);  // with all that the libraries do then
  }
  ::close(ends[1]);
  End end;
  if (::read(ends[0], &end, sizeof(end)) != sizeof(end)) end.code = 999;
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) end.code = 1000 + WTERMSIG(status);
  return end;
}

/// Results and what describes the samples.
std::string results(const fs::path& path) {
  return Reader(path).results_digest().hex();
}

/// Every micro-batch that is called done has its rows; returns their number.
std::int64_t check_ledger(const fs::path& path) {
  const Reader reader(path);
  const std::vector<std::uint8_t> ledger = reader.ledger();
  for (std::size_t batch = 0; batch < ledger.size(); ++batch) {
    if (ledger[batch] == 0) continue;
    const auto number = static_cast<std::int64_t>(batch);
    EXPECT_EQ(reader.rows(number).to_wire(), example::rows(reader.layout(), number).to_wire())
        << "micro-batch " << batch << " is called done";
  }
  return std::count(ledger.begin(), ledger.end(), 1);
}

/// The fault strikes, the file is judged, and a run without faults goes on to the same bytes. Returns how it
/// ended; no fault: the call does not exist.
End strike(const faults::Plan& plan, const std::string& expected,
           const std::function<void(const fs::path&)>& before,
           const std::function<void(const fs::path&)>& body) {
  const TemporaryFolder folder;
  const fs::path path = folder / "faulty" / "result.h5";
  fs::create_directory(path.parent_path());
  before(path);
  faults::Plan here = plan;
  here.files = path.parent_path().string();
  const End end = with_faults(here, [&] { body(path); });
  EXPECT_THAT(end.code, ::testing::AnyOf(0, 73, 74));
  EXPECT_TRUE(plan.error != kShort || end.code == 0);
  if (fs::exists(path)) {
    const std::int64_t done = check_ledger(path);
    EXPECT_TRUE(end.code != 0 || done == Reader(path).layout().batches());
    go_on(path);
  } else {
    EXPECT_NE(end.code, 0);
    run(path);
  }
  EXPECT_EQ(results(path), expected);
  return end;
}

/// All calls fail with one error. A case for each error, as sanitizers make them slow.
class StoreFaults : public ::testing::TestWithParam<int> {
 protected:
  static void strike_everywhere(const std::function<void(const fs::path&)>& before,
                                const std::function<void(const fs::path&)>& body) {
    const TemporaryFolder folder;
    run(folder / "whole.h5");
    const std::string expected = results(folder / "whole.h5");
    std::map<int, int> ends;
    End end;
    std::int64_t at = 0;
    do {
      faults::Plan plan;
      plan.at = ++at;
      plan.error = GetParam();
      SCOPED_TRACE(fmt::format("call {}", at));
      end = strike(plan, expected, before, body);
      ++ends[end.code];
      if (HasFailure()) return;
    } while (end.faults > 0);
    EXPECT_GT(at, 50);
    for (const auto& [code, count] : ends) fmt::print("{} x code {}\n", count, code);
    EXPECT_TRUE(GetParam() == kShort || ends[73] + ends[74] > 20);
  }
};

TEST_P(StoreFaults, WhileAFileIsMade) {
  strike_everywhere([](const fs::path&) {}, run);
}

TEST_P(StoreFaults, WhileARunGoesOn) {
  strike_everywhere(
      [](const fs::path& path) {
        const Layout layout = example::layout();
        Writer writer(open_for_writing(path), layout,
                      create(path, layout, example::samples(), example::header(), Existing::refuse));
        for (const std::int64_t batch : {0, 1, 5, 9}) writer.write(example::rows(layout, batch));
        writer.finish();
        writer.write(example::rows(layout, 2));
      },
      go_on);
}

INSTANTIATE_TEST_SUITE_P(Errors, StoreFaults, ::testing::Values(ENOSPC, EIO, EDQUOT, EROFS, ENODEV, kShort),
                         [](const auto& error) {
                           return error.param == kShort ? "short" : strerrorname_np(error.param);
                         });

/// A disk that is full stays full.
TEST(ADisk, ThatIsFullFromACallOn) {
  const TemporaryFolder folder;
  run(folder / "whole.h5");
  const std::string expected = results(folder / "whole.h5");
  End end;
  std::int64_t at = 0;
  do {
    faults::Plan plan;
    plan.at = ++at;
    plan.count = std::numeric_limits<std::int64_t>::max();
    plan.calls = "write,sync,allocate,truncate,map";
    plan.error = ENOSPC;
    SCOPED_TRACE(fmt::format("from call {} on", at));
    end = strike(
        plan, expected, [](const fs::path&) {}, run);
    if (::testing::Test::HasFailure()) return;
  } while (end.faults > 0);
  EXPECT_GT(at, 50);
}

/// Every block would be touched by posix_fallocate: what is reserved is what fallocate reserves, or nothing.
TEST(ADisk, ThatCannotReserve) {
  const TemporaryFolder folder;
  const fs::path path = folder / "result.h5";
  faults::Plan plan;
  plan.files = path.parent_path().string();
  plan.calls = "allocate";
  plan.at = 1;
  plan.error = EOPNOTSUPP;
  const End end = with_faults(plan, [&] {
    create(path, example::wide_layout(), example::samples(), example::header(), Existing::refuse);
  });
  EXPECT_EQ(end.code, 0);
  EXPECT_EQ(end.faults, 1);
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_LT(status.st_blocks * 512, status.st_size / 4);
}

/// NFS without lockd, Lustre without -o flock, some FUSE: a warning, and all works.
TEST(WithoutLocks, TheStoreWorks) {
  for (const int error : {ENOLCK, EOPNOTSUPP, ENOSYS}) {
    const TemporaryFolder folder;
    const fs::path path = folder / "result.h5";
    faults::Plan plan;
    plan.files = folder.path().string();
    plan.calls = "lock";
    plan.at = 1;
    plan.count = std::numeric_limits<std::int64_t>::max();
    plan.error = error;
    ::testing::internal::CaptureStderr();
    faults::set_plan(plan);
    run(path);
    const Reader reader(path);
    const std::int64_t faults = faults::faults();
    faults::set_plan({});
    EXPECT_EQ(reader.progress().pending, 0);
    EXPECT_GE(faults, 3) << "the lock file, the output, HDF5's file";
    EXPECT_THAT(
        ::testing::internal::GetCapturedStderr(),
        ::testing::AllOf(::testing::HasSubstr("result.h5.lock: this file system has no locks ("),
                         ::testing::HasSubstr("so the output cannot be locked: two runs must not write "
                                              "to it\n")));
  }
}

}  // namespace
}  // namespace polyhead::store
