#pragma once

#include <array>
#include <functional>
#include <string>

#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support.hpp"

namespace polyhead::testing {

/// Runs `call` in a child process and gives out the message of the Error that it threw, or "no error".
inline std::string message_in_child(const std::function<void()>& call) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return "no pipe";
  const pid_t child = ::fork();
  if (child == 0) {
    std::string text = "no error";
    try {
      call();
    } catch (const Error& error) {
      text = fmt::format("{}: {}", static_cast<int>(error.code()), error.what());
    }
    _exit(::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : 1);
  }
  ::close(ends[1]);
  std::string text;
  std::array<char, 4096> piece{};
  for (ssize_t size = 0; (size = ::read(ends[0], piece.data(), piece.size())) > 0;) {
    text.append(piece.data(), static_cast<std::size_t>(size));
  }
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  return text;
}

/// The same without root's rights, which would hide a forbidden write.
inline std::string message_without_rights(const std::function<void()>& call) {
  return message_in_child([&] {
    constexpr unsigned kNobody = 65534;
    if (::getuid() == 0 &&
        (::setgroups(0, nullptr) != 0 || ::setgid(kNobody) != 0 || ::setuid(kNobody) != 0)) {
      _exit(2);
    }
    call();
  });
}

}  // namespace polyhead::testing
