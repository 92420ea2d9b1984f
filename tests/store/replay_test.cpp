#include <deque>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <random>
#include <set>

#include <gmock/gmock.h>

#include "example.hpp"
#include "polyhead/store/page_writer.hpp"
#include "polyhead/store/resume.hpp"
#include "store/extent.hpp"

/// What a crash can leave: the writer's calls are recorded and then replayed onto a copy of the fresh file,
/// where each write since the last sync is applied whole, torn, or not at all, in any order.
namespace polyhead::store {
namespace {

using Bytes = std::vector<std::byte>;
constexpr std::size_t kSector = 512;

struct Call {
  int file = 0;  ///< which of several writers' own; a sync covers no other's
  bool sync = false;
  std::uint64_t offset = 0;
  Bytes bytes;
};

/// Records what is asked of it. From call number `fail_at` on, it throws; the failing write leaves a part.
class RecordingFile final : public File {
 public:
  RecordingFile(std::vector<Call>& calls, std::size_t fail_at, int file = 0)
      : calls_(calls), fail_at_(fail_at), file_(file) {}
  void write(std::uint64_t offset, std::span<const std::byte> bytes) override {
    const bool fails = count_++ >= fail_at_;
    if (fails) bytes = bytes.first(bytes.size() / 2);
    calls_.push_back({file_, false, offset, {bytes.begin(), bytes.end()}});
    if (fails) throw Error(ExitCode::io_error, "the disk is gone");
  }
  void sync() override {
    if (count_++ >= fail_at_) throw Error(ExitCode::io_error, "the disk is gone");
    calls_.push_back({file_, true, 0, {}});
  }

 private:
  std::vector<Call>& calls_;
  std::size_t fail_at_;
  int file_;
  std::size_t count_ = 0;
};

Bytes read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

template <class T>
bool equal_at(const Bytes& disk, std::uint64_t dataset, std::int64_t first, const std::vector<T>& rows,
              std::int64_t count) {
  const auto bytes = std::as_bytes(std::span(rows));
  const auto row = static_cast<std::int64_t>(bytes.size()) / count;
  return std::equal(bytes.begin(), bytes.end(),
                    disk.begin() + static_cast<std::int64_t>(dataset) + first * row);
}

class Replay : public ::testing::Test {
 protected:
  explicit Replay(Layout layout = example::layout())
      : fresh_(std::move(layout)), empty_(read_file(fresh_.path)) {}

  /// A run in the coordinator's manner: micro-batches in any order, commits now and then, notes between.
  std::vector<Call> record(std::uint32_t seed, std::size_t fail_at = SIZE_MAX) const {
    std::mt19937 random(seed);
    std::vector<Call> calls;
    Writer writer(std::make_unique<RecordingFile>(calls, fail_at), fresh_.layout, fresh_.offsets);
    std::vector<std::int64_t> batches;
    for (std::int64_t b = 0; b < fresh_.layout.batches(); ++b) batches.push_back(b);
    std::shuffle(batches.begin(), batches.end(), random);
    try {
      writer.append_provenance("start");
      for (const std::int64_t batch : batches) {
        writer.write(example::rows(fresh_.layout, batch));
        if (random() % 3 == 0) writer.commit();
        if (random() % 5 == 0) writer.append_provenance("a note");
      }
      writer.write_summary("{}");
      writer.finish();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::io_error);
      EXPECT_STREQ(error.what(), "the disk is gone");
    }
    return calls;
  }

  /// The disk after a crash just before call `crash`, of a run that found it `before`.
  Bytes replay(const std::vector<Call>& calls, std::size_t crash, std::mt19937& random) const {
    return replay(empty_, calls, crash, random);
  }
  static Bytes replay(const Bytes& before, const std::vector<Call>& calls, std::size_t crash,
                      std::mt19937& random) {
    std::map<int, std::size_t> last_sync;
    for (std::size_t i = 0; i < crash; ++i) {
      if (calls[i].sync) last_sync[calls[i].file] = i;
    }
    Bytes disk = before;
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < crash; ++i) {
      const auto sync = last_sync.find(calls[i].file);
      if (sync != last_sync.end() && i < sync->second) {
        apply(disk, calls[i], 0, calls[i].bytes.size());
      } else {
        open.push_back(i);
      }
    }
    std::shuffle(open.begin(), open.end(), random);
    for (const std::size_t i : open) lose_or_apply(disk, calls[i], random);
    return disk;
  }

