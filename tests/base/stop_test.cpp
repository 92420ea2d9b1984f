#include "polyhead/base/stop.hpp"

#include <atomic>
#include <csignal>
#include <utility>

#include <gtest/gtest.h>
#include <unistd.h>

#include "polyhead/base/error.hpp"

namespace polyhead {
namespace {

using namespace std::chrono_literals;

/// Within some seconds.
template <class Condition>
bool comes_true(Condition condition) {
  for (int i = 0; i < 500 && !condition(); ++i) std::this_thread::sleep_for(10ms);
  return condition();
}

bool asks(Stop how) {
  return comes_true([&] { return stop_asked().how == how; });
}

void send(int signal) {
  ASSERT_EQ(::kill(::getpid(), signal), 0);
}

TEST(Stop, NobodyHasAsked) {
  const StopSignals signals([] {}, 1h);
  EXPECT_EQ(stop_asked().how, Stop::no);
  EXPECT_NO_THROW(throw_if_stop_asked());
}

TEST(Stop, EachSignalAsksSoonThenNow) {
  for (const auto& [signal, name] :
       {std::pair{SIGTERM, "SIGTERM"}, std::pair{SIGINT, "SIGINT"}, std::pair{SIGUSR1, "SIGUSR1"}}) {
    std::atomic<bool> overdue = false;
    const StopSignals signals([&] { overdue = true; }, 1h);
    send(signal);
    ASSERT_TRUE(asks(Stop::soon)) << name;
    EXPECT_EQ(stop_asked().why, name);
    send(SIGUSR1);
    ASSERT_TRUE(asks(Stop::now));
    EXPECT_EQ(stop_asked().why, name);
    EXPECT_FALSE(overdue);
    send(SIGUSR1);
    EXPECT_TRUE(comes_true([&] { return overdue.load(); }));
  }
}

TEST(Stop, WhoLivesTooLongAfterTheSecondIsOverdue) {
  std::atomic<bool> overdue = false;
  const StopSignals signals([&] { overdue = true; }, 300ms);
  send(SIGTERM);
  ASSERT_TRUE(asks(Stop::soon));
  std::this_thread::sleep_for(600ms);
  EXPECT_FALSE(overdue);
  send(SIGTERM);
  EXPECT_TRUE(comes_true([&] { return overdue.load(); }));
}

TEST(Stop, LongWorkIsGivenUp) {
  const StopSignals signals([] {}, 1h);
  send(SIGINT);
  ASSERT_TRUE(asks(Stop::soon));
  try {
    throw_if_stop_asked();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::preempted);
    EXPECT_STREQ(error.what(), "stopped by SIGINT before work began");
  }
}

TEST(Stop, NoCallIsInterrupted) {
  const StopSignals signals([] {}, 1h);
  int result = -1;
  std::jthread sleeper([&] {
    const timespec time{0, 400'000'000};
    result = ::nanosleep(&time, nullptr);
  });
  std::this_thread::sleep_for(100ms);
  send(SIGUSR1);
  sleeper.join();
  EXPECT_EQ(result, 0);
  EXPECT_TRUE(asks(Stop::soon));
}

}  // namespace
}  // namespace polyhead
