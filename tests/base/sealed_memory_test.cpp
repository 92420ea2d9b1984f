#include "polyhead/base/sealed_memory.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support.hpp"
#include "polyhead/base/error.hpp"

namespace polyhead {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::size_t kBytes = std::size_t{3} << 20U;

void fill_sevens(std::span<std::byte> bytes) {
  std::ranges::fill(bytes, std::byte{7});
}

bool all_sevens(std::span<const std::byte> bytes) {
  return bytes.size() == kBytes && std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{7}; });
}

/// The exit status of a child process that does `work`.
template <class Work>
int in_child(const Work& work) {
  const pid_t child = fork();
  if (child == 0) _exit(work());
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

TEST(SealedMemory, AnotherProcessReadsIt) {
  const SealedMemory memory(kBytes, fill_sevens);
  EXPECT_TRUE(all_sevens(memory.bytes()));
  EXPECT_EQ(in_child([&] { return all_sevens(SealedMemory(memory.ticket()).bytes()) ? 0 : 1; }), 0);
}

TEST(SealedMemory, OutlivesItsMaker) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  int go[2];
  ASSERT_EQ(pipe(go), 0);
  const pid_t maker = fork();
  if (maker == 0) {
    const SealedMemory memory(kBytes, fill_sevens);
    const SealedMemory::Ticket ticket = memory.ticket();
    char wait = 0;
    if (write(ends[1], &ticket, sizeof ticket) < 0 || read(go[0], &wait, 1) < 0) _exit(1);
    raise(SIGKILL);
  }
  SealedMemory::Ticket ticket;
  ASSERT_EQ(read(ends[0], &ticket, sizeof ticket), static_cast<ssize_t>(sizeof ticket));
  const SealedMemory mine(ticket);
  ASSERT_EQ(write(go[1], "g", 1), 1);
  int status = 0;
  waitpid(maker, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_TRUE(all_sevens(mine.bytes()));
  for (const int end : {ends[0], ends[1], go[0], go[1]}) ::close(end);
}

TEST(SealedMemory, NobodyCanWriteToIt) {
  const SealedMemory memory(kBytes, fill_sevens);
  const SealedMemory::Ticket ticket = memory.ticket();
  EXPECT_LT(ftruncate(ticket.descriptor, 1), 0);
  EXPECT_LT(write(ticket.descriptor, "x", 1), 0);
  EXPECT_EQ(mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, ticket.descriptor, 0), MAP_FAILED);
}

std::string refusal(const SealedMemory::Ticket& ticket) {
  const auto [code, text] = testing::error_of([&] {
    const SealedMemory opened(ticket);
    return 0;
  });
  EXPECT_EQ(code, ExitCode::unavailable);
  return text;
}

TEST(SealedMemory, WhatIsNotThereIsRefused) {
  SealedMemory memory(kBytes, fill_sevens);
  const SealedMemory::Ticket ticket = memory.ticket();
  SealedMemory::Ticket other = ticket;
  other.inode += 1;
  EXPECT_THAT(refusal(other), HasSubstr("is another file here"));
  other = ticket;
  other.bytes -= 1;
  EXPECT_THAT(refusal(other), HasSubstr("is another file here"));
  memory.close();
  EXPECT_THAT(refusal(ticket), StartsWith("shared memory: /proc/"));
  EXPECT_TRUE(all_sevens(memory.bytes()));
  EXPECT_THAT(refusal({}), HasSubstr("No such file or directory"));
}

/// Opening one to read would wait for a writer.
TEST(SealedMemory, AnothersPipeIsNotOpened) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ::close(ends[1]);
  EXPECT_THAT(refusal({getpid(), ends[0], 0, 0, kBytes}), HasSubstr("is another file here"));
  ::close(ends[0]);
}

TEST(SealedMemory, WhatTheSystemRefusesIsSaid) {
  const auto [code, text] = testing::error_of([] {
    // More than a file can have: never a size for which the system would begin to look for memory.
    const SealedMemory huge(~std::size_t{0}, fill_sevens);
    return 0;
  });
  EXPECT_EQ(code, ExitCode::unavailable);
  EXPECT_THAT(text, StartsWith("shared memory: "));
}

TEST(SealedMemory, WhatFillThrowsIsThrown) {
  const auto [code, text] = testing::error_of([] {
    const SealedMemory made(kBytes, [](std::span<std::byte>) { throw Error(ExitCode::bad_data, "no"); });
    return 0;
  });
  EXPECT_EQ(code, ExitCode::bad_data);
}

}  // namespace
}  // namespace polyhead