  /// Micro-batches that the ledger calls done though a row of theirs is not what it should be.
  std::int64_t lies(const Bytes& disk) const {
    std::int64_t found = 0;
    for (std::int64_t batch = 0; batch < fresh_.layout.batches(); ++batch) {
      const std::byte entry = disk[fresh_.offsets.ledger + static_cast<std::uint64_t>(batch)];
      if (entry != std::byte{0} && (entry != std::byte{1} || !is_right(disk, batch))) ++found;
    }
    return found;
  }

  std::int64_t ledger_sum(const Bytes& disk) const {
    return std::count(
        disk.begin() + static_cast<std::int64_t>(fresh_.offsets.ledger),
        disk.begin() + static_cast<std::int64_t>(fresh_.offsets.ledger) + fresh_.layout.batches(),
        std::byte{1});
  }

  /// What a second look at the samples gives.
  static Rows mended(Rows rows) {
    for (std::size_t i = 0; i < rows.status.size(); ++i) {
      rows.status[i] = static_cast<std::uint8_t>(SampleStatus::done);
      rows.reason[i] = 0;
      rows.fused_prediction[i] = 2;
    }
    for (float& score : rows.fused_scores) score = -1;
    return rows;
  }

  example::Fresh fresh_;
  Bytes empty_;
  std::set<std::int64_t> retried_;  ///< may hold either rows

 private:
  static void apply(Bytes& disk, const Call& call, std::size_t first, std::size_t last) {
    std::copy(call.bytes.begin() + static_cast<std::ptrdiff_t>(first),
              call.bytes.begin() + static_cast<std::ptrdiff_t>(last),
              disk.begin() + static_cast<std::ptrdiff_t>(call.offset + first));
  }

  static void lose_or_apply(Bytes& disk, const Call& call, std::mt19937& random) {
    switch (random() % 4) {
      case 0:
        break;
      case 1:
        apply(disk, call, 0, call.bytes.size());
        break;
      case 2:
        apply(disk, call, 0, random() % (call.bytes.size() + 1));
        break;
      default:
        apply_some_sectors(disk, call, random);
    }
  }

  static void apply_some_sectors(Bytes& disk, const Call& call, std::mt19937& random) {
    for (std::size_t first = 0; first < call.bytes.size();) {
      const std::size_t to_border = kSector - (call.offset + first) % kSector;
      const std::size_t last = std::min(call.bytes.size(), first + to_border);
      if (random() % 2 == 0) apply(disk, call, first, last);
      first = last;
    }
  }

  bool is_right(const Bytes& disk, std::int64_t batch) const {
    const Rows rows = example::rows(fresh_.layout, batch);
    return holds(disk, rows) || (retried_.contains(batch) && holds(disk, mended(rows)));
  }

  bool holds(const Bytes& disk, const Rows& rows) const {
    const std::int64_t batch = rows.batch;
    const Offsets& at = fresh_.offsets;
    const std::int64_t first = batch * fresh_.layout.batch;
    return equal_at(disk, at.of("/fused/scores"), first, rows.fused_scores, rows.count) &&
           equal_at(disk, at.of("/fused/prediction"), first, rows.fused_prediction, rows.count) &&
           equal_at(disk, at.of("/heads/prediction"), first, rows.head_prediction, rows.count) &&
           equal_at(disk, at.of("/heads/scores"), first, rows.head_scores, rows.count) &&
           equal_at(disk, at.of("/samples/status"), first, rows.status, rows.count) &&
           equal_at(disk, at.of("/samples/reason"), first, rows.reason, rows.count);
  }
};

TEST_F(Replay, NoCrashLeavesALedgerByteWithoutItsRows) {
  std::int64_t committed = 0;
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    const std::vector<Call> calls = record(seed);
    for (std::size_t crash = 0; crash <= calls.size(); ++crash) {
      const Bytes disk = replay(calls, crash, random);
      ASSERT_EQ(lies(disk), 0) << "seed " << seed << ", crash before call " << crash;
      committed += ledger_sum(disk);
    }
    EXPECT_EQ(ledger_sum(replay(calls, calls.size(), random)), fresh_.layout.batches());
  }
  EXPECT_GT(committed, 0);
}

TEST_F(Replay, TheReaderOpensWhatACrashLeaves) {
  std::mt19937 random(1);
  const std::vector<Call> calls = record(1);
  for (int i = 0; i < 50; ++i) {
    const Bytes disk = replay(calls, random() % (calls.size() + 1), random);
    std::ofstream(fresh_.path, std::ios::binary)
        .write(reinterpret_cast<const char*>(disk.data()), static_cast<std::streamsize>(disk.size()));
    const Reader reader(fresh_.path);
    EXPECT_EQ(reader.progress().batches_done, ledger_sum(disk));
    const std::vector<std::uint8_t> ledger = reader.ledger();
    for (std::int64_t batch = 0; batch < fresh_.layout.batches(); ++batch) {
      if (ledger[static_cast<std::size_t>(batch)] != 1) continue;
      const Rows rows = example::rows(fresh_.layout, batch);
      const Columns columns = reader.columns(batch * fresh_.layout.batch, rows.count);
      EXPECT_EQ(columns.fused_prediction, rows.fused_prediction);
      EXPECT_EQ(columns.head_prediction, rows.head_prediction);
      EXPECT_EQ(columns.status, rows.status);
    }
  }
}

/// The check itself is checked: writers that get the order wrong are caught.
TEST_F(Replay, CatchesAWriterThatMarksBeforeTheSync) {
  std::int64_t caught = 0;
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    std::vector<Call> calls = record(seed);
    for (std::size_t i = 0; i + 1 < calls.size(); ++i) {
      if (!calls[i].sync) continue;
      std::swap(calls[i], calls[i + 1]);
      ++i;
    }
    for (std::size_t crash = 0; crash <= calls.size(); ++crash) caught += lies(replay(calls, crash, random));
  }
  EXPECT_GT(caught, 0);
}

TEST_F(Replay, CatchesAWriterThatNeverSyncs) {
  std::mt19937 random(0);
  std::vector<Call> calls = record(0);
  std::erase_if(calls, [](const Call& call) { return call.sync; });
  std::int64_t caught = 0;
  for (std::size_t crash = 0; crash <= calls.size(); ++crash) caught += lies(replay(calls, crash, random));
  EXPECT_GT(caught, 0);
}

TEST_F(Replay, ADiskThatFailsAtAnyCallLeavesNoLie) {
  const std::size_t all = record(7).size();
  std::mt19937 random(7);
  for (std::size_t fail_at = 0; fail_at < all; ++fail_at) {
    const std::vector<Call> calls = record(7, fail_at);
    for (int i = 0; i < 5; ++i)
      ASSERT_EQ(lies(replay(calls, calls.size(), random)), 0) << "failed at " << fail_at;
  }
}

/// A run that is itself a resume: of what a crash has left, or, with samples to be tried again, of a whole
/// file.
class ResumedReplay : public Replay {
 protected:
  /// Puts `disk` under the file's name.
  void leave(const Bytes& disk) const {
    std::ofstream(fresh_.path, std::ios::binary | std::ios::trunc)
        .write(reinterpret_cast<const char*>(disk.data()), static_cast<std::streamsize>(disk.size()));
  }

  /// Opens what is there as a run does, and computes what is missing.
  std::vector<Call> record_resumed(std::mt19937& random, std::size_t fail_at = SIZE_MAX) const {
    std::vector<Call> calls;
    const Reader reader(fresh_.path);
    const Committed committed = committed_of(reader);
    Writer writer(std::make_unique<RecordingFile>(calls, fail_at), reader.layout(), reader.offsets(),
                  committed);
    std::vector<std::int64_t> batches(retried_.begin(), retried_.end());
    try {
      writer.reopen(batches);
      for (std::int64_t batch = 0; batch < fresh_.layout.batches(); ++batch) {
        if (committed.ledger[static_cast<std::size_t>(batch)] == 0) batches.push_back(batch);
      }
      std::shuffle(batches.begin(), batches.end(), random);
      writer.append_provenance("resume");
      writer.finish();
      for (const std::int64_t batch : batches) {
        const Rows rows = example::rows(fresh_.layout, batch);
        writer.write(retried_.contains(batch) ? mended(rows) : rows);
        if (random() % 3 == 0) writer.commit();
      }
      writer.finish();
      writer.write_certificate("c");
      writer.write_summary("{}");
      writer.finish();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::io_error);
    }
    return calls;
  }

  /// A certificate is only where every ledger byte is.
  [[nodiscard]] bool is_certified_wrongly(const Bytes& disk) const {
    return disk[fresh_.offsets.certificate.offset] != std::byte{0} &&
           ledger_sum(disk) != fresh_.layout.batches();
  }

  /// What an earlier run has committed, and is not tried again, stays committed.
  [[nodiscard]] std::int64_t lost(const Bytes& before, const Bytes& after) const {
    std::int64_t lost = 0;
    for (std::int64_t batch = 0; batch < fresh_.layout.batches(); ++batch) {
      const std::uint64_t at = fresh_.offsets.ledger + static_cast<std::uint64_t>(batch);
      if (!retried_.contains(batch) && before[at] == std::byte{1} && after[at] != std::byte{1}) ++lost;
    }
    return lost;
  }

  void expect_sound(const Bytes& before, const std::vector<Call>& calls, std::size_t crash,
                    std::mt19937& random) {
    const Bytes disk = replay(before, calls, crash, random);
    ASSERT_EQ(lies(disk), 0) << "crash before call " << crash;
    ASSERT_EQ(lost(before, disk), 0) << "crash before call " << crash;
    ASSERT_FALSE(is_certified_wrongly(disk)) << "crash before call " << crash;
  }

  /// A finished run, with its certificate.
  Bytes whole(std::mt19937& random) const {
    leave(empty_);
    const std::vector<Call> calls = record_resumed(random);
    return replay(empty_, calls, calls.size(), random);
  }
};

TEST_F(ResumedReplay, NoCrashOfAResumeLeavesALie) {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    const std::vector<Call> first = record(seed);
    const Bytes before = replay(first, random() % (first.size() + 1), random);
    leave(before);
    const std::vector<Call> calls = record_resumed(random);
    for (std::size_t crash = 0; crash <= calls.size(); ++crash) expect_sound(before, calls, crash, random);
    const Bytes after = replay(before, calls, calls.size(), random);
    EXPECT_EQ(ledger_sum(after), fresh_.layout.batches());
    EXPECT_EQ(after[fresh_.offsets.certificate.offset], std::byte{'c'});
  }
}

TEST_F(ResumedReplay, CrashAfterCrashEndsInAWholeFile) {
  std::mt19937 random(3);
  Bytes disk = empty_;
  for (int crashes = 0; ledger_sum(disk) < fresh_.layout.batches(); ++crashes) {
    ASSERT_LT(crashes, 200);
    leave(disk);
    const std::vector<Call> calls = record_resumed(random);
    const std::size_t crash = random() % (calls.size() + 1);
    expect_sound(disk, calls, crash, random);
    disk = replay(disk, calls, crash, random);
  }
}

TEST_F(ResumedReplay, ARetryOfBadSamplesIsSoundAtEveryCrash) {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    retried_.clear();
    const Bytes before = whole(random);
    leave(before);
    const auto bad = batches_with_bad_samples(Reader(fresh_.path));
    ASSERT_EQ(bad, (std::vector<std::int64_t>{2, 4, 6, 8, 10}));  // samples 16, 33, 50, 67 and 84
    retried_ = {bad.begin(), bad.end()};
    const std::vector<Call> calls = record_resumed(random);
    for (std::size_t crash = 0; crash <= calls.size(); ++crash) expect_sound(before, calls, crash, random);
    leave(replay(before, calls, calls.size(), random));
    EXPECT_TRUE(batches_with_bad_samples(Reader(fresh_.path)).empty());
  }
}

TEST_F(ResumedReplay, ADiskThatFailsAtAnyCallOfARetryLeavesNoLie) {
  std::mt19937 random(5);
  const Bytes before = whole(random);
  leave(before);
  retried_ = {2, 4};
  const std::size_t all = record_resumed(random).size();
  for (std::size_t fail_at = 0; fail_at < all; ++fail_at) {
    const std::vector<Call> calls = record_resumed(random, fail_at);
    for (int i = 0; i < 5; ++i) expect_sound(before, calls, calls.size(), random);
  }
}

/// The check itself is checked.
TEST_F(ResumedReplay, CatchesARetryWithoutItsSyncs) {
  std::int64_t caught = 0;
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    retried_.clear();
    const Bytes before = whole(random);
    leave(before);
    retried_ = {2, 4, 6};
    std::vector<Call> calls = record_resumed(random);
    // The one that follows the ledger's bytes, and that of the note.
    for (int syncs = 0; auto& call : calls) call.sync = call.sync && (++syncs == 1 || syncs > 3);
    std::erase_if(calls, [](const Call& call) { return !call.sync && call.bytes.empty(); });
    for (std::size_t crash = 0; crash <= calls.size(); ++crash)
      caught += lies(replay(before, calls, crash, random));
  }
  EXPECT_GT(caught, 0);
}

/// A disk whose syncs fail but whose writes seem to work.
class UnsyncableFile final : public File {
 public:
  explicit UnsyncableFile(int& syncs, int& writes) : syncs_(syncs), writes_(writes) {}
  void write(std::uint64_t /*offset*/, std::span<const std::byte> /*bytes*/) override { ++writes_; }
  void sync() override {
    ++syncs_;
    throw Error(ExitCode::io_error, "cannot be written to the disk");
  }

 private:
  int& syncs_;
  int& writes_;
};

TEST_F(Replay, AFailedSyncIsNeverTriedAgain) {
  int syncs = 0;
  int writes = 0;
  Writer writer(std::make_unique<UnsyncableFile>(syncs, writes), fresh_.layout, fresh_.offsets);
  writer.write(example::rows(fresh_.layout, 0));
  EXPECT_THROW(writer.commit(), Error);
  const int before = writes;
  using polyhead::testing::error_of;
  for (const auto& [code, message] :
       {error_of([&] { writer.commit(); }), error_of([&] { writer.finish(); }),
        error_of([&] { writer.write(example::rows(fresh_.layout, 1)); }),
        error_of([&] { writer.append_provenance("x"); }), error_of([&] { writer.write_summary("x"); }),
        error_of([&] { writer.write_certificate("x"); })}) {
    EXPECT_EQ(code, ExitCode::io_error);
    EXPECT_THAT(message, ::testing::HasSubstr("what was committed before is kept"));
  }
  EXPECT_EQ(syncs, 1);
  EXPECT_EQ(writes, before);
  EXPECT_EQ(writer.committed(), 0);
}

TEST_F(Replay, NeighboursInTheLedgerGoInOneWrite) {
  std::vector<Call> calls;
  Writer writer(std::make_unique<RecordingFile>(calls, SIZE_MAX), fresh_.layout, fresh_.offsets);
  writer.commit();
  EXPECT_TRUE(calls.empty());
  for (const std::int64_t batch : {5, 3, 4, 9}) writer.write(example::rows(fresh_.layout, batch));
  calls.clear();
  writer.commit();
  ASSERT_EQ(calls.size(), 3U);
  EXPECT_TRUE(calls[0].sync);
  EXPECT_EQ(calls[1].offset, fresh_.offsets.ledger + 9);
  EXPECT_EQ(calls[2].offset, fresh_.offsets.ledger + 3);
  EXPECT_EQ(calls[2].bytes, Bytes(3, std::byte{1}));
}

/// Ranks that write their own pages, and a coordinator that writes the rest.
class SharedReplay : public Replay {
 protected:
  SharedReplay() : Replay(example::wide_layout()) {}

  struct Rank {
    PageWriter pages;
    std::deque<std::function<void()>> messages;  ///< under way to the coordinator, which gets them in order
  };

  /// Whoever comes next does whatever it can: computes, syncs, is heard, or the coordinator commits.
  std::vector<Call> record_shared(std::uint32_t seed) const {
    std::mt19937 random(seed);
    std::vector<Call> calls;
    Writer writer(std::make_unique<RecordingFile>(calls, SIZE_MAX), fresh_.layout, fresh_.offsets);
    std::deque<Rank> ranks;
    for (int file = 1; file <= 3; ++file) {
      auto recorder = std::make_unique<RecordingFile>(calls, SIZE_MAX, file);
      ranks.push_back({PageWriter(std::move(recorder), fresh_.layout, fresh_.offsets), {}});
    }
    std::int64_t left = fresh_.layout.batches();
    while (writer.committed() < fresh_.layout.batches()) {
      Rank& rank = ranks[random() % ranks.size()];
      switch (random() % 4) {
        case 0:
          if (left > 0) compute(rank, --left, writer);
          break;
        case 1:
          sync(rank, writer);
          break;
        case 2:
          if (rank.messages.empty()) break;
          rank.messages.front()();
          rank.messages.pop_front();
          break;
        default:
          writer.commit();
      }
    }
    writer.finish();
    return calls;
  }

 private:
  void compute(Rank& rank, std::int64_t batch, Writer& writer) const {
    const Rows rest = rank.pages.write(example::rows(fresh_.layout, batch));
    rank.messages.emplace_back([&writer, rest] { writer.write(rest); });
  }

  static void sync(Rank& rank, Writer& writer) {
    for (const std::int64_t batch : rank.pages.sync()) {
      rank.messages.emplace_back([&writer, batch] { writer.rest_is_synced(batch); });
    }
  }
};

TEST_F(SharedReplay, NoCrashLeavesALedgerByteWithoutItsRows) {
  for (std::uint32_t seed = 0; seed < 2; ++seed) {
    std::mt19937 random(seed);
    const std::vector<Call> calls = record_shared(seed);
    for (std::size_t crash = 0; crash <= calls.size(); ++crash) {
      ASSERT_EQ(lies(replay(calls, crash, random)), 0) << "seed " << seed << ", crash before call " << crash;
    }
    EXPECT_EQ(ledger_sum(replay(calls, calls.size(), random)), fresh_.layout.batches());
  }
}

TEST_F(SharedReplay, CatchesRanksThatNeverSync) {
  std::mt19937 random(0);
  std::vector<Call> calls = record_shared(0);
  std::erase_if(calls, [](const Call& call) { return call.sync && call.file > 0; });
  EXPECT_GT(lies(replay(calls, calls.size(), random)), 0);
}

TEST_F(SharedReplay, NoPageHasTwoWriters) {
  std::map<std::uint64_t, std::set<int>> writers;
  std::set<int> files;
  for (const Call& call : record_shared(3)) {
    if (call.sync) continue;
    files.insert(call.file);
    const std::uint64_t end = call.offset + call.bytes.size();
    for (std::uint64_t page = call.offset / kPage; page * kPage < end; ++page)
      writers[page].insert(call.file);
  }
  EXPECT_EQ(files.size(), 4U);
  for (const auto& [page, who] : writers) EXPECT_EQ(who.size(), 1U) << "page " << page;
}

}  // namespace
}  // namespace polyhead::store
